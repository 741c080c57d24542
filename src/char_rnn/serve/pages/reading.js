// What the server tells of each character of a text that changes.
//
// The text is read in pieces, and each goes on from the state behind the one before, which the
// server keeps; so what is typed or written at the end costs as much as it is long. What comes after
// a change is read again.
const PIECE = 1000;
const KEPT = 9 * 60_000;  // milliseconds for which the server surely keeps a state

class Reading {
  // path, more: what is asked. unpack: of an answer and the characters it is about, one thing for
  // each. from: where in `chars` one begins to read, for what lies before is too much.
  constructor(path, more, unpack, from = () => 0) {
    Object.assign(this, { path, more, unpack, from });
    this.forget();
  }
  forget() {
    this.model = page.model?.id;
    this.began = 0;
    this.chars = [];
    this.found = [];  // of each character, or undefined
    this.places = []; // { at, id, used }: where one can go on from, the state there, its last use
  }
  // How many characters at the beginning are the same as those that were read.
  same(chars) {
    const length = Math.min(chars.length, this.found.length);
    let i = 0;
    while (i < length && chars[i] === this.chars[i]) i += 1;
    return i;
  }
  // Read what is new of `chars`. told: is called with from where on more is known, after each piece;
  // when it returns false one stops there.
  async follow(chars, signal, told, anew = false) {
    if (this.model !== page.model.id) this.forget();
    const same = this.same(chars), from = this.from(chars);
    const gone = ({ at, used }) => at > same || Date.now() - used > KEPT;
    while (this.places.length && gone(this.places.at(-1))) this.places.pop();
    if (!this.places.length || this.places.at(-1).at < from) {
      this.forget();
      this.began = from;
    }
    this.chars = chars.slice();
    this.found.length = this.places.at(-1)?.at ?? this.began;
    while (this.found.length < chars.length) {
      const at = this.found.length, piece = chars.slice(at, at + PIECE);
      const answer = await this.ask(piece.join(""), signal, anew);
      if (!answer) return this.follow(chars, signal, told, true);
      this.found.push(...this.unpack(answer, piece));
      this.places.push({ at: this.found.length, id: answer.id, used: Date.now() });
      if (told(at) === false) return;
    }
  }
  // An answer; null where the server has forgotten where we were, and all is read anew, once.
  async ask(text, signal, anew) {
    const place = this.places.at(-1), id = place?.id, begin = id ? { id } : { model: this.model };
    if (place) place.used = Date.now();
    try {
      return await api(this.path, { ...begin, ...this.more, text }, { signal });
    } catch (error) {
      if (anew || error.code !== "state_not_found") throw error;
      this.forget();
      return null;
    }
  }
}

// Of a model of bytes a character is as surprising as all its bytes together; how undecided the
// model was, and what it expected, is told of the first of them.
const scored = ({ nats, entropy, top }, chars) => {
  let at = 0;
  return chars.map(char => {
    const first = at;
    at += width(char);
    const own = nats.slice(first, at);
    return {
      nats: own.includes(null) ? null : own.reduce((sum, n) => sum + n, 0),
      entropy: entropy[first],
      top: top[first],
    };
  });
};
// The units after each character, the last byte of one that is several: { values, scale }.
const inside = ({ values, shape, scale }, chars) => {
  const all = new Int8Array(bytes(values)), units = shape[1];
  let at = 0;
  return chars.map(char => {
    at += width(char);
    return { values: all.subarray((at - 1) * units, at * units), scale };
  });
};

// Which of these characters the model does not know, and how often they stand there.
const unknownIn = chars => {
  const { kind, characters, vocab_size, documents } = page.model.char_rnn;
  if (kind === "bytes" || characters.length + !!documents !== vocab_size) return [];  // or not told
  const known = new Set(characters), counts = new Map();
  for (const char of chars) if (!known.has(char)) counts.set(char, (counts.get(char) ?? 0) + 1);
  return [...counts];
};
const unknownSaid = unknown => {
  const shown = unknown.slice(0, 12).map(([char, count]) =>
    named(char) + (count > 1 ? ` (${count} times)` : ""));
  if (unknown.length > 12) shown.push(`${unknown.length - 12} more`);
  return `${page.model.id} has never seen ${shown.join(", ")}.`;
};
