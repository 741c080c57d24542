const data = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");

// Let a cursor walk over `marks`, elements within `area` in the order of reading, by keys and by
// touch. `describe` returns what the tip says of mark i; n and p go to those in `chosen`, sorted.
const walk = (area, marks, describe, chosen) => {
  let here = -1, told = -1, column = null;
  marks.forEach((mark, i) => { mark.at = i; });
  const box = i => marks[i].getClientRects()[0] ?? marks[i].getBoundingClientRect();
  const hide = () => {
    told = -1;
    tip.style.display = "none";
  };
  const tell = (i, x, above, below) => {
    told = i;
    tip.textContent = describe(i);
    tip.style.display = "block";
    const height = tip.offsetHeight, width = tip.offsetWidth;
    const fits = below + 8 + height <= innerHeight;
    tip.style.left = Math.max(Math.min(x, innerWidth - width - 8), 8) + "px";
    tip.style.top = Math.max(fits ? below + 8 : above - 8 - height, 0) + "px";
  };
  const show = () => {
    if (here < 0) return;
    const { left, top, bottom } = box(here);
    if (bottom < 0 || top > innerHeight) hide();
    else tell(here, left, top, bottom);
  };
  const go = i => {
    if (!marks.length) return;
    marks[here]?.classList.remove("here");
    here = Math.min(Math.max(i, 0), marks.length - 1);
    marks[here].classList.add("here");
    marks[here].scrollIntoView({ block: "nearest" });
    show();
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
    Escape: hide,
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
  area.addEventListener("focus", () => {
    if (area.matches(":focus-visible")) here < 0 ? go(0) : show();
  });
  area.addEventListener("blur", hide);
  area.addEventListener("click", event => {
    column = null;
    if (event.target.at !== undefined) go(event.target.at);
  });
  area.addEventListener("mousemove", event => {
    const i = event.target.at;
    if (i === undefined) hide();
    else tell(i, event.clientX + 15, event.clientY - 8, event.clientY + 8);
  });
  area.addEventListener("mouseleave", () => {
    if (document.activeElement === area && area.matches(":focus-visible")) show();
    else hide();
  });
  addEventListener("scroll", () => told >= 0 && told === here ? show() : hide());
};
