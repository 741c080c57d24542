// Writing: what stands on the desk is gone on with, and one watches; every way it went stays.
let tree = new Tree();

// ---- the way back

const MOST_PAST = 100, MOST_KEPT = 2_000_000;  // steps, and characters in all of them
const BURST = 1000;  // milliseconds of typing that are undone at once
const past = [], future = [];
const now = () => ({
  branch: tree.here, chars: desk.chars.slice(), known: desk.known.slice(), caret: desk.caret,
});
let present = now(), typedAt = -Infinity;

// Note what stands on the desk now. together: with what was noted last, it is one step.
const remember = together => {
  if (!together) {
    past.push(present);
    let size = 0;
    const enough = past.findLastIndex(({ chars }) => (size += chars.length) > MOST_KEPT);
    past.splice(0, Math.max(past.length - MOST_PAST, enough + 1));
  }
  future.length = 0;
  typedAt = -Infinity;
  present = now();
  shown();
};
const step = (from, to) => {
  if (!from.length || desk.writing) return;
  to.push(present);
  present = from.pop();
  const { branch, chars, known, caret } = present;
  leave();
  tree.here = branch;
  put(chars, known, caret);
  tree.keep(chars, known);
  typedAt = -Infinity;
  shown();
};
const undo = () => step(past, future), redo = () => step(future, past);

// What the model thought came in since: it is kept with the branch.
const leave = () => tree.keep(desk.chars, desk.known);
// Let the desk show another text, as little of it anew as differs.
const put = (chars, known, caret = chars.length) => {
  let from = 0;
  while (from < chars.length && chars[from] === desk.chars[from]) from += 1;
  desk.replace(from, chars.slice(from), known.slice(from));
  desk.move(caret);
};
const goTo = branch => {
  if (desk.writing || branch === tree.here) return;
  leave();
  tree.here = branch;
  const { chars, known } = tree.textOf(branch);
  put(chars, known);
  remember();
};

on("text", ({ from, typed }) => {
  if (!typed) return;
  const before = tree.here, time = performance.now();
  tree.typed(from);
  tree.keep(desk.chars, desk.known);
  remember(before === tree.here && time - typedAt < BURST);
  typedAt = time;
});

// ---- writing

let quit = null, again = false;

// Go on from a place. first: a character that is put there, with what was thought of it.
const write = async (place, first) => {
  if (desk.writing || !page.model) return;
  const chars = desk.chars.slice(Math.max(0, place - MOST_PROMPT), place);
  const unknown = unknownIn(first ? [...chars, first.char] : chars);
  if (unknown.length) return problem(new Problem(400, { message: unknownSaid(unknown) }));
  problem(null);
  leave();
  const more = first && { instead: desk.chars[place] };
  tree.branch(place, first ? "chosen" : "written", more);
  desk.replace(place, first ? [first.char] : [], first ? [first.known] : []);
  if (first && !$("then-go").checked) return wrote();
  desk.setWriting(true);
  try {
    const began = desk.chars.length;
    let reason;
    do {  // anew where somebody turned a knob
      again = false;
      reason = await writeOn(knobs.length - (desk.chars.length - began));
    } while (again && desk.chars.length - began < knobs.length);
    const count = (desk.chars.length - began).toLocaleString("en");
    $("written").textContent = `${count} characters` + (reason === "stop" ? "; there it ends the text." : ".");
  } catch (error) {
    problem(error);
  } finally {
    desk.ahead = null;
    desk.setWriting(false);
    wrote();
  }
};
// Write so many characters as the knobs are now; return why it ended.
const writeOn = async count => {
  quit = new AbortController();
  const { temperature, top_p, min_p } = knobs, seed = $("seed").value;
  const body = {
    model: page.model.id, prompt: promptOf(desk.chars), max_tokens: count,
    temperature, top_p, min_p, ...(seed !== "" && { seed: +seed }), stream: true, logprobs: LIKELY,
  };
  const writing = new Writing(body, quit.signal);
  try {
    const pace = () => knobs.pace >= FASTEST ? 1e9 : knobs.pace;
    for await (const some of writing.frames(pace, quit.signal)) {
      desk.ahead = writing.waiting[0]?.known.top;
      if (some.length) desk.append(some.map(({ char }) => char), some.map(({ known }) => known));
    }
  } finally {
    quit.abort();
  }
  return writing.reason;
};
const wrote = () => {
  leave();
  if (!tree.here.chars.length && tree.here.parent) {  // nothing came
    const empty = tree.here;
    tree.remove(empty);
    const { chars, known } = tree.textOf(tree.here);
    put(chars, known);
    return shown();
  }
  remember();
  say(`${tree.here.chars.length} characters were written.`);
};
const stop = () => quit?.abort();
const choose = (place, { char, p }) => {
  const top = desk.known[place]?.top ?? after.shown;
  write(place, { char, known: { nats: -Math.log(p), top } });
};
on("knob", name => {
  if (!desk.writing || name === "pace") return;
  again = true;
  stop();
});
on("model", () => {
  again = false;
  stop();
  tree.forget();
  for (const { known } of [...past, present, ...future]) known.fill(undefined);
});

// ---- what is shown of it

const MOST_NAME = 40;
const quoted = chars => {
  const text = seen(chars.slice(0, MOST_NAME).join("")).replace(/\s+/g, " ").trim();
  return `“${text}${chars.length > MOST_NAME ? "…" : ""}”`;
};
const nameOf = ({ how, chars, instead, parent }) => {
  if (!chars.length) return parent ? "empty" : "the beginning";
  if (how !== "chosen") return `${how} ${quoted(chars)}`;
  const for_ = instead === undefined ? "" : ` instead of ${named(instead)}`;
  return `${named(chars[0])}${for_} ${quoted(chars)}`;
};
const shown = () => {
  $("undo").disabled = desk.writing || !past.length;
  $("redo").disabled = desk.writing || !future.length;
  const all = [...tree.all()], focused = document.activeElement?.parentNode === $("tree");
  $("branches").hidden = all.length < 2;
  const items = all.map(([branch, depth]) => {
    const here = branch === tree.here;
    const made = make("li", { role: "treeitem", "aria-level": depth + 1, "aria-selected": String(here),
      tabindex: here ? 0 : -1, text: nameOf(branch), title: `at ${branch.at}`, onclick: () => goTo(branch) });
    made.style.marginLeft = Math.min(depth, 8) * .7 + "rem";
    made.branch = branch;
    return made;
  });
  $("tree").replaceChildren(...items);
  const here = items.find(item => item.branch === tree.here);
  if (focused) here.focus();
  const { offsetTop: top, offsetHeight: height } = here, box = $("tree");
  box.scrollTop = within(box.scrollTop, top + height - box.offsetTop - box.clientHeight, top - box.offsetTop);
};
$("tree").addEventListener("keydown", event => {
  const items = [...$("tree").children], at = items.indexOf(event.target);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) items[within(to, 0, items.length - 1)].focus();
  else if (event.key === "Enter" || event.key === " ") goTo(event.target.branch);
  else if (event.key === "Delete" && !desk.writing && event.target.branch.parent) takeAway(event.target.branch);
  else return;
  event.preventDefault();
});
const takeAway = branch => {
  leave();
  tree.remove(branch);
  past.length = future.length = 0;  // they may lead into it
  const { chars, known } = tree.textOf(tree.here);
  put(chars, known);
  present = now();
  shown();
};
const caretSaid = () => {
  $("go").textContent = desk.caret < desk.chars.length ? "Go on from the caret" : "Go on";
};
on("caret", caretSaid);
on("text", caretSaid);
on("writing", writing => {
  $("go").disabled = writing;
  $("stop").disabled = !writing;
  if (writing) $("written").textContent = "Writing …";
});

// ---- buttons and keys

$("go").onclick = () => write(desk.caret);
$("stop").onclick = stop;
$("undo").onclick = undo;
$("redo").onclick = redo;
$("clear").onclick = () => {
  if (desk.writing || !desk.chars.length) return;
  leave();
  tree.branch(0, "typed");
  desk.replace(0, []);
  remember();
  $("text").focus();
};
$("copy").onclick = () => trying(async () => {
  if (navigator.clipboard) await navigator.clipboard.writeText(desk.text);
  else {  // a page that came over a network without TLS has none
    const { caret } = desk;
    $("text").select();
    document.execCommand("copy");
    desk.move(caret);
  }
  say("Copied.");
});
$("save").onclick = () => {
  const href = URL.createObjectURL(new Blob([desk.text], { type: "text/plain" }));
  make("a", { href, download: `${page.model?.id ?? "text"}.txt` }).click();
  setTimeout(() => URL.revokeObjectURL(href));
};
$("write").addEventListener("keydown", event => {
  const ctrl = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
  const typing = event.target.matches("input[type=number]");
  if (key === "escape" && desk.writing) stop();
  else if (ctrl && key === "enter") write(desk.caret);
  else if (ctrl && !typing && (key === "y" || (key === "z" && event.shiftKey))) redo();
  else if (ctrl && !typing && key === "z") undo();
  else return;
  event.preventDefault();
});

// What was made stays over a reload of the page.
addEventListener("pagehide", () => {
  leave();
  const saved = tree.saved();
  const size = saved.branches.reduce((sum, { text }) => sum + text.length, 0);
  if (size < MOST_KEPT) store("sessionStorage", "char-rnn tree", saved);
});
{
  const saved = stored("sessionStorage", "char-rnn tree");
  if (saved?.branches?.length) {
    tree = Tree.of(saved);
    const { chars, known } = tree.textOf(tree.here);
    put(chars, known);
  }
  present = now();
  shown();
}
