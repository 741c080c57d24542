"use strict";
// What is not seen, or would change how the page is seen: controls, formats, separators, surrogates.
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const code = c => "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
const sign = c => "\u27e8" + code(c) + "\u27e9";
// A text with signs for all of that but newlines and tabs.
const seen = text => text.replace(UNSEEN, c => c === "\n" || c === "\t" ? c : sign(c));
// A character of a text that is shown as it stands: its newline can be seen, too.
const drawn = c => c === "\n" ? "\u21b5\n" : seen(c);
// What a character is called.
const named = c => {
  if (c === "\n") return "\u21b5";
  if (c === "\t") return "\u21e5";
  if (c === " ") return "\u2423";
  if (/\p{M}/u.test(c)) return "\u25cc" + c + " " + code(c);
  if (/\s/u.test(c)) return code(c);
  return seen(c) !== c || c < "\u007f" ? seen(c) : c + " " + code(c);
};

const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;
const add = (parent, name, text, kind = "") => {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = kind;
  parent.append(made);
  return made;
};
