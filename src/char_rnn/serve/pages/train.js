// Training: a text is chosen and a run begun.
page.runs = [];        // as GET /v1/runs has them
page.training = undefined;  // { minutes } that this server allows, null where it trains nothing

const active = run => run.status === "running" || run.status === "stopping";
// The list of runs anew. Tells "runs".
const loadRuns = async () => {
  const { data, training } = await api("/v1/runs");
  page.runs = data;
  page.training = training;
  tell("runs");
};

{
  const MOST_BYTES = 2 ** 24;
  const STOPS = [.1, .25, .5, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 480, 720, 1440];
  let stops = STOPS, given = null, ownName = false;  // given: { name, text } of a file

  const refuse = (said, at) => {
    $("train-refused").hidden = !said;
    $("train-refused").textContent = said ?? "";
    for (const id of ["train-name", "train-minutes", "train-text"]) $(id).removeAttribute("aria-invalid");
    at?.setAttribute("aria-invalid", "true");
    if (said) at?.focus();
  };
  const taken = name => page.runs.some(r => r.name === name) || page.models.some(m => m.id === name);
  // A name that a run may have, made from that of a file.
  const nameOf = file => {
    const plain = file.normalize("NFD").replace(/\.\w{1,5}$/, "").replace(/\p{M}/gu, "")
      .replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+|[-_.]+$/g, "").slice(0, 60) || "mine";
    const name = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(plain) ? "my-" + plain : plain;
    let k = 2, found = name;
    while (taken(found)) found = name + "-" + k++;
    return found;
  };
  const suggest = () => {
    if (!ownName) $("train-name").value = nameOf(given?.name ?? ($("train-from").value || "mine"));
  };
  const describe = () => {
    const own = $("train-from").value === "", text = given ? given.text : $("train-text").value;
    $("train-text").hidden = !own;
    const all = new Set();
    let count = 0;
    if (own) for (const char of text) { all.add(char); count += 1; }
    $("train-about").textContent = count
      ? `${given ? given.name + ": " : ""}${inWhole(count)} characters, ${all.size} different`
      : "or drop one here";
  };
  const take = async file => {
    refuse(null);
    if (!file) return;
    if (file.size > MOST_BYTES) return refuse(`${file.name} has ${inWhole(file.size)} bytes; the page takes ${inWhole(MOST_BYTES)} at most. char-rnn train reads larger ones.`);
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch {
      return refuse(`${file.name} is not UTF-8 text. Save it as UTF-8 in an editor, and choose it again.`);
    }
    if (Array.from(text.slice(0, 9)).length < 2) return refuse(`${file.name} has nothing to learn in it.`);
    given = { name: file.name, text };
    $("train-from").value = "";
    const most = 2000;
    $("train-text").value = text.length > most ? text.slice(0, most) + "…" : text;
    $("train-text").readOnly = true;
    describe();
    suggest();
    say($("train-about").textContent);
  };
  $("train-choose").onclick = () => $("train-file").click();
  $("train-file").onchange = event => { take(event.target.files[0]); event.target.value = ""; };
  const forget = () => {
    if (!given) return;
    given = null;
    $("train-text").value = "";
    $("train-text").readOnly = false;
  };
  $("train-from").onchange = () => { forget(); describe(); suggest(); refuse(null); };
  $("train-text").oninput = () => { describe(); suggest(); };
  $("train-name").oninput = event => { ownName = event.target.value !== ""; };
  const section = $("train"), files = event => event.dataTransfer?.types.includes("Files");
  section.addEventListener("dragover", event => {
    if (!files(event)) return;
    event.preventDefault();
    section.classList.add("dropping");
  });
  section.addEventListener("dragleave", event => {
    if (!section.contains(event.relatedTarget)) section.classList.remove("dropping");
  });
  section.addEventListener("drop", event => {
    section.classList.remove("dropping");
    if (!files(event)) return;
    event.preventDefault();
    $("train-new").open = true;
    take(event.dataTransfer.files[0]);
  });

  const minutesSaid = m => m < 1 ? `${figures(m * 60)} seconds` : `${figures(m)} minute${m === 1 ? "" : "s"}`;
  const slide = () => {
    const minutes = +$("train-minutes").value;
    const at = stops.findLastIndex(s => s <= minutes);
    $("train-slider").value = Math.max(at, 0);
    $("train-slider").setAttribute("aria-valuetext", minutesSaid(minutes));
  };
  $("train-slider").oninput = () => {
    $("train-minutes").value = stops[$("train-slider").value];
    slide();
  };
  $("train-minutes").oninput = slide;

  const settings = () => {
    const found = {};
    for (const field of $("train-settings").querySelectorAll("[name]")) {
      if (field.type === "checkbox" ? !field.checked : field.value === "") continue;
      found[field.name] = field.type === "checkbox" ? true : field.type === "number" ? +field.value : field.value;
    }
    return found;
  };
  // What can be seen to be wrong from here.
  const wrong = name => {
    const own = $("train-from").value === "";
    if (own && !given && $("train-text").value.length < 2) return ["Paste a text, choose a file or drop one here.", $("train-text")];
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)) return ["A name has letters, digits, _, - and . of ASCII, and begins with a letter or digit.", $("train-name")];
    if (taken(name)) return [`There is a run or a model “${name}” already; take another name.`, $("train-name")];
    const minutes = +$("train-minutes").value, most = page.training?.minutes ?? Infinity;
    if (!(minutes > 0)) return ["Say how many minutes.", $("train-minutes")];
    if (minutes > most) return [`This server trains for ${minutesSaid(most)} at most.`, $("train-minutes")];
    const bad = [...$("train-settings").querySelectorAll("[name]")].find(field => !field.checkValidity());
    if (bad) return [`${bad.name}: ${bad.validationMessage}`, bad];
    const other = page.runs.find(active);
    if (other) return [`“${other.name}” is being trained, and there is one run at a time. Stop it, or wait until it has ended.`];
    return null;
  };
  $("train-form").onsubmit = async event => {
    event.preventDefault();
    refuse(null);
    const name = $("train-name").value.trim(), from = $("train-from").value;
    $("train-start").disabled = true;
    try {
      await loadRuns();
      const found = wrong(name);
      if (found) return refuse(...found);
      const text = from ? { builtin: from } : { text: given ? given.text : $("train-text").value };
      const body = { name, ...text, minutes: +$("train-minutes").value, settings: settings() };
      await api("/v1/runs", body);
      ownName = false;
      $("train-new").open = false;
      tell("run", name);
      await loadRuns();
    } catch (error) {
      if (!(error instanceof Problem)) return problem(error);
      refuse(error.message, { name: $("train-name"), minutes: $("train-minutes"), text: $("train-text") }[error.param]);
    } finally {
      $("train-start").disabled = false;
    }
  };
  on("runs", () => {
    $("train-no").hidden = page.training !== null;
    $("train-new").hidden = page.training === null;
    const most = page.training?.minutes ?? 0;
    stops = [...STOPS.filter(s => s < most), most];
    $("train-slider").max = stops.length - 1;
    $("train-minutes").max = most;
    if (!taken($("train-name").value) && $("train-name").value) return;
    suggest();
  });
  on("runs", slide);
}
