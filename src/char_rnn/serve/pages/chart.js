// A chart of lines, in SVG: drawn anew where its data have changed, once a frame at most.
const clock = s => {
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, Math.floor(s % 60)];
  return (h ? h + ":" + String(m).padStart(2, "0") : m) + ":" + String(rest).padStart(2, "0");
};
const figures = (value, digits = 3) => {
  if (value == null) return "–";
  const size = Math.abs(value);
  if (size && size < 1e-3) return value.toExponential(digits - 1).replace(/\.?0*e/, "e");
  const notation = size < 1e4 ? "standard" : "compact";
  return value.toLocaleString("en", { maximumSignificantDigits: digits, notation });
};
const inWhole = value => Math.round(value).toLocaleString("en");
const inNats = value => value == null ? "–" : value.toFixed(3);

const chart = (() => {
  const LEFT = 46, TOP = 6, BOTTOM = 20, DOT = 3.5;
  const shape = (name, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };

  // ---- ticks, at round places

  const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000];
  const ticks = (low, high, count, time) => {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = (time && SECONDS.find(s => s >= rough))
      || [1, 2, 5, 10].map(m => m * power).find(s => s >= rough * .999);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step || 0);
    return found;
  };
  const logTicks = (low, high) => {
    const spread = Math.log10(high / low), found = [];
    const within = spread < 1.3 ? [1, 2, 5] : spread < 2.5 ? [1, 3] : [1];
    const every = Math.max(1, Math.ceil(spread / 5));
    for (let d = Math.floor(Math.log10(low)); d <= Math.log10(high); d += every) {
      for (const m of within) found.push(m * 10 ** d);
    }
    const seen = found.filter(p => p >= low && p <= high);
    return seen.length > 1 ? seen : ticks(low, high, 3);
  };

  // ---- points

  // Of rising `xs` the place of that which is nearest to `x`.
  const nearest = (xs, x) => {
    let low = 0, high = xs.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (xs[middle] < x) low = middle + 1; else high = middle;
    }
    return low > 0 && x - xs[low - 1] < xs[low] - x ? low - 1 : low;
  };
  // A line through the points; of those in one column of pixels the lowest and the highest.
  const path = ({ xs, ys }, X, Y) => {
    const found = [];
    let column = null, low = 0, high = 0, last = 0, open = false;
    const put = i => {
      found.push(`${open ? "L" : "M"}${X(xs[i]).toFixed(1)} ${Y(ys[i]).toFixed(1)}`);
      open = true;
    };
    const flush = () => {
      if (column !== null) [...new Set([low, high, last].sort((a, b) => a - b))].forEach(put);
      column = null;
    };
    for (let i = 0; i < xs.length; i++) {
      if (!Number.isFinite(Y(ys[i]))) { flush(); open = false; continue; }  // a gap
      const at = Math.round(X(xs[i]));
      if (at !== column) { flush(); column = at; low = high = i; }
      if (ys[i] < ys[low]) low = i;
      if (ys[i] > ys[high]) high = i;
      last = i;
    }
    flush();
    return found.join("");
  };
  // Names that would stand over one another are moved apart.
  const apart = (labels, most) => {
    labels.sort((a, b) => a.y - b.y);
    labels.forEach((l, k) => { if (k) l.y = Math.max(l.y, labels[k - 1].y + 13); });
    let under = most;
    for (const l of [...labels].reverse()) { l.y = Math.min(l.y, under); under = l.y - 13; }
    return labels;
  };

  // name: what it shows. height: in pixels. log: of the vertical axis. format: of its values.
  // time: the horizontal axis has seconds, else iterations. ends: names stand at the lines' ends.
  // moved: is called with where the cursor is.
  //
  // show({ series, rules, close }): series are { name, kind, xs, ys }, `kind` being their class;
  // rules are { name, y }, lines across it; close: rules are seen only where they happen to be.
  return (parent, { name, height = 110, log = false, format = figures, ends = false, moved }) => {
    const legend = make("span", { class: "values" });
    const image = shape("svg", { "aria-hidden": "true" });
    const plot = make("div", { class: "plot", tabindex: 0, role: "slider" }, image);
    parent.append(make("figure", { class: "chart" },
      make("figcaption", {}, make("b", { text: name }), legend), plot));
    let data = { series: [], rules: [] }, time = false, at = null, frame = 0, scale = null;

    const range = () => {
      const all = data.series.flatMap(s => s.ys).filter(y => Number.isFinite(y) && (!log || y > 0));
      if (!all.length) return log ? [.1, 10] : [0, 1];
      all.sort((a, b) => a - b);
      // The first losses of a long run are so high that they would flatten all that follows.
      let low = all[0], high = all.at(-1);
      if (!log && all.length > 99) high = all[Math.round(.97 * all.length)];
      if (!data.close) for (const { y } of data.rules) [low, high] = [Math.min(low, y), Math.max(high, y)];
      if (high - low < 1e-6 * Math.abs(high)) [low, high] = log ? [low / 2, high * 2] : [low * .5, high * 1.5];
      if (log) return [low / 1.1, high * 1.1];
      const room = .05 * (high - low) || 1;
      return [low > 0 ? Math.max(low - room, 0) : low - room, high + room];
    };
    const draw = () => {
      frame = 0;
      const width = plot.clientWidth;
      if (!width) return;
      const named = ends ? data.series.filter(s => s.xs.length) : [];
      const right = named.length ? Math.min(Math.max(...named.map(s => s.name.length)) * 6.6 + 14, width / 3) : 10;
      const [low, high] = range(), xs = data.series.flatMap(s => s.xs.length ? [s.xs[0], s.xs.at(-1)] : []);
      const first = xs.length ? Math.min(0, ...xs) : 0, last = Math.max(1, ...xs);
      const w = width - LEFT - right, h = height - TOP - BOTTOM;
      const X = x => LEFT + w * (x - first) / (last - first);
      const up = log ? y => Math.log(y / low) / Math.log(high / low) : y => (y - low) / (high - low);
      const Y = y => y == null || (log && y <= 0) ? NaN : TOP + h * (1 - Math.min(Math.max(up(y), -.02), 1.02));
      const made = [];
      if (xs.length) for (const y of log ? logTicks(low, high) : ticks(low, high, h / 34)) {
        made.push(shape("path", { class: "grid", d: `M${LEFT} ${Y(y)}H${LEFT + w}` }),
          shape("text", { x: LEFT - 6, y: Y(y) + 4, "text-anchor": "end" }, figures(y)));
      }
      if (xs.length) for (const x of ticks(first, last, Math.max(w / 80, 3), time)) {
        const anchor = X(x) > width - 20 ? "end" : "middle";
        made.push(shape("text", { x: X(x), y: height - 5, "text-anchor": anchor }, time ? clock(x) : inWhole(x)));
      }
      made.push(shape("path", { class: "axis", d: `M${LEFT} ${TOP + h}H${LEFT + w}` }));
      for (const { y, name: said } of data.rules) {
        if (y < low || y > high) continue;
        made.push(shape("path", { class: "rule", d: `M${LEFT} ${Y(y)}H${LEFT + w}` }),
          shape("text", { x: LEFT + w - 2, y: Y(y) - 4 < 14 ? Y(y) + 13 : Y(y) - 4, "text-anchor": "end" }, said));
      }
      for (const s of data.series) made.push(shape("path", { class: "line " + s.kind, d: path(s, X, Y) }));
      const few = data.series.filter(s => s.dots && s.xs.length < w / 8);
      for (const s of few) s.xs.forEach((x, i) => {
        if (Number.isFinite(Y(s.ys[i]))) made.push(shape("circle", { class: "dot " + s.kind, cx: X(x), cy: Y(s.ys[i]), r: 2 }));
      });
      const labels = named.map(s => ({ s, y: Y(s.ys.findLast(Number.isFinite)) + 4, x: X(s.xs.at(-1)) }));
      const room = Math.floor((right - 14) / 6.2);
      for (const { s, y, x } of apart(labels.filter(l => Number.isFinite(l.y)), height - BOTTOM)) {
        const said = s.name.length > room ? s.name.slice(0, room - 1) + "…" : s.name;
        made.push(shape("text", { class: "end " + s.kind, x: x + 6, y }, said));
      }
      image.setAttribute("viewBox", `0 0 ${width} ${height}`);
      image.setAttribute("height", height);
      scale = { X, Y, first, last, w };
      const cursor = shape("g", { class: "cursor" });
      image.replaceChildren(...made, cursor);
      tellPlace(cursor);
    };

    // ---- what stands where the cursor is, or at the end

    const tellPlace = (cursor = image.lastChild) => {
      if (!scale) return;
      const x = at === null ? null : Math.min(Math.max(at, scale.first), scale.last);
      const found = data.series.filter(s => s.xs.length).map(s => {
        const i = x === null ? s.ys.findLastIndex(y => y != null) : nearest(s.xs, x);
        return { s, x: s.xs[i], y: s.ys[i] };
      });
      const drawn = x === null ? [] : [shape("path", { d: `M${scale.X(x)} ${TOP}V${height - BOTTOM}` })];
      for (const { s, x: own, y } of x === null ? [] : found) {
        if (!Number.isFinite(scale.Y(y))) continue;
        drawn.push(shape("circle", { class: "dot " + s.kind, cx: scale.X(own), cy: scale.Y(y), r: DOT }));
      }
      cursor?.replaceChildren(...drawn);
      const places = found.map(f => f.x).filter(v => v !== undefined);
      const where = x ?? (places.length ? Math.max(...places) : 0);
      const place = time ? clock(where) : "iteration " + inWhole(where);
      const values = found.map(({ s, y }) => (s.name ? s.name + " " : "") + format(y));
      legend.replaceChildren(...(ends && x === null ? [] : found.map(({ s, y }) => make("span", {},
        ...(s.name ? [make("i", { class: s.kind }), s.name + " "] : []),
        make("span", { class: "value", text: format(y) })))),
        make("span", { class: "faint", text: found.length && x !== null ? (time ? "at " : "") + place : "" }));
      plot.setAttribute("aria-label", name + (at === null ? ", at the end" : ""));
      plot.setAttribute("aria-valuemin", Math.round(scale.first));
      plot.setAttribute("aria-valuemax", Math.round(scale.last));
      plot.setAttribute("aria-valuenow", Math.round(where));
      plot.setAttribute("aria-valuetext", found.length ? `${place}: ${values.join(", ")}` : "nothing yet");
    };
    const point = x => {
      at = x;
      if (!frame) tellPlace();
    };
    const move = x => { point(x); moved?.(x); };
    const place = event => {
      const x = event.clientX - plot.getBoundingClientRect().left;
      return scale.first + (x - LEFT) / scale.w * (scale.last - scale.first);
    };
    plot.addEventListener("pointermove", event => { if (scale) move(Math.min(Math.max(place(event), scale.first), scale.last)); });
    plot.addEventListener("pointerleave", () => { if (document.activeElement !== plot) move(null); });
    plot.addEventListener("blur", () => move(null));
    plot.addEventListener("keydown", event => {
      if (event.ctrlKey || event.altKey || event.metaKey || !scale) return;
      if (event.key === "Escape" && at !== null) { move(null); return event.preventDefault(); }
      const xs = [...new Set(data.series.flatMap(s => s.xs))].sort((a, b) => a - b);
      const end = xs.length - 1, step = Math.ceil(xs.length / 200);
      const now = at === null ? end : nearest(xs, at);
      const to = { ArrowLeft: now - step, ArrowDown: now - step, ArrowRight: now + step, ArrowUp: now + step,
        PageDown: now - 10 * step, PageUp: now + 10 * step, Home: 0, End: end }[event.key];
      if (to === undefined || end < 0) return;
      event.preventDefault();
      move(xs[Math.min(Math.max(to, 0), end)]);
    });
    const due = () => { frame ||= requestAnimationFrame(draw); };
    new ResizeObserver(due).observe(plot);
    return {
      show(found, seconds = false) {
        data = { rules: [], ...found };
        if (seconds !== time) at = null;
        time = seconds;
        due();
      },
      point,
    };
  };
})();
