// The run that is watched as it learns: its curves, what it writes, its weights.
{
  const MOST_SAMPLES = 200, MOST_POINTS = 20_000;
  let run = null, frame = 0, shown = false;

  const small = $("run-small"), charts = [];
  const linked = (parent, options) => {
    const made = chart(parent, { ...options, moved: x => charts.forEach(c => c.point(x)) });
    charts.push(made);
    return made;
  };
  const lossChart = linked($("run-loss"), { name: "Loss", height: 260, format: inNats });
  const normChart = linked(small, { name: "Gradient norm", log: true });
  const rateChart = linked(small, { name: "Learning rate" });
  const speedChart = linked(small, { name: "Characters/s", format: y => y == null ? "–" : inWhole(y) });

  const curve = () => ({ xs: [], ys: [] });
  // A point at the end; training that was gone on with from an earlier step takes back what was after it.
  const put = ({ xs, ys }, x, y) => {
    while (xs.length && xs.at(-1) >= x) { xs.pop(); ys.pop(); }
    xs.push(x);
    ys.push(y ?? null);
    if (xs.length < MOST_POINTS) return;
    for (const all of [xs, ys]) all.splice(0, Infinity, ...all.filter((_, i) => i % 2));
  };
  const fresh = name => ({
    name, id: 0, end: new AbortController(), status: "", trained: 0, last: null, before: null, uniform: null, largest: {},
    loss: curve(), norm: curve(), rate: curve(), speed: curve(), validation: curve(), skipped: 0,
  });

  // ---- what is told of it

  const took = {
    loss(data) {
      const { iteration, before = run.before } = data;
      put(run.loss, iteration, data.loss);
      put(run.norm, iteration, data.grad_norm);
      put(run.rate, iteration, data.learning_rate);
      const read = before && data.seconds > before.seconds;
      if (read) put(run.speed, iteration, (data.characters - before.characters) / (data.seconds - before.seconds));
      if (data.skipped) note("skipped", `At iteration ${inWhole(iteration)} a step was skipped: its loss or gradient was not finite.`);
      run.before = data;
    },
    validation(data) { put(run.validation, data.iteration, data.val_loss); },
    sample(data) { $("run-samples").prepend(sample(data)); $("run-samples").children[MOST_SAMPLES]?.remove(); },
    weights(data) { weights(data.matrices); },
    note(data) {
      if (!data.message.includes("char_rnn.resume")) note("note", data.message);  // here there is a button
    },
    divergence(data) {
      note("wrong", `At iteration ${inWhole(data.iteration)} the loss was not finite any more: back to the last good weights, at ${figures(data.rate_scale)} of the learning rate.`);
    },
    end() {},
  };
  const note = (kind, text) => {
    const notes = $("run-notes");
    if (kind === "skipped") {
      run.skipped += 1;
      const there = notes.querySelector(".skipped");
      if (there && run.skipped > 1) { there.textContent = `${text} (${run.skipped} in all)`; return; }
    }
    if ([...notes.children].some(n => n.textContent === text)) return;
    notes.append(make("li", { class: kind, text }));
    $("run-notes-title").hidden = false;
  };
  const sample = ({ iteration, loss, text }) => make("li", {},
    make("div", { class: "faint", text: `iteration ${inWhole(iteration)} · loss ${inNats(loss)}` }),
    make("pre", { text: seen(text) }));

  // ---- the weights' picture

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const [low, high] = ["--low", "--high"].map(n => style.getPropertyValue(n).trim().split(/\s+/).map(Number));
    return { low, high };
  };
  // From where to where a matrix leads, by its name in model files.
  const between = (name, last) => {
    const [, from, layer] = /weight_([ih])h_l(\d+)/.exec(name) ?? [];
    if (!from) return name === "out.weight" ? `layer ${last} → next character` : name;
    const own = `layer ${+layer + 1}`;
    return from === "h" ? `${own} → itself` : `${+layer ? "layer " + layer : "character"} → ${own}`;
  };
  const weights = matrices => {
    $("run-weights").hidden = false;
    const last = matrices.filter(m => m.name.includes("weight_hh")).length;
    const { low, high } = colours(), box = $("run-matrices");
    for (const m of matrices) {
      const [rows, columns] = m.grid, values = new Int8Array(bytes(m.values));
      let figure = [...box.children].find(f => f.dataset.name === m.name);
      if (!figure) {
        const canvas = make("canvas", { role: "img" });
        figure = make("figure", { "data-name": m.name }, canvas, make("figcaption"));
        box.append(figure);
      }
      const canvas = figure.firstChild;
      canvas.width = columns;
      canvas.height = rows;
      const each = Math.max(1, Math.min(8, Math.round(150 / Math.max(rows, columns))));
      canvas.style.width = columns * each + "px";
      canvas.style.height = rows * each + "px";
      // One scale through the run, so that one sees them grow.
      const most = run.largest[m.name] = Math.max(run.largest[m.name] ?? 0, 127 * m.scale);
      const pen = canvas.getContext("2d"), image = pen.createImageData(columns, rows);
      values.forEach((v, i) => {
        const at = Math.min(Math.abs(v) * m.scale / most, 1);
        image.data.set(v < 0 ? low : high, 4 * i);
        image.data[4 * i + 3] = 255 * at ** .7;
      });
      pen.putImageData(image, 0, 0);
      const named = between(m.name, last), size = m.shape.join(" × "), step = m.rms ? m.update_rms / m.rms : null;
      canvas.setAttribute("aria-label", `${named}, ${m.name}, ${size}`);
      figure.lastChild.replaceChildren(make("b", { text: named }), make("br"),
        `${size} · RMS ${figures(m.rms, 2)} · step ${figures(step, 2)}`);
      if (m.name === "out.weight") run.uniform = Math.log(m.shape[0]);
    }
  };

  // ---- how it is drawn

  const show = () => {
    frame = 0;
    if (!run || !shown) return;
    const { loss, validation, norm, rate, speed, last } = run;
    const rules = run.uniform ? [{ y: run.uniform, name: `uniform: ln V = ${run.uniform.toFixed(2)}` }] : [];
    lossChart.show({
      rules, close: $("run-close").getAttribute("aria-pressed") === "true",
      series: [{ name: "training", kind: "training", ...loss }, { name: "validation", kind: "validation", dots: true, ...validation }],
    });
    for (const [c, one] of [[normChart, norm], [rateChart, rate], [speedChart, speed]]) {
      c.show({ series: [{ name: "", kind: "plain", ...one }] });
    }
    const going = active(run), known = page.models.some(m => m.id === run.name);
    small.hidden = !norm.xs.length && !going;
    $("run-grid").classList.toggle("alone", !$("run-samples").childElementCount && !going);
    $("run-name").textContent = run.name;
    const status = run.lost ? "connection lost" : run.status === "running" && !last ? "beginning" : run.status;
    $("run-status").textContent = status;
    $("run-status").dataset.is = run.status;
    $("run-going").hidden = !last && !going;
    if (last?.progress != null) {
      $("run-progress").value = last.progress;
      const all = last.progress > 0 ? last.elapsed / last.progress : null;
      const left = all && going ? ` · ${clock(Math.max(all - last.elapsed, 0))} left` : "";
      $("run-time").textContent = all ? `${clock(last.elapsed)} of ${clock(all)}${left}` : clock(last.elapsed);
    } else {
      $("run-progress").removeAttribute("value");
      $("run-time").textContent = going ? "the text is read, a plan is made" : "";
    }
    const may = page.training !== null, learned = run.loss.xs.length > 0;
    $("run-stop").hidden = !may || !going;
    $("run-stop").disabled = run.status === "stopping";
    $("run-more").hidden = !may || !learned || going || run.status === "running elsewhere" || run.status === "";
    $("run-diagnose").hidden = !learned || going;
    $("run-diagnose").disabled = run.examined;
    $("run-write").hidden = !known;
    $("run-said").hidden = !run.message;
    $("run-said").textContent = run.message ?? "";
  };
  const due = () => { frame ||= requestAnimationFrame(show); };
  $("run-close").onclick = () => {
    const pressed = $("run-close").getAttribute("aria-pressed") !== "true";
    $("run-close").setAttribute("aria-pressed", pressed);
    due();
  };

  // ---- watching

  const pause = (ms, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
  });
  // What is known of it without its events: of an old run its curves.
  const look = async (run, signal) => {
    const found = await api("/v1/runs/" + run.name, undefined, { signal });
    Object.assign(run, { status: found.status, message: found.message });
    if (found.events < run.id) run.id = 0;  // the server has been started anew, and counts from there
    run.trained = found.loss?.elapsed ?? found.loss?.seconds ?? 0;
    return found;
  };
  const follow = async name => {
    run?.end.abort();
    const own = run = fresh(name), { signal } = own.end;
    sessionStorage.setItem("char-rnn run", name);
    for (const id of ["run-samples", "run-notes", "run-matrices", "run-answer"]) $(id).replaceChildren();
    $("run-weights").hidden = $("run-notes-title").hidden = true;
    $("run").hidden = false;
    $("run-minutes").value = "";
    for (let wait = 250; ; wait = Math.min(2 * wait, 10_000)) {
      try {
        const found = await look(own, signal);
        if (!own.id) await earlier(own, found, signal);
        own.lost = false;
        due();
        const headers = own.id ? { "Last-Event-ID": String(own.id) } : {};
        for await (const { id, event, data } of events(`/v1/runs/${name}/events`, undefined, { headers, signal })) {
          if (signal.aborted) return;
          if (Number(id) <= own.id) continue;
          own.id = Number(id);
          wait = 250;
          if (data.progress != null) own.last = data;
          took[event]?.(data);
          due();
        }
        if (signal.aborted) return;
        if (!active(await look(own, signal))) return ended(own);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status < 500) { due(); return problem(error); }
        own.lost = true;
        due();
      }
      await pause(wait, signal).catch(() => {});
      if (signal.aborted) return;
    }
  };
  // What was before the events that the server has kept.
  const earlier = async (own, found, signal) => {
    if (active(found) && !found.loss) return;
    const { train, validation } = await api(`/v1/runs/${own.name}/curves`, undefined, { signal });
    for (const [iteration, , y] of train) put(own.loss, iteration, y);
    for (const [iteration, , y] of validation) put(own.validation, iteration, y);
  };
  const ended = async own => {
    await loadModels();
    await loadRuns();
    if (own !== run) return;
    const best = own.validation.ys.filter(y => y != null);
    const more = best.length ? `, best validation loss ${inNats(Math.min(...best))}` : "";
    if (own.last) say(`${own.name}: ${own.status}${more}`);
    const minutes = own.last && own.last.progress < 1 ? own.last.elapsed / own.last.progress - own.last.elapsed : 60;
    $("run-minutes").value ||= Math.max(Number((minutes / 60).toPrecision(2)), .01);
    due();
  };

  // Do something with the run; what the server says against it stands beside it.
  const attempt = async action => {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Problem)) return problem(error);
      run.message = error.message;
      due();
    }
  };
  $("run-stop").onclick = () => attempt(async () => {
    const own = run;
    own.status = (await api(`/v1/runs/${own.name}/stop`, {})).status;
    $("run-name").focus();  // the button goes away
    due();
  });
  $("run-more").onsubmit = event => {
    event.preventDefault();
    attempt(async () => {
      const so = Math.max(run.last?.elapsed ?? 0, run.trained) / 60;
      await api(`/v1/runs/${run.name}/resume`, { minutes: so + Number($("run-minutes").value) });
      tell("run", run.name);
      await loadRuns();
    });
  };
  $("run-diagnose").onclick = () => trying(async () => {
    const own = run, box = $("run-answer");
    own.examined = true;
    due();
    box.replaceChildren(make("p", { class: "faint", text: "It is examined; that takes some seconds." }));
    try {
      const answer = await api(`/v1/runs/${own.name}/diagnose`, {}, { signal: own.end.signal });
      if (own === run) showAnswer(box, answer);
    } catch (error) {
      if (own === run) box.replaceChildren(make("p", { class: "bad", text: error.message }));
    } finally {
      own.examined = false;
      due();
    }
  });
  $("run-write").onclick = () => trying(async () => {
    await loadModels(run.name);
    showTab("write", true);
  });
  on("run", name => {
    follow(name);
    $("run").scrollIntoView();
    $("run-name").focus();
  });
  // While something is trained the list is asked for again, also for what others begin.
  let timer = 0;
  on("runs", () => {
    clearTimeout(timer);
    if (shown && page.runs.some(active)) timer = setTimeout(() => loadRuns().catch(() => {}), 5000);
  });
  on("tab", name => {
    shown = name === "train";
    if (!shown) return;
    due();
    trying(async () => {
      await loadRuns();
      const wanted = page.runs.find(active)?.name ?? sessionStorage.getItem("char-rnn run");
      if (!run && page.runs.some(r => r.name === wanted)) {
        $("train-new").open = !page.runs.some(active);
        follow(wanted);
      }
    });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", due);
}
