// The text on the desk: what stands there, where the caret is, and a layer of colour beneath it.
//
// The text is a textarea, so that it can be written in, selected and read out as any other; what is
// painted lies behind it, character by character, in the same font and with the same line breaks.
const desk = {
  chars: [],        // what stands there, by code points
  known: [],        // of each character what the model thought: { nats, top: [{ char, p }, …] }, or undefined
  caret: 0,         // in code points; the character before it is the one that is looked at
  writing: false,   // whether the network writes now

  get text() { return this.chars.join(""); },

  // Let the text be `chars` from place `from` on. known: of these. Tells "text" {from}.
  replace(from, chars, known = []) {
    this.chars.length = this.known.length = from;
    this.append(chars, known);
  },
  // Add to the end; the caret goes along.
  append(chars, known = []) {
    const from = this.chars.length;
    this.known.length = from;  // a spread of a long text is too much for a call
    for (const char of chars) this.chars.push(char);
    for (const one of known) this.known.push(one);
    this.known.length = this.chars.length;
    $("text").value = this.text;
    this.move(this.chars.length);
    tell("text", { from });
    $("text").scrollTop = $("text").scrollHeight;
  },
  // Put another text on the desk, as if it had been typed.
  take(chars, known = []) {
    this.replace(0, chars, known);
    tell("text", { from: 0, typed: true });
  },
  // Put the caret behind `caret` characters. Tells "caret".
  move(caret) {
    this.caret = Math.max(0, Math.min(caret, this.chars.length));
    const at = this.chars.slice(0, this.caret).join("").length;
    $("text").setSelectionRange(at, at);
    tell("caret", this.caret);
  },
  setWriting(writing) {
    this.writing = writing;
    $("text").readOnly = writing;
    tell("writing", writing);
  },
};

// Where the caret is in the textarea, in code points.
const caretThere = () => Array.from($("text").value.slice(0, $("text").selectionStart)).length;
// Somebody typed: find from where on the text is another one.
$("text").addEventListener("input", () => {
  const chars = Array.from($("text").value);
  let from = 0;
  while (from < chars.length && chars[from] === desk.chars[from]) from += 1;
  desk.chars = chars;
  desk.known.length = Math.min(from, desk.known.length);
  desk.known.length = chars.length;
  desk.caret = caretThere();
  if ($("text").value.length === $("text").maxLength) {
    problem(new Problem(400, { message: "The desk holds 100,000 characters; read more on the tab Read." }));
  }
  tell("text", { from, typed: true });
  tell("caret", desk.caret);
});
const caretMoved = () => {
  const caret = caretThere();
  if (caret === desk.caret) return;
  desk.caret = caret;
  tell("caret", caret);
};
document.addEventListener("selectionchange", () => {
  if (document.activeElement === $("text")) caretMoved();
});

// The layer of colour: `paint` gives a background for the character at a place, "" for none.
const layer = {
  paint: () => "",
  spans: [],
  // Draw from place `from` on; all of it where how to paint has changed.
  draw(from = 0) {
    for (const span of this.spans.splice(from)) span.remove();
    const made = desk.chars.slice(from).map((char, i) => {
      const span = make("span", { text: char });
      span.style.background = this.paint(from + i);
      return span;
    });
    this.spans.push(...made);
    $("layer").append(...made);
    $("layer").scrollTop = $("text").scrollTop;
  },
};
on("text", ({ from }) => layer.draw(from));
$("text").addEventListener("scroll", () => { $("layer").scrollTop = $("text").scrollTop; });
