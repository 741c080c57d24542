cursor.js
const data = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");

// A cursor with a tip: `describe` returns what it says of mark i.
const walk = (area, marks, describe, chosen) => {
  let told = -1;
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
    if (at.here < 0) return;
    const { left, top, bottom } = at.box(at.here);
    if (bottom < 0 || top > innerHeight) hide();
    else tell(at.here, left, top, bottom);
  };
  const at = cursor(area, marks, chosen, show, { Escape: hide });
  area.addEventListener("focus", () => {
    if (area.matches(":focus-visible")) at.here < 0 ? at.go(0) : show();
  });
  area.addEventListener("blur", hide);
  area.addEventListener("mousemove", event => {
    const i = event.target.at;
    if (i === undefined) hide();
    else tell(i, event.clientX + 15, event.clientY - 8, event.clientY + 8);
  });
  area.addEventListener("mouseleave", () => {
    if (document.activeElement === area && area.matches(":focus-visible")) show();
    else hide();
  });
  addEventListener("scroll", () => told >= 0 && told === at.here ? show() : hide());
};
