// A lens on a text: what colours its characters, the controls that choose it, the numbers in words.
const MODES = ["none", "surprise", "entropy", "unit"];
const WARM = 50;  // characters after which it hardly matters that one did not begin at the beginning
let lenses = 0;

class Lens {
  // root: where the controls are put. of: what is looked at, and how it is shown:
  //   chars(), known() as the desk has them, place() of the character that is told of,
  //   from(chars) where one begins to read, most characters of which the states are read,
  //   shown() whether anybody looks, repaint(from, to), goTo(place), told() when the numbers change,
  //   open whether the strip is seen at first, always whether all is scored whatever is coloured,
  //   likely whether what was expected is told, too
  constructor(root, of) {
    Object.assign(this, { most: Infinity, from: () => 0, told: () => {}, ...of });
    Object.assign(this, { mode: "surprise", layer: 0, part: "h", unit: 0, by: null, parts: ["h"] });
    this.scores = new Reading("/v1/score", {}, scored, this.from);
    this.look();
    this.build(root);
    on("model", () => this.changeModel());
  }

  // ---- controls

  build(root) {
    const name = "lens-" + lenses++;
    const choice = MODES.map(mode => make("label", {},
      make("input", { type: "radio", name, value: mode, checked: mode === this.mode,
        onchange: () => this.choose({ mode }) }), make("span", { text: mode })));
    const select = (label, onchange, ...options) => {
      const made = make("select", { onchange: () => onchange(made.value) }, ...options);
      return [made, make("label", { text: label + " " }, made)];
    };
    const [layers, layer] = select("Layer", value => this.choose({ layer: +value, by: null }));
    const [inner, part] = select("its", value => this.choose({ part: value, by: null }));
    const [finds] = select("", value => this.find(value),
      make("option", { value: "", text: "Find a unit that …" }),
      make("option", { value: "varies", text: "varies most" }),
      ...FOLLOWED.map(([what]) => make("option", { value: what, text: "follows " + what })));
    finds.setAttribute("aria-label", "Find a unit");
    const flip = by => this.choose({ unit: (this.unit + by + this.units) % this.units, by: null });
    const turn = (text, says, by) =>
      make("button", { type: "button", text, "aria-label": says, onclick: () => flip(by) });
    const canvas = make("canvas", { role: "img" });
    Object.assign(this, {
      layers, inner, finds,
      strip: new Strip(canvas, this),
      slider: make("input", { type: "range", min: 1, value: 1, "aria-label": "Unit",
        oninput: () => this.choose({ unit: this.slider.value - 1, by: null }) }),
      number: make("span", { class: "number" }),
      bar: make("div", { class: "bar" }), ticks: make("div", { class: "ticks" }),
      said: make("p", { class: "faint" }),
      unitSaid: make("p", { class: "faint" }),
      here: make("p", { class: "here-said" }),
      expected: make("ol", { class: "likely", "aria-label": "The likeliest there", hidden: !this.likely }),
    });
    this.legend = make("div", { class: "legend" }, this.bar, this.ticks);
    this.more = make("details", { open: this.open, ontoggle: () => this.update() },
      make("summary", { text: "Hidden state" }),
      make("div", { class: "row" }, layer, part, make("span", { class: "units" },
        make("span", { text: "unit" }), turn("◀", "Previous unit", -1), this.slider,
        turn("▶", "Next unit", 1), this.number), finds),
      this.unitSaid, canvas);
    root.classList.add("lens");
    root.append(
      make("div", { class: "row" },
        make("fieldset", { class: "choice" },
          make("legend", { class: "unseen", text: "Colour the text by" }), ...choice),
        this.legend),
      this.said, this.here, this.expected, this.more);
  }
  get units() { return page.model?.char_rnn.hidden_size ?? 1; }
  changeModel() {
    const { layers, cell } = page.model.char_rnn;
    this.layers.replaceChildren(...Array.from({ length: layers }, (_, k) =>
      make("option", { value: k, text: k + 1 })));
    this.slider.max = this.units;
    this.scores.forget();
    this.nameParts(INSIDE[cell] ?? ["h"]);
    this.look();
    this.choose({
      layer: Math.min(this.layer, layers - 1), unit: Math.min(this.unit, this.units - 1), by: null,
      part: this.parts.includes(this.part) ? this.part : "h",
    });
  }
  nameParts(parts) {
    this.parts = parts;
    this.inner.replaceChildren(...parts.map(part =>
      make("option", { value: part, text: MEANS[part] ? `${MEANS[part]} ${part}` : part })));
    this.inner.value = this.part;
  }
  // Look at something else: any of mode, layer, part, unit, and what it was found by.
  choose(what) {
    const { layer, part, unit } = this;
    Object.assign(this, what);
    if (layer !== this.layer || part !== this.part) this.look();
    if (what.mode === "unit") this.more.open = true;
    this.layers.value = this.layer;
    this.inner.value = this.part;
    this.slider.value = this.unit + 1;
    this.slider.setAttribute("aria-valuetext", `unit ${this.unit + 1} of ${this.units}`);
    this.number.textContent = `${this.unit + 1} of ${this.units}`;
    this.finds.value = "";
    this.draw();
    if (unit !== this.unit) say(this.unitHere());
    this.update();
  }
  // Go to the unit that goes best with something; where one is there already, to the next best.
  find(what) {
    const rows = this.states.found.slice(this.states.began);
    if (!what || !rows.length) return;
    const follows = FOLLOWED.find(([name]) => name === what);
    const by = goesWith(rows, follows?.[1](this.states.chars).slice(this.states.began));
    const best = Array.from(by.keys()).sort((a, b) => Math.abs(by[b]) - Math.abs(by[a]));
    const at = this.by?.what === what ? best.indexOf(this.unit) + 1 : 0;
    const unit = best[at % best.length];
    this.choose({ unit, by: { what, value: by[unit] }, mode: "unit" });
    for (const input of this.legend.parentNode.querySelectorAll("input")) {
      input.checked = input.value === this.mode;
    }
  }

  // ---- what is known

  // Begin to look at the units of a layer.
  look() {
    this.quit?.abort();
    this.states = new Reading("/v1/states", { layer: this.layer, of: this.part }, (answer, chars) => {
      if (answer.parts.join() !== this.parts.join()) this.nameParts(answer.parts);
      return inside(answer, chars);
    }, this.from);
  }
  // Ask for what is not known yet. One at a time; what has changed meanwhile is asked for then.
  update() {
    this.again = true;
    if (this.running) return;
    this.running = true;
    this.read().finally(() => { this.running = false; });
  }
  async read() {
    while (this.again) {
      this.again = false;
      if (!page.model || !this.shown()) return;
      this.quit = new AbortController();
      const chars = this.chars(), unknown = unknownIn(chars.slice(this.from(chars)));
      this.wrong = unknown.length ? unknownSaid(unknown) : "";
      if (!this.wrong) try {
        await this.readScores(chars, this.quit.signal);
        await this.readStates(chars, this.quit.signal);
      } catch (error) {
        if (error.name === "AbortError") continue;
        this.wrong = error.message;
        if (!(error instanceof Problem)) problem(error);
      }
      this.tell();
    }
  }
  async readScores(chars, signal) {
    const known = this.known();
    const lacks = this.mode === "entropy" ? i => known[i]?.entropy === undefined : i => !known[i];
    if (!this.always && !(this.mode in SCALES)) return;
    let end = chars.length;
    const from = Math.max(this.from(chars), this.scores.began && this.scores.began + WARM);
    while (end > from && !lacks(end - 1)) end -= 1;
    if (end <= from) return;
    const fill = () => {
      const same = this.scores.same(this.chars()), { began, found } = this.scores;
      let first = same;
      for (let i = same - 1; i >= (began && began + WARM); i--) {
        if (!lacks(i)) continue;
        known[i] = { ...found[i], ...known[i] };
        first = i;
      }
      this.redraw(first, same);
      return !this.again;
    };
    await this.scores.follow(chars.slice(0, end), signal, fill);
    fill();
  }
  async readStates(chars, signal) {
    if (!this.more.open && this.mode !== "unit") return;
    const range = this.unitScale.most;
    await this.states.follow(chars.slice(0, this.most), signal, at => {
      this.redraw(this.mode === "unit" ? at : chars.length, this.states.found.length);
      return !this.again;
    });
    if (range !== this.unitScale.most) this.draw();
  }

  // ---- what is shown

  get unitScale() { return scaleOf(this.part, this.states.found); }
  get scale() { return this.mode === "unit" ? this.unitScale : SCALES[this.mode]; }
  unitAt(i) {
    const found = this.states.found[i];
    return found && found.values[this.unit] * found.scale;
  }
  value(i) {
    if (this.mode === "unit") return this.unitAt(i);
    const known = this.known()[i];
    return { surprise: known?.nats, entropy: known?.entropy }[this.mode] ?? undefined;
  }
  tint(i) {
    const value = this.value(i);
    return value === undefined ? "" : tint(this.painted.share(value));
  }
  // Show all anew.
  draw() {
    const scale = this.painted = this.scale;
    this.legend.hidden = !scale;
    if (scale) {
      const [first, last] = [scale.ticks[0][0], scale.ticks.at(-1)[0]];
      const at = share => (share - first) / (last - first);
      const stops = Array.from({ length: 9 }, (_, k) =>
        tint(first + (last - first) * k / 8) || "transparent");
      this.bar.style.background = `linear-gradient(90deg, ${stops})`;
      this.ticks.replaceChildren(...scale.ticks.map(([share, text]) => {
        const tick = make("span", { text });
        tick.style.left = 100 * at(share) + "%";
        return tick;
      }));
    }
    this.redraw(0);
  }
  // Show what is new from a place on.
  redraw(from, to = Infinity) {
    this.repaint(from, to);
    this.tell();
  }
  // Say what is where the caret is.
  tell() {
    const { by, part } = this;
    const cut = this.mode === "unit" && this.chars().length > this.most;
    this.said.textContent = this.wrong || (this.scale?.says ?? "The text has no colour.") +
      (cut ? ` Of the first ${this.most.toLocaleString("en")} characters.` : "");
    this.said.classList.toggle("bad", !!this.wrong);
    const found = !by ? "" : by.what === "varies" ? ` Standard deviation here: ${figure(by.value)}.`
      : ` Correlation with ${by.what} here: ${figure(by.value)}.`;
    this.unitSaid.textContent = `${part}${SAYS[part] ? ": " + SAYS[part] : ""}.${found}`;
    this.here.textContent = this.describe(this.place());
    if (this.likely) this.showLikely(this.place());
    this.strip.draw();
    this.strip.describe();
    this.told();
  }
  showLikely(i) {
    const char = this.chars()[i];
    this.expected.replaceChildren(...(this.known()[i]?.top ?? []).map(({ char: likely, p }) => {
      const made = make("li", { class: likely === char ? "is" : "" },
        make("b", { text: likely.length > 2 ? likely : named(likely) }), make("span", { text: percent(p) }));
      made.style.setProperty("--p", 100 * p + "%");
      return made;
    }));
  }
  unitHere() {
    const value = this.unitAt(this.place());
    return `Layer ${this.layer + 1}, ${this.part} of unit ${this.unit + 1}` +
      (value === undefined ? "" : `: ${figure(value)}`);
  }
  // What is known of the character at a place.
  describe(i) {
    const char = this.chars()[i], known = this.known()[i];
    if (char === undefined) return "";
    const parts = [];
    if (known?.nats === null) parts.push("nothing predicts it");
    if (known?.nats != null) {
      parts.push(`${figure(known.nats)} nats, probability ${percent(Math.exp(-known.nats))}`);
    }
    if (known?.entropy != null) parts.push(`entropy ${figure(known.entropy)}`);
    if (this.unitAt(i) !== undefined) parts.push(`unit ${this.unit + 1}: ${figure(this.unitAt(i))}`);
    return `${named(char)}  ${parts.join(" · ")}`;
  }
}
