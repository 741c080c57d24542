// What colours a text: scales, the names of what is in a unit, what a unit may follow.
//
// Blue and orange can be told apart by whoever sees no red or green; how much is how opaque it is;
// and what is coloured can be read as a number, too.

const figure = (value, digits = 2) => value.toFixed(digits).replace("-", "\u2212");
const percent = p => (100 * p).toFixed(p < .1 ? 1 : 0) + " %";
// How opaque a share is, so that small ones can be seen, too; and its colour: orange for shares up
// to 1, blue down to -1, none for 0.
const opaque = share => Math.abs(share) ** .75;
const tint = share => share
  ? `rgb(var(--${share < 0 ? "low" : "high"}) / calc(${opaque(share).toFixed(2)} * var(--most)))` : "";
const within = (value, least, most) => Math.min(Math.max(value, least), most);

// What colours a text: share of a value, from -1 to 1; ticks: [share, what stands there].
const CALM = .5, WILD = 6, UNSURE = 4;  // nats
const SCALES = {
  surprise: {
    share: n => within((n - CALM) / (WILD - CALM), 0, 1),
    ticks: [CALM, 2, 4, WILD].map(n =>
      [(n - CALM) / (WILD - CALM), (n === CALM ? "\u2264 " : n === WILD ? "\u2265 " : "") + n]),
    says: "Orange: what the model did not expect; surprise in nats.",
  },
  entropy: {
    share: n => -within(n / UNSURE, 0, 1),
    ticks: [0, 1, 2, 3, UNSURE].map(n => [-n / UNSURE, (n === UNSURE ? "\u2265 " : "") + n]),
    says: "Blue: where the model was undecided about what comes; entropy in nats.",
  },
};
// A round number that is not below `most`, so that a scale does not move with every character.
const roundUp = most => {
  const ten = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map(n => n * ten).find(n => n >= most);
};
const GATES = "iforz";  // which are between 0 and 1
const scaleOf = (part, found) => {
  if (GATES.includes(part)) {
    return { says: "Blue: shut; orange: open.", share: v => within(2 * v - 1, -1, 1), ticks: [[-1, "0 shut"], [0, "½"], [1, "1 open"]] };
  }
  if (part === "c") {  // which may count; the output gate lets its tanh out
    return { says: "Blue: below zero; orange: above.", share: v => Math.tanh(v), ticks: [[-1, "\u2264 −2"], [0, "0"], [1, "\u2265 2"]] };
  }
  const most = roundUp(Math.max(1, 127 * found.reduce((m, f) => Math.max(m, f.scale), 0) - .01));
  return { most, says: "Blue: below zero; orange: above.", share: v => within(v / most, -1, 1), ticks: [[-1, "−" + most], [0, "0"], [1, "" + most]] };
};

const INSIDE = { rnn: ["h"], gru: ["h", "r", "z", "n"], lstm: ["h", "c", "i", "f", "g", "o"] };
const MEANS = {
  h: "state", c: "cell", i: "input gate", f: "forget gate", g: "new content",
  o: "output gate", r: "reset gate", z: "update gate", n: "new content",
};
const SAYS = {
  h: "what is handed on to the next character, and to the layer above",
  c: "what is remembered inside; coloured by tanh c",
  i: "how much of the new content is let in",
  f: "how much of the cell is kept",
  g: "what might be added to the cell",
  o: "how much of the cell is shown",
  r: "how much of the old state the new content sees",
  z: "how much of the old state is kept",
  n: "what the state might become",
};

// What a unit may follow: of a text, a number for each character.
const placeIn = inside => chars => {
  let place = 0;
  return chars.map(char => { place = inside(char) ? place + 1 : 0; return place; });
};
const FOLLOWED = [
  ["the place in the line", placeIn(char => char !== "\n")],
  ["the place in the word", placeIn(char => /[\p{L}\p{N}'’]/u.test(char))],
  ["spaces", chars => chars.map(char => +(char === " "))],
  ["line ends", chars => chars.map(char => +(char === "\n"))],
  ["capital letters", chars => chars.map(char => +/\p{Lu}/u.test(char))],
  ["vowels", chars => chars.map(char => +/[aeiouyäöü]/i.test(char))],
  ["double quotes", chars => {
    let open = 0;
    return chars.map(char => {
      open = char === "“" ? 1 : char === "”" || char === "\n" ? 0 : char === '"' ? 1 - open : open;
      return open;
    });
  }],
];
// How each unit goes with `wanted` (T,) at the places that `rows` (T of { values, scale }) are of:
// the correlation; the standard deviation where nothing is wanted.
const goesWith = (rows, wanted) => {
  const units = rows[0].values.length, T = rows.length;
  const sum = new Float64Array(units), squares = new Float64Array(units), both = new Float64Array(units);
  const mean = wanted ? wanted.reduce((a, b) => a + b, 0) / T : 0;
  let spread = 0;
  rows.forEach(({ values, scale }, t) => {
    const w = wanted ? wanted[t] - mean : 0;
    spread += w * w;
    for (let u = 0; u < units; u++) {
      const v = values[u] * scale;
      sum[u] += v, squares[u] += v * v, both[u] += v * w;
    }
  });
  return Array.from(sum, (s, u) => {
    const varies = Math.max(squares[u] - s * s / T, 0);
    return wanted ? both[u] / (Math.sqrt(varies * spread) || Infinity) : Math.sqrt(varies / T);
  });
};

