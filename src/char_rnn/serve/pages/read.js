// Reading: a text that is given, how surprised the model was by it, and where most.
const MOST_READ = 100_000;    // characters
const MOST_STATES = 20_000;   // of which the states are read, which are many numbers each
const MOST_FILE = 2 ** 24;    // bytes of a file that is opened
const BLOCK = 500;            // characters, and to the line's end, that are laid out where they are seen
const PASSAGE = 60, PASSAGES = 8;

const reader = { chars: [], known: [], marks: [], cursor: null, chosen: [], done: false };

const readLens = new Lens($("read-lens"), {
  chars: () => reader.chars,
  known: () => reader.known,
  place: () => Math.max(reader.cursor?.here ?? 0, 0),
  shown: () => !$("read").hidden,
  repaint: (from, to) => {
    const end = Math.min(to, reader.marks.length);
    for (let i = from; i < end; i++) reader.marks[i].style.background = readLens.tint(i);
  },
  goTo: place => {
    reader.cursor?.go(place);
    reader.area?.focus({ preventScroll: true });
  },
  told: () => reading(),
  always: true,
  likely: true,
  most: MOST_STATES,
  open: false,
});

const readNote = (text, ...more) => $("read-note").replaceChildren(text, ...more);

const readText = () => {
  const all = Array.from($("read-text").value), chars = all.slice(0, MOST_READ);
  if (!page.model) return;
  if (!chars.length) {
    readNote("There is nothing to read yet.");
    $("read-text").focus();
    return;
  }
  const unknown = unknownIn(chars);
  if (unknown.length) {
    readNote(unknownSaid(unknown) + " ",
      make("button", { type: "button", text: "Read without", onclick: () => {
        const without = new Set(unknown.map(([char]) => char));
        $("read-text").value = all.filter(char => !without.has(char)).join("");
        readText();
      } }));
    return;
  }
  readNote(all.length > MOST_READ
    ? `The first ${MOST_READ.toLocaleString("en")} of ${all.length.toLocaleString("en")} characters.` : "");
  Object.assign(reader, { chars, known: [], chosen: [], done: false });
  showReader(true);
  drawText();
  readLens.draw();
  readLens.update();
};
// Show what was read, or what is to be.
const showReader = read => {
  for (const id of ["text", "go", "open", "desks"]) $("read-" + id).hidden = read;
  for (const id of ["map", "keys", "lens", "edit", "desk", "part"]) $("read-" + id).hidden = !read;
  $("read-share").hidden = !read;
  $("read-found").hidden = true;
  $("read-share").value = 0;
  $("read-part").disabled = true;
};
const drawText = () => {
  const area = make("pre", { role: "application", "aria-describedby": "read-keys",
    "aria-label": "The text that was read, coloured; the arrow keys go from character to character" });
  let block = add(area, "div", "");
  reader.marks = reader.chars.map(char => {
    if (block.childElementCount >= BLOCK && block.lastChild.textContent.endsWith("\n")) {
      block = add(area, "div", "");
    }
    return add(block, "span", drawn(char), "mark");
  });
  $("read-map").replaceChildren(area);
  reader.area = area;
  reader.cursor = cursor(area, reader.marks, reader.chosen, () => {
    $("read-part").disabled = false;
    readLens.tell();
    say(readLens.describe(reader.cursor.here));
  });
  area.addEventListener("focus", () => {
    if (area.matches(":focus-visible") && reader.cursor.here < 0) reader.cursor.go(0);
  });
  area.focus({ preventScroll: true });
};
// How far it is; at the end what comes of it.
const reading = () => {
  const { chars, known } = reader;
  if (!chars.length || reader.done) return;
  const share = readLens.wrong ? 1 : readLens.scores.found.length / chars.length;
  $("read-share").value = share;
  $("read-share").hidden = share === 1;
  if (readLens.wrong || known.length < chars.length || known.includes(undefined)) return;
  reader.done = true;
  trying(async () => {
    showWorst();
    showLosses({});
    $("read-found").hidden = false;
    const body = { model: page.model.id, text: chars.join("") };
    const { baselines } = await api("/v1/baselines", body);
    if (reader.chars === chars && reader.done) showLosses(baselines);
  });
};

// ---- how well it was known

// The nats a symbol of whoever knows how often each stands in this text.
const frequencies = chars => {
  const counts = new Map(), all = page.model.char_rnn.kind === "bytes" ? utf8.encode(chars.join("")) : chars;
  for (const symbol of all) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  let sum = 0;
  for (const count of counts.values()) sum -= count * Math.log(count / all.length);
  return sum / all.length;
};
const showLosses = baselines => {
  const { chars, known } = reader, { kind, loss } = page.model.char_rnn;
  const told = known.map((k, i) => k.nats == null ? 0 : width(chars[i]));
  const count = told.reduce((a, b) => a + b, 0);
  const own = known.reduce((sum, k) => sum + (k.nats ?? 0), 0) / (count || 1);
  const one = kind === "bytes" ? "byte" : "character", many = count.toLocaleString("en");
  $("read-loss").textContent = `${many} ${one}s were predicted: ${figure(own, 3)} nats, ` +
    `${figure(own / Math.LN2, 3)} bits a ${one}.`;
  const rows = [[`${page.model.id}, this text`, own, "own"]];
  if (loss != null) rows.push([`${page.model.id}, its validation text`, loss, "own"]);
  rows.push(["frequencies", frequencies(chars), ""]);
  for (const [name, nats] of Object.entries(baselines)) rows.push([name, nats, ""]);
  rows.sort((a, b) => a[1] - b[1]);
  const most = rows.at(-1)[1] || 1;
  $("read-losses").replaceChildren(...rows.map(([name, nats, kind]) => {
    const bar = make("div", { class: "loss " + kind });
    bar.style.width = 100 * nats / most + "%";
    return make("tr", {}, make("th", { scope: "row", text: name }), make("td", { class: "wide" }, bar),
      make("td", { text: figure(nats) }), make("td", { text: figure(nats / Math.LN2) }));
  }));
  $("read-losses-are").textContent =
    `uniform: every ${one} alike. frequencies: how often each stands in this text. ` +
    (baselines.zlib ? "zlib, bz2, lzma: this text compressed." :
      "On fewer than 1,000 characters compressors say nothing.");
};

// ---- where it was most surprised

// The beginnings of the windows of the highest mean surprise, none over another; best first.
const worstOf = (chars, nats, length, most) => {
  const sums = [0];
  nats.forEach((n, i) => sums.push(sums[i] + (n ?? 0)));
  const sum = at => sums[at + length] - sums[at];
  const fits = at => at + length <= chars.length;
  const starts = Array.from(chars.keys()).filter(at => fits(at) && (!at || /\s/.test(chars[at - 1])));
  const found = [];
  for (const at of starts.sort((a, b) => sum(b) - sum(a))) {
    if (found.length === most) break;
    if (found.every(other => Math.abs(other - at) >= length)) found.push(at);
  }
  return found;
};
const showWorst = () => {
  const { chars, known, marks } = reader, nats = known.map(k => k.nats);
  const length = Math.min(PASSAGE, chars.length);
  const worst = worstOf(chars, nats, length, PASSAGES);
  reader.chosen.splice(0, Infinity, ...worst.slice().sort((a, b) => a - b));
  for (const at of worst) for (let i = at; i < at + length; i++) marks[i].classList.add("passage");
  $("read-worst").replaceChildren(...worst.map(at => {
    const mean = nats.slice(at, at + length).reduce((sum, n) => sum + (n ?? 0), 0) / length;
    return make("li", {}, make("button", { type: "button", onclick: () => readLens.goTo(at) },
      make("b", { text: figure(mean) }), " ", make("span", { text: seen(chars.slice(at, at + length)
        .join("").replace(/\n+/g, " ↵ ").trim()) })));
  }));
};

// ---- where texts come from and go to

const readFile = file => trying(async () => {
  if (file.size > MOST_FILE) {
    return readNote(`${file.name} is ${(file.size / 2 ** 20).toFixed(0)} MiB; ` +
      `at most ${MOST_FILE / 2 ** 20} MiB are opened here.`);
  }
  const text = (await file.text()).replace(/\r\n?/g, "\n").replace(/^\ufeff/, "");
  if (text.includes("\0")) return readNote(`${file.name} is no text.`);
  showReader(false);
  $("read-text").value = text;
  readText();
});
$("read-go").onclick = readText;
$("read-text").onkeydown = event => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  readText();
};
$("read-edit").onclick = () => {
  Object.assign(reader, { chars: [], known: [], marks: [], cursor: null });
  readLens.quit?.abort();
  $("read-map").replaceChildren();
  readNote("");
  showReader(false);
  $("read-text").focus();
  $("read-text").select();
};
$("read-desks").onclick = () => {
  $("read-text").value = desk.text;
  readText();
};
$("read-open").onclick = () => $("read-file").click();
$("read-file").onchange = () => {
  if ($("read-file").files.length) readFile($("read-file").files[0]);
  $("read-file").value = "";
};
$("read").ondragover = event => {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
};
$("read").ondrop = event => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  readFile(event.dataTransfer.files[0]);
};
const toDesk = end => {
  if (desk.writing) return readNote("The network writes on the desk; stop it first.");
  desk.take(reader.chars.slice(0, end), reader.known.slice(0, end));
  showTab("write");
  $("text").focus();
};
$("read-desk").onclick = () => toDesk(reader.chars.length);
$("read-part").onclick = () => toDesk(reader.cursor.here + 1);
on("tab", name => { if (name === "read") readLens.update(); });
on("model", () => { if (reader.chars.length) readText(); });
