// How it writes: sliders, each with a number that can be typed, and kept until the next visit.
const FASTEST = 2000;  // characters a second; the slider's end, from which on nothing slows it down
const KNOBS = {
  temperature: { says: "Temperature", least: 0, most: 2, step: .05, value: .8, typed: 10 },
  top_p: { says: "Top-p", least: .05, most: 1, step: .01, value: 1 },
  min_p: { says: "Min-p", least: 0, most: .5, step: .01, value: 0, typed: 1 },
  length: { says: "Length", least: 10, most: 10_000, value: 500, log: true, typed: 100_000 },
  pace: { says: "Speed", unit: "characters a second", least: 2, most: FASTEST, value: 40, log: true },
};
const knobs = {};  // their values, by name

const knob = (name, { says, least, most, step = 1, value, log, typed = most, unit = false }) => {
  const STOPS = 100;  // of a slider whose steps are ratios
  const place = v => log ? STOPS * Math.log(v / least) / Math.log(most / least) : v;
  const at = p => log ? roundFigures(least * (most / least) ** (p / STOPS)) : +p;
  const range = make("input", { type: "range", "aria-label": says, ...log
    ? { min: 0, max: STOPS, step: 1 } : { min: least, max: most, step } });
  const number = make("input", { type: "number", "aria-label": `${says}, as a number`, title: unit,
    min: least, max: typed, step: log ? 1 : "any", id: "knob-" + name });
  const set = v => {
    knobs[name] = Math.min(Math.max(v, least), typed);
    range.value = place(Math.min(knobs[name], most));
    range.setAttribute("aria-valuetext", unit ? `${knobs[name]} ${unit}` : knobs[name]);
    number.value = knobs[name];
  };
  range.oninput = () => set(at(range.value));
  range.onchange = () => turned(name);
  number.onchange = () => {
    set(number.value === "" || !Number.isFinite(+number.value) ? value : +number.value);
    turned(name);
  };
  set(value);
  return { set, row: make("div", { class: "knob" }, make("span", { text: says }), range, number) };
};
const roundFigures = v => +v.toPrecision(2);

const turned = name => {
  store("localStorage", "char-rnn knobs", { ...knobs, seed: $("seed").value });
  tell("knob", name);
};
// What a browser keeps for us, where it does.
const store = (where, name, value) => {
  try {
    window[where].setItem(name, JSON.stringify(value));
  } catch { /* then it is only not kept */ }
};
const stored = (where, name) => {
  try {
    return JSON.parse(window[where].getItem(name));
  } catch {
    return null;
  }
};

{
  const made = Object.entries(KNOBS).map(([name, about]) => [name, knob(name, about)]);
  $("knobs").prepend(...made.map(([, { row }]) => row));
  const before = stored("localStorage", "char-rnn knobs") ?? {};
  for (const [name, { set }] of made) if (Number.isFinite(before[name])) set(before[name]);
  if (/^\d{1,15}$/.test(before.seed)) $("seed").value = before.seed;
  $("seed").onchange = () => turned("seed");
}
