text.js

// Fill `root` with a text coloured by what one unit had in it; see `view` for what `data` holds.
const neurons = (root, data) => {
  const text = Array.from(new Uint32Array(bytes(data.text)), c => String.fromCodePoint(c));
  const values = new Uint8Array(bytes(data.values));
  const { kinds, units, found } = data;
  let unit = 0, kind = 0, here = -1;

  add(root, "p", seen(data.about));
  const choose = add(root, "div", "", "choose");
  const label = add(choose, "label", "Go to what follows ");
  const select = add(label, "select", "");
  add(select, "option", "…").value = "";
  found.forEach((f, i) => { add(select, "option", `${f.name} ${f.score}: ${f.unit}`).value = i; });
  const button = (parent, name, says, action) => {
    const made = add(parent, "button", name);
    made.type = "button";
    made.title = says;
    made.setAttribute("aria-label", says);
    made.addEventListener("click", action);
    return made;
  };
  const turns = add(choose, "span", "");
  button(turns, "◀", "Previous unit", () => go(unit - 1, kind));
  add(turns, "span", " unit ");
  button(turns, "▶", "Next unit", () => go(unit + 1, kind));
  const group = add(choose, "span", "", "kinds");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "What of the unit");
  const pressed = kinds.map((k, i) => button(group, k.name, k.says, () => go(unit, i)));
  const told = add(root, "p", "", "told");
  told.setAttribute("role", "status");
  add(root, "div", "", "bar");
  const ends = add(root, "div", "", "ends");
  const ticks = [0, 1, 2].map(() => add(ends, "span", ""));
  const keys = add(root, "p", "", "keys");
  keys.id = "keys-of-neurons-" + document.querySelectorAll(".keys").length;
  const key = (name, says) => {
    for (const k of name.split(" ")) add(keys, "kbd", k), keys.append(" ");
    keys.append(says);
  };
  key("Tab", "into the text, then ");
  key("← →", "from unit to unit, ");
  key("↑ ↓", "between its state and its gates, ");
  key("Home End", "first and last unit; ");
  key("n p", "the value at the next and the previous character.");
  const one = add(root, "p", "", "one");
  one.setAttribute("role", "status");
  const pre = add(root, "pre", "");
  pre.tabIndex = 0;
  pre.setAttribute("role", "application");
  pre.setAttribute("aria-label", "The text, each character coloured by the unit");
  pre.setAttribute("aria-describedby", keys.id);
  const cells = text.map((c, i) => {
    const cell = add(pre, "span", drawn(c), "cell");
    cell.at = i;
    return cell;
  });

  const figures = (v, digits) => v.toFixed(digits).replace("-", "\u2212");
  const start = () => (unit * kinds.length + kind) * text.length;
  const value = i => {
    const { low, high } = kinds[kind];
    return low + (high - low) * values[start() + i] / 255;
  };
  const say = i => {
    cells[here]?.classList.remove("here");
    here = Math.min(Math.max(i, 0), cells.length - 1);
    cells[here]?.classList.add("here");
    if (cells.length) one.textContent = `${named(text[here])}  ${figures(value(here), 2)}`;
  };
  const walk = d => {
    say(here + d);
    cells[here]?.scrollIntoView({ block: "nearest" });
  };
  const go = (to, of) => {
    unit = (to + units.length) % units.length;
    kind = (of + kinds.length) % kinds.length;
    const from = start(), { name, says, low, high } = kinds[kind];
    cells.forEach((cell, i) => {
      const share = values[from + i] / 127.5 - 1;
      const side = share < 0 ? "low" : "high";
      cell.style.background = `rgb(var(--${side}) / calc(${Math.abs(share)} * var(--most)))`;
    });
    const [layer, number] = units[unit];
    const parts = [`Layer ${layer}, unit ${number} (${unit + 1} of ${units.length}): ${says}.`];
    const follows = found.filter(f => f.at[0] === unit && f.at[1] === kind);
    if (follows.length) {
      parts.push("Follows " + follows.map(f => `${f.name} (${f.says}): ${f.measure} ${f.score}` +
        (f.sign < 0 ? ", low there" : "")).join("; ") + ".");
    }
    const saturated = data.saturated[name]?.[unit];
    if (saturated) {
      const [left, right] = saturated.map(s => (100 * s).toFixed(0) + " %");
      parts.push(`Shut (below 0.1) at ${left}, open (above 0.9) at ${right} of the characters.`);
    }
    told.textContent = parts.join(" ");
    [low, (low + high) / 2, high].forEach((v, i) => {
      ticks[i].textContent = figures(v, 1);
    });
    pressed.forEach((b, i) => b.setAttribute("aria-pressed", i === kind));
    const chosen = found.findIndex(f => f.at[0] === unit && f.at[1] === kind);
    select.value = chosen < 0 ? "" : chosen;
    if (here >= 0) say(here);
  };
  const actions = {
    ArrowRight: () => go(unit + 1, kind),
    ArrowLeft: () => go(unit - 1, kind),
    ArrowDown: () => go(unit, kind + 1),
    ArrowUp: () => go(unit, kind - 1),
    Home: () => go(0, kind),
    End: () => go(units.length - 1, kind),
    n: () => walk(1),
    p: () => walk(-1),
  };
  pre.addEventListener("keydown", event => {
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  pre.addEventListener("mousemove", event => {
    if (event.target.at !== undefined) say(event.target.at);
  });
  pre.addEventListener("click", event => {
    if (event.target.at !== undefined) say(event.target.at);
  });
  select.addEventListener("change", () => {
    if (select.value !== "") go(...found[select.value].at);
  });
  go(...(data.first ?? found[0]?.at ?? [0, 0]));
};

for (const root of document.querySelectorAll(".neurons")) {
  if (root.querySelector("pre")) continue;  // another part has brought this script, too
  neurons(root, JSON.parse(root.querySelector("script").textContent));
}
