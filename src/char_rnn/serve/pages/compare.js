// All runs in a table; those that are ticked are compared in one chart.
{
  const REFRESH = 5000, SERIES = 6;
  const ticked = new Map();  // name → { kind, curves }: its colour's class; null until they are there
  const comparison = chart($("compare-chart"), { name: "Validation loss", height: 260, format: inNats, ends: true });
  let time = false, timer = 0, watched = null;

  const loss = r => r.best?.val_loss ?? r.validation?.val_loss ?? r.loss?.loss;
  const minutes = r => r.loss ? figures((r.loss.elapsed ?? r.loss.seconds) / 60, 2) : "–";
  const text = r => [r.text, r.characters ? inWhole(r.characters) + " characters" : ""].filter(Boolean).join(", ");

  // A colour that the fewest have.
  const free = () => {
    const used = k => [...ticked.values()].filter(t => t.kind === `series-${k}`).length;
    const all = [...Array(SERIES).keys()];
    return `series-${all.reduce((a, b) => used(b) < used(a) ? b : a)}`;
  };
  const row = r => {
    const tick = make("input", {
      type: "checkbox", "aria-label": `Compare ${r.name}`, checked: ticked.has(r.name),
      onchange: event => {
        if (event.target.checked) ticked.set(r.name, { kind: free(), curves: null });
        else ticked.delete(r.name);
        trying(compare);
      },
    });
    return make("tr", { "data-name": r.name, "aria-current": r.name === watched && "true" },
      make("td", {}, tick),
      make("td", {}, make("button", { type: "button", class: "link", text: r.name, onclick: () => tell("run", r.name) })),
      make("td", {}, make("span", { class: "badge", text: r.status, "data-is": r.status })),
      make("td", { text: inNats(loss(r)) }), make("td", { text: minutes(r) }),
      make("td", { class: "roomy faint", text: text(r) }));
  };
  // The rows anew, the focus staying where it is.
  const list = () => {
    $("runs").hidden = !page.runs.length;
    const rows = $("runs-rows"), focus = document.activeElement;
    const name = rows.contains(focus) ? focus.closest("tr").dataset.name : null, kind = focus?.tagName;
    const newest = [...page.runs].sort((a, b) => b.created - a.created);
    rows.replaceChildren(...newest.map(row));
    if (name) [...rows.children].find(r => r.dataset.name === name)?.querySelector(kind)?.focus();
  };

  // ---- the comparison

  const fetchCurves = async () => {
    for (const name of ticked.keys()) {
      const run = page.runs.find(r => r.name === name);
      if (ticked.get(name).curves && !(run && active(run))) continue;
      const found = await api(`/v1/runs/${name}/curves`);
      if (ticked.has(name)) ticked.get(name).curves = found;
    }
  };
  const compare = async () => {
    $("compare").hidden = !ticked.size;
    await fetchCurves();
    draw();
    clearTimeout(timer);
    const goes = page.runs.some(r => active(r) && ticked.has(r.name));
    if (goes && !$("train").hidden) timer = setTimeout(() => trying(compare), REFRESH);
  };
  const draw = () => {
    const series = [], without = [];
    for (const [name, { kind, curves: found }] of ticked) {
      if (!found) continue;
      const validated = found.validation.length > 1, points = validated ? found.validation : found.train;
      if (!validated && points.length) without.push(name);
      series.push({ name, kind, dots: true, xs: points.map(p => p[time ? 1 : 0]), ys: points.map(p => p[2]) });
    }
    comparison.show({ series }, time);
    $("compare-what").textContent = without.length ? `Of ${without.join(", ")} the training loss is drawn.` : "";
  };
  for (const [id, seconds] of [["by-iteration", false], ["by-time", true]]) {
    $(id).onclick = () => {
      time = seconds;
      for (const other of ["by-iteration", "by-time"]) $(other).setAttribute("aria-pressed", other === id);
      draw();
    };
  }
  on("runs", list);
  on("runs", () => { if (ticked.size) trying(compare); });
  on("run", name => { watched = name; list(); });
}
