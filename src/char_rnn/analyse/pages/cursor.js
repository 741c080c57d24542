// Let a cursor walk over `marks`, elements within `area` in the order of reading, by keys and by
// touch; n and p go to those in `chosen`, sorted. `show` is called where it comes to mark i.
// more: other keys and what they do. Returns `go`, `box` of a mark, and where it is, `here`.
const cursor = (area, marks, chosen, show, more = {}) => {
  let here = -1, column = null;
  marks.forEach((mark, i) => { mark.at = i; });
  const box = i => marks[i].getClientRects()[0] ?? marks[i].getBoundingClientRect();
  const go = i => {
    if (!marks.length) return;
    marks[here]?.classList.remove("here");
    here = Math.min(Math.max(i, 0), marks.length - 1);
    marks[here].classList.add("here");
    marks[here].scrollIntoView({ block: "nearest" });
    show(here);
  };
  // Where a line that begins, or that is next, ends: the last mark beside mark i in direction d.
  const end = (i, d) => {
    const { top, bottom } = box(i);
    while (marks[i + d] && box(i + d).top < bottom && box(i + d).bottom > top) i += d;
    return i;
  };
  const line = d => {
    if (here < 0) return go(0);
    const first = end(here, d) + d;
    if (!marks[first]) return;
    const from = column ?? box(here).left;
    let best = first;
    for (let i = first, last = end(first, d); i !== last + d; i += d) {
      if (Math.abs(box(i).left - from) < Math.abs(box(best).left - from)) best = i;
    }
    go(best);
    column = from;
  };
  const keys = {
    ArrowRight: () => go(here + 1),
    ArrowLeft: () => go(here - 1),
    ArrowDown: () => line(1),
    ArrowUp: () => line(-1),
    Home: whole => go(whole || here < 0 ? 0 : end(here, -1)),
    End: whole => go(whole || here < 0 ? marks.length - 1 : end(here, 1)),
    n: () => go(chosen.find(i => i > here) ?? here),
    p: () => go(chosen.findLast(i => i < here) ?? here),
    ...more,
  };
  area.tabIndex = 0;
  area.classList.add("walk");
  area.addEventListener("keydown", event => {
    const whole = event.ctrlKey || event.metaKey, key = keys[event.key];
    if (!key || event.altKey || whole && !["Home", "End"].includes(event.key)) return;
    event.preventDefault();
    if (!["ArrowDown", "ArrowUp"].includes(event.key)) column = null;
    key(whole);
  });
  area.addEventListener("click", event => {
    column = null;
    if (event.target.at !== undefined) go(event.target.at);
  });
  return { go, box, get here() { return here; } };
};
