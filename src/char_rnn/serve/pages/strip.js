// The hidden state as a strip that goes along with the text: a column for each character, the newest
// at the right; a row for each unit of a layer. Below it the one unit, or what colours the text, as
// bars, and the characters.
const COLUMN = 9, MAP = 128, BARS = 40, LETTERS = 18, MARGIN = 10;  // pixels

class Strip {
  constructor(canvas, lens) {
    Object.assign(this, { canvas, lens, asked: false, first: 0, colours: null });
    canvas.addEventListener("click", event => this.clicked(event));
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.colours = null;
      this.draw();
    });
  }
  // Draw before the next picture of the page is made, once.
  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (this.canvas.clientWidth) this.drawn();
    });
  }
  drawn() {
    const { canvas, lens } = this, sharp = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = MAP + BARS + LETTERS;
    if (canvas.width !== Math.round(width * sharp)) canvas.width = Math.round(width * sharp);
    if (canvas.height !== Math.round(height * sharp)) canvas.height = Math.round(height * sharp);
    this.colours ??= Object.fromEntries(["low", "high", "ink", "faint", "edge"].map(name =>
      [name, getComputedStyle(canvas).getPropertyValue("--" + name).trim()]));
    const pen = canvas.getContext("2d"), chars = lens.chars();
    this.columns = Math.floor((width - 2 * MARGIN) / COLUMN);
    const place = lens.place();
    // The end of the text, or where the caret is.
    const last = place >= chars.length - this.columns ? chars.length
      : Math.max(this.columns, place + Math.ceil(this.columns / 2));
    this.first = Math.max(0, last - this.columns);
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.translate(MARGIN, 0);
    this.drawMap(pen, last);
    this.drawBars(pen, chars, last);
    this.drawMarks(pen, place, last);
  }
  // All units of the layer; where there are more than rows, of those that share one the strongest.
  drawMap(pen, last) {
    const { lens, first } = this, count = last - first;
    if (!count) return;
    const units = lens.units, rows = Math.min(units, MAP * Math.ceil(devicePixelRatio || 1));
    const picture = new ImageData(count, rows), { share } = lens.unitScale;
    const [low, high] = [this.colours.low, this.colours.high].map(c => c.split(" ").map(Number));
    for (let x = 0; x < count; x++) {
      const found = lens.states.found[first + x];
      if (!found) continue;
      for (let row = 0; row < rows; row++) {
        let most = 0;
        const end = Math.ceil((row + 1) * units / rows);
        for (let u = Math.floor(row * units / rows); u < end; u++) {
          const here = share(found.values[u] * found.scale);
          if (Math.abs(here) > Math.abs(most)) most = here;
        }
        picture.data.set([...(most < 0 ? low : high), 255 * opaque(most)], 4 * (row * count + x));
      }
    }
    this.buffer ??= document.createElement("canvas");
    Object.assign(this.buffer, { width: count, height: rows });
    this.buffer.getContext("2d").putImageData(picture, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.buffer, 0, 0, count * COLUMN, MAP);
  }
  drawBars(pen, chars, last) {
    const { lens, first, colours } = this;
    const one = lens.mode === "none" || lens.mode === "unit", scale = one ? lens.unitScale : lens.scale;
    const around = scale.ticks[0][0] < 0 && scale.ticks.at(-1)[0] > 0;  // a middle
    const top = MAP + 6, room = BARS - 10, zero = around ? top + room / 2 : top + room;
    pen.fillStyle = colours.edge;
    pen.fillRect(0, zero, this.columns * COLUMN, 1);
    pen.font = "12px ui-monospace, monospace";
    pen.textAlign = "center";
    for (let i = first; i < last; i++) {
      const value = one ? lens.unitAt(i) : lens.value(i), x = (i - first) * COLUMN;
      if (value !== undefined) {
        const share = scale.share(value), long = Math.abs(share) * (around ? room / 2 : room);
        pen.fillStyle = `rgb(${share < 0 ? colours.low : colours.high})`;
        pen.fillRect(x + 1, around && share < 0 ? zero : zero - long, COLUMN - 2, long);
      }
      pen.fillStyle = colours.ink;
      if (chars[i] === "\n") pen.fillStyle = colours.faint;
      if (chars[i] !== " ") pen.fillText(Array.from(named(chars[i]))[0], x + COLUMN / 2, MAP + BARS + 12);
    }
  }
  // Where the caret is, and which row is the unit.
  drawMarks(pen, place, last) {
    const { lens, first, colours } = this;
    pen.strokeStyle = pen.fillStyle = colours.ink;
    pen.lineWidth = 1;
    if (place >= first && place < last) {
      pen.strokeRect((place - first) * COLUMN - .5, .5, COLUMN + 1, MAP + BARS + LETTERS - 1);
    }
    const y = (lens.unit + .5) * MAP / lens.units, right = this.columns * COLUMN;
    for (const [x, d] of [[-1, -1], [right + 1, 1]]) {
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x + d * 8, y - 5);
      pen.lineTo(x + d * 8, y + 5);
      pen.fill();
    }
  }
  clicked(event) {
    const place = this.first + Math.floor((event.offsetX - MARGIN) / COLUMN);
    const unit = Math.floor(event.offsetY / MAP * this.lens.units);
    if (unit < this.lens.units) this.lens.choose({ unit, by: null });
    this.lens.goTo(place);
  }
  // What it shows, in words.
  describe() {
    const { lens } = this, text = lens.chars();
    this.canvas.setAttribute("aria-label", !text.length ? "The hidden state; there is no text yet"
      : `The hidden state along the text: ${lens.part} of the ${lens.units} units of layer ` +
        `${lens.layer + 1}. ${lens.unitHere()}`);
  }
}
