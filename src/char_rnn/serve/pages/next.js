// What the network expects at the caret: in place of the character before it, and after it.
//
// At the end it reads along as one types: the server keeps the state behind what it has read, and
// only what is new is sent. While it writes, what it expects is on the page before the character is.
const MOST_BEFORE = 4000;

const expecting = {
  chars: null, id: null, model: null, used: 0,  // what was read last, the state behind it, by whom, when
  async after(chars) {
    const model = page.model.id, fresh = this.model === model && Date.now() - this.used < KEPT;
    const known = this.id && fresh && this.chars.length <= chars.length &&
      chars.length - this.chars.length < MOST_BEFORE && this.chars.every((char, i) => char === chars[i]);
    const text = chars.slice(known ? this.chars.length : -MOST_BEFORE).join("");
    const from = known ? { id: this.id } : { model };
    try {
      const { id, candidates } = await api("/v1/next", { ...from, text, top: LIKELY });
      Object.assign(this, { chars, id, model, used: Date.now() });
      return candidates;
    } catch (error) {
      if (!known || error.code !== "state_not_found") throw error;
      this.id = null;  // it was too long ago
      return this.after(chars);
    }
  },
};

class Bars {
  // root: a list. choose: what is done with a character that somebody chooses.
  constructor(root, choose) {
    this.rows = Array.from({ length: LIKELY }, (_, k) => {
      const char = make("span"), share = make("span");
      const button = make("button", { type: "button", onclick: () => choose(this.shown[k]),
        onkeydown: event => this.walk(event, k) }, char, share);
      root.append(make("li", {}, button));
      return { button, char, share };
    });
    this.show([]);
  }
  // top: candidates, likeliest first; is: the character that stands there.
  show(top, is) {
    this.shown = top;
    this.rows.forEach(({ button, char, share }, k) => {
      const found = top[k];
      button.parentNode.hidden = !found;
      if (!found) return;
      char.textContent = found.char.length > 2 ? found.char : named(found.char);
      share.textContent = percent(found.p);
      button.style.setProperty("--p", 100 * found.p + "%");
      button.classList.toggle("is", found.char === is);
      button.disabled = desk.writing || Array.from(found.char).length > 1;  // an end, a part of a character
    });
  }
  walk(event, k) {
    const to = { ArrowDown: k + 1, ArrowUp: k - 1, Home: 0, End: this.shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.rows[within(to, 0, this.shown.length - 1)].button.focus();
  }
}

const instead = new Bars($("instead"), found => choose(desk.caret - 1, found));
const after = new Bars($("after"), found => choose(desk.caret, found));
{
  let asked = new Map();  // place to candidates, of the text as it is
  const topAt = place => desk.known[place]?.top ?? asked.get(place);
  const show = () => {
    const { caret, chars } = desk, before = chars[caret - 1];
    $("instead-said").textContent = before === undefined ? "Instead" : `Instead of ${named(before)}`;
    $("after-said").textContent = caret < chars.length ? "After it" : "What comes next";
    $("instead").dataset.place = caret - 1;
    instead.show((caret && topAt(caret - 1)) || [], before);
    after.show((desk.writing && desk.ahead) || topAt(caret) || [], chars[caret]);
  };
  let asking = false;
  // Ask for what is not known at the caret; one at a time, and always for what stands there then.
  const ask = async () => {
    if (asking || desk.writing || !page.model || $("write").hidden) return;
    asking = true;
    try {
      for (;;) {
        const { caret, chars } = desk, text = asked, model = page.model;
        // What lies before the end is mostly read for its colour already, or soon is.
        const far = caret < chars.length - MOST_BEFORE ? [caret - 1] : [];
        const place = [caret, ...far].find(p => p >= 0 && !topAt(p));
        if (place === undefined || desk.writing || unknownIn(chars.slice(0, place)).length) break;
        const found = await expecting.after(chars.slice(0, place));
        if (text === asked && model === page.model) text.set(place, found);
        show();
      }
    } catch (error) {
      problem(error);
    } finally {
      asking = false;
    }
  };
  const look = () => { show(); ask(); };
  on("text", ({ from }) => {
    asked = new Map([...asked].filter(([place]) => place <= from));
    look();
  });
  on("known", show);
  on("caret", look);
  on("writing", look);
  on("tab", look);
  on("model", () => {
    asked = new Map();
    look();
  });
}
