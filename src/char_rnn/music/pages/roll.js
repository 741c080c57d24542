const LEFT = 34, TOP = 16, GAP = 8, DRUM = 11, MOST_NAMED = 12;
const BLACK = new Set([1, 3, 6, 8, 10]);
const still = matchMedia("(prefers-reduced-motion: reduce)");
let playing = null;  // the roll that is heard

// Of rising `values`: how many are not above `x`.
const above = (values, x) => {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= x) low = middle + 1; else high = middle;
  }
  return low;
};
// What goes through the points (from, to), straight between them.
const between = (from, to) => x => {
  const k = Math.min(Math.max(above(from, x), 1), from.length - 1);
  const wide = from[k] - from[k - 1];
  return to[k - 1] + (wide ? (x - from[k - 1]) / wide * (to[k] - to[k - 1]) : 0);
};
const minutes = s => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

// A piece, unpacked; see `data_of` for what `data` holds.
const unpacked = data => {
  const array = (kind, name) => new kind(bytes(data[name]));
  const pitches = array(Uint8Array, "pitches"), kinds = array(Uint8Array, "kinds");
  const bars = array(Uint32Array, "bars"), voices = array(Uint16Array, "voices");
  const steps = array(Float64Array, "steps"), times = array(Float64Array, "seconds");
  const second = between(steps, times), last = bars[bars.length - 1];
  const used = [...new Set(voices)].sort((a, b) => a - b);
  const melodic = Array.from(pitches).filter((_, i) => kinds[i] === data.drums.length);
  let low = 1, high = 0;
  if (melodic.length) {
    low = melodic.reduce((a, b) => Math.min(a, b)) - 1;
    high = Math.max(melodic.reduce((a, b) => Math.max(a, b)) + 1, low + 12);
  }
  return {
    starts: array(Uint32Array, "starts"), lengths: array(Uint32Array, "lengths"),
    velocities: array(Uint8Array, "velocities"), beats: array(Uint32Array, "beats"),
    pitches, kinds, bars, voices, second, step: between(times, steps), last, over: second(last),
    longest: Math.max(...bars.slice(1).map((b, k) => b - bars[k])), used, melodic, low, high,
    colour: new Map(used.map((v, k) => [v, k % 6])),
    drums: [...new Set(kinds)].filter(k => k < data.drums.length).sort((a, b) => a - b),
  };
};

// Fill `parent` with a piece. Returns { toggle, pause, show }; `show` takes what it is now, grown or another.
const roll = (parent, data) => {
  let starts, lengths, pitches, voices, velocities, kinds, bars, beats, second, step, last, over,
    longest, used, melodic, low, high, colour, drums;
  const sounds = [];  // one array, which what plays now goes on with
  const heading = add(parent, "h2", "");
  const bar = add(parent, "div", "", "bar");
  const button = add(bar, "button", "▶ Play");
  button.type = "button";
  const place = add(bar, "span", "", "place");
  const legend = add(bar, "span", "", "voices");
  const view = add(parent, "div", "", "roll");
  view.tabIndex = 0;
  view.setAttribute("role", "slider");
  view.setAttribute("aria-valuemin", "1");
  const here = add(view, "div", "", "here");  // the bar that is played
  here.hidden = true;
  const cursor = add(view, "div", "", "cursor");
  const read = found => {
    data = found;
    ({ starts, lengths, pitches, voices, velocities, kinds, bars, beats, second, step, last, over,
      longest, used, melodic, low, high, colour, drums } = unpacked(data));
    sounds.splice(0, sounds.length, ...data.sounds);
    heading.textContent = seen(data.name);
    view.setAttribute("aria-label", "Place in " + seen(data.name));
    view.setAttribute("aria-valuemax", bars.length - 1);
    legend.replaceChildren();
    if (used.length < 2) return legend.remove();
    bar.append(legend);
    for (const voice of used.slice(0, MOST_NAMED)) {
      const entry = add(legend, "span", "");
      add(entry, "i", "").style.background = `var(--${colour.get(voice)})`;
      entry.append(seen(sounds[voice].label));
    }
    if (used.length > MOST_NAMED) add(legend, "span", `and ${used.length - MOST_NAMED} more`);
  };
  let rows = [], each = 6, wide = 0, now = 0, shown = -1;

  // ---- the picture: a canvas a row

  const draw = () => {
    for (const row of rows) row.canvas.remove();
    const width = view.clientWidth;
    wide = width;
    const room = Math.max((width - LEFT - 2) / 24, 4) * data.quarter;
    let count = 2 ** Math.max(Math.floor(Math.log2(room / longest)), 0);
    count = Math.min(count, bars.length - 1);
    let most = 0;
    for (let k = 0; k < bars.length - 1; k += count) {
      most = Math.max(most, bars[Math.min(k + count, bars.length - 1)] - bars[k]);
    }
    const scale = Math.min((width - LEFT - 2) / most, 64 / data.quarter);
    each = Math.min(Math.max(160 / (high - low + 1), 4), 8);
    const pitched = melodic.length ? each * (high - low + 1) : 0;
    const size = TOP + pitched + 4 + DRUM * drums.length + GAP;
    const style = getComputedStyle(parent), ink = name => style.getPropertyValue("--" + name);
    const paper = Object.fromEntries(["grid", "faint", 0, 1, 2, 3, 4, 5].map(n => [n, ink(n)]));
    rows = [];
    for (let k = 0; k < bars.length - 1; k += count) {
      const own = bars.slice(k, k + count + 1);
      const canvas = add(view, "canvas", "");
      const sharp = devicePixelRatio || 1;
      canvas.width = Math.round(width * sharp);
      canvas.height = Math.round(size * sharp);
      canvas.style.height = size + "px";
      canvas.setAttribute("aria-hidden", "true");
      const row = { canvas, first: own[0], last: own[own.length - 1], top: 0, size, scale };
      const pen = canvas.getContext("2d");
      pen.scale(sharp, sharp);
      drawRow(pen, row, own, k, pitched, paper);
      rows.push(row);
    }
    for (const row of rows) row.top = row.canvas.offsetTop;
    move(now);
  };
  const x = (row, at) => LEFT + row.scale * (at - row.first);
  const drawRow = (pen, row, own, k, pitched, paper) => {
    const right = x(row, row.last), floor = row.size - GAP;
    const rect = (fill, left, top, w, h, alpha = 1) => {
      pen.globalAlpha = alpha;
      pen.fillStyle = fill;
      pen.fillRect(left, top, w, h);
      pen.globalAlpha = 1;
    };
    const write = (text, left, top, align) => {
      pen.fillStyle = paper.faint;
      pen.textAlign = align;
      pen.fillText(text, left, top);
    };
    pen.font = "10px system-ui, sans-serif";
    const y = pitch => TOP + each * (high - pitch);
    for (let p = low; p <= high; p++) {
      if (BLACK.has(p % 12)) rect(paper.grid, LEFT, y(p), right - LEFT, each, .4);
      if (p % 12) continue;
      rect(paper.faint, LEFT, y(p) + each, right - LEFT, .5);
      write(`C${p / 12 - 1}`, LEFT - 5, y(p) + each / 2 + 4, "end");
    }
    const stroke = kind => TOP + pitched + 4 + DRUM * drums.indexOf(kind);
    for (const kind of drums) write(data.drums[kind], LEFT - 3, stroke(kind) + 9, "end");
    for (const b of beats) {
      if (b > row.first && b < row.last) rect(paper.grid, x(row, b), TOP, 1, floor - TOP);
    }
    own.forEach((b, n) => {
      rect(paper.faint, x(row, b) - (n === own.length - 1), TOP, 1, floor - TOP);
      if (n < own.length - 1) write(data.first + k + n, x(row, b) + 2, TOP - 4, "start");
    });
    for (let i = 0; i < starts.length && starts[i] < row.last; i++) {
      const begin = Math.max(starts[i], row.first);
      const end = Math.min(starts[i] + lengths[i], row.last);
      if (end <= row.first) continue;
      const fill = paper[colour.get(voices[i])], strong = .3 + .7 * velocities[i] / 127;
      if (kinds[i] === data.drums.length) {
        const w = Math.max(x(row, end) - x(row, begin) - 1.2, 1.2);
        rect(fill, x(row, begin) + .6, y(pitches[i]) + .3, w, Math.max(each - .6, 2), strong);
      } else if (starts[i] >= row.first) {
        rect(fill, x(row, begin) + .6, stroke(kinds[i]) + 2, 4, DRUM - 4, strong);
      }
    }
  };

  // ---- the cursor

  const told = () => {
    const at = Math.min(Math.max(above(bars, step(now)), 1), bars.length - 1);
    if (at === shown) return;
    shown = at;
    const number = data.first + at - 1, end = data.first + bars.length - 2;
    view.setAttribute("aria-valuenow", at);
    view.setAttribute("aria-valuetext", `bar ${number} of ${end}, ${minutes(now)}`);
  };
  let row = null;
  // Go to a second of the piece.
  const move = to => {
    now = Math.min(Math.max(to, 0), over);
    let at = Math.min(step(now), last);
    if (still.matches && playing === self) {  // from beat to beat, with no motion between
      const k = Math.max(above(bars, at), 1) - 1, n = above(beats, at) - 1;
      at = n >= 0 ? Math.max(beats[n], bars[k]) : bars[k];
    }
    const found = rows.find(r => at < r.last) ?? rows[rows.length - 1];
    cursor.style.height = found.size - TOP - GAP + "px";
    cursor.style.transform = `translate(${x(found, at) - 1}px, ${found.top + TOP}px)`;
    here.hidden = playing !== self;
    const k = Math.min(Math.max(above(bars, at), 1), bars.length - 1);
    here.style.width = x(found, bars[k]) - x(found, bars[k - 1]) + "px";
    here.style.height = cursor.style.height;
    here.style.transform = `translate(${x(found, bars[k - 1])}px, ${found.top + TOP}px)`;
    place.textContent = `${minutes(now)} / ${minutes(over)}`;
    told();
    if (found !== row && playing === self) cursor.scrollIntoView({ block: "nearest" });
    row = found;
  };

  // ---- the sound

  let band = null, origin = 0, from = 0, next = 0, handed = 0, timer = 0, frame = 0;
  // Hand the notes of the next second to the browser, which plays them on time.
  const schedule = () => {
    handed = context.currentTime + 1.2;
    for (; next < starts.length; next++) {
      const i = next, when = origin + second(starts[i]);
      if (when > handed) break;
      const end = origin + second(Math.min(starts[i] + lengths[i], last));
      band.note(voices[i], pitches[i], velocities[i], kinds[i], Math.max(when, 0), end);
    }
  };
  const tick = () => {
    frame = requestAnimationFrame(tick);
    move(Math.max(context.currentTime - origin, from));
    if (now >= over) { pause(); move(0); }
  };
  const play = () => {
    if (!sounding()) {
      button.disabled = true;
      place.textContent = "This browser has no sound.";
      return;
    }
    playing?.pause();
    playing = self;
    context.resume().catch(() => {});
    from = now >= over ? 0 : now;
    band = orchestra(sounds);
    origin = context.currentTime + .06 - from;
    next = starts.findIndex(s => second(s) >= from - 1e-6);
    if (next < 0) next = starts.length;
    schedule();
    timer = setInterval(schedule, 200);
    button.textContent = "❚❚ Pause";
    tick();
  };
  const pause = () => {
    if (playing !== self) return;
    playing = null;
    clearInterval(timer);
    cancelAnimationFrame(frame);
    band.silence();
    here.hidden = true;
    button.textContent = "▶ Play";
  };
  const toggle = () => playing === self ? pause() : play();
  const seek = to => {
    const goes = playing === self;
    pause();
    move(to);
    if (goes && now < over) play();
  };
  const show = found => {
    read(found);
    shown = -1;
    draw();
    if (playing !== self) return;
    next = starts.findIndex(s => origin + second(s) > handed);
    if (next < 0) next = starts.length;
  };
  const self = { toggle, pause, show };

  // From bar to bar; back goes to the beginning of this one first.
  const turn = by => {
    const at = step(now) + (by > 0 ? 1e-6 : -data.quarter / 4), k = above(bars, at) - 1;
    seek(second(bars[Math.min(Math.max(by > 0 ? k + 1 : k, 0), bars.length - 1)]));
  };
  const keys = {
    " ": toggle,
    ArrowRight: () => turn(1),
    ArrowLeft: () => turn(-1),
    ArrowUp: () => turn(1),
    ArrowDown: () => turn(-1),
    Home: () => seek(0),
    End: () => seek(over),
  };
  button.addEventListener("click", toggle);
  parent.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    if (event.target === button && event.key === " ") return;  // which is pressed by it anyway
    event.preventDefault();
    keys[event.key]();
  });
  view.addEventListener("click", event => {
    const box = view.getBoundingClientRect(), y = event.clientY - box.top;
    const found = rows.findLast(r => y >= r.top) ?? rows[0];
    const at = found.first + (event.clientX - box.left - LEFT) / found.scale;
    seek(second(Math.min(Math.max(at, found.first), found.last - 1e-3)));
  });
  new ResizeObserver(() => { if (view.clientWidth !== wide) draw(); }).observe(view);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  show(data);
  return self;
};
