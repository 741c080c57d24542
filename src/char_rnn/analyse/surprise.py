"""Where a text surprises a model: passages, colours, and a page to look at."""

import json
from typing import NamedTuple

import numpy as np

Array = np.ndarray

PASSAGE = 60
CALM, WILD = 0.5, 6.0  # nats: coloured from here, and as strongly as can be from there


class Passage(NamedTuple):
    """A stretch of text and its mean surprisal in nats."""

    at: int
    text: str
    nats: float


def most_surprising(text: str, nats: Array, count: int = 5, length: int = PASSAGE) -> list[Passage]:
    """Return the `count` stretches of `length` characters with the highest mean surprisal.

    nats: (N,), one for each character of `text`. Stretches do not overlap.
    """
    length = min(length, len(nats))
    if not length:
        return []
    sums = np.concatenate([[0.0], np.cumsum(nats)])
    means = (sums[length:] - sums[:-length]) / length
    found: list[Passage] = []
    for at in np.argsort(-means, kind="stable"):
        if all(abs(int(at) - passage.at) >= length for passage in found):
            found.append(Passage(int(at), text[at : at + length], float(means[at])))
        if len(found) == count:
            break
    return found


def heat(nats: float) -> float:
    """Return how strongly a surprisal is coloured, from 0 to 1."""
    return min(max((nats - CALM) / (WILD - CALM), 0.0), 1.0)


def coloured(text: str, nats: Array) -> list[tuple[str, str]]:
    """Return pieces of `text` with their style for the terminal, from calm to red."""
    pieces: list[tuple[str, str]] = []
    for character, value in zip(text, nats, strict=True):
        share = heat(float(value))
        level = round(5 * share)
        style = "" if not level else f"black on rgb(255,{230 - 36 * level},{180 - 36 * level})"
        if pieces and pieces[-1][1] == style and character != "\n":
            pieces[-1] = (pieces[-1][0] + character, style)
        else:
            pieces.append((character, "" if character == "\n" else style))
    return pieces


def page(
    title: str, text: str, nats: Array, alternatives: list[list[tuple[str, float]]], loss: float
) -> str:
    """Return a self-contained page: the text as a heat map, with what was expected on hover."""
    data = {
        "title": title,
        "loss": round(loss, 4),
        "text": list(text),
        "nats": [round(float(value), 3) for value in nats],
        "likely": [[[c, round(float(p), 4)] for c, p in row] for row in alternatives],
    }
    filled = _PAGE.replace("CALM", str(CALM)).replace("WILD", str(WILD))
    return filled.replace("STYLE", STYLE).replace("DATA", embedded(data))


def embedded(data: object) -> str:
    """Return `data` as JSON that can stand in a page's `<script type="application/json">`."""
    # "</script" would end the data early, and "<!--" would hide its end.
    return json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")


STYLE = """\
body { font: 16px/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem;
       color: #222; background: #fff; }
pre { font: 15px/1.7 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
pre span:hover, pre span:focus { outline: 2px solid #333; }
#tip { position: fixed; display: none; background: #222; color: #fff; padding: .5rem .8rem;
       border-radius: .4rem; font: 14px/1.5 ui-monospace, monospace; white-space: pre; }"""
"""How a page looks that shades a text, and tells more in #tip."""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Surprise</title>
<style>
STYLE
.scale { display: inline-block; width: 12rem; height: .8rem; vertical-align: middle;
         background: linear-gradient(90deg, #fff, rgb(255,230,150), rgb(230,50,20)); }
</style>
<h1></h1>
<p><span id="loss"></span> Expected <span class="scale"></span> surprising.
Point at a character to see its probability and what the model expected.</p>
<pre></pre>
<div id="tip"></div>
<script type="application/json" id="data">DATA</script>
<script>
const data = JSON.parse(document.getElementById("data").textContent);
document.title = data.title;
document.querySelector("h1").textContent = data.title;
document.getElementById("loss").textContent =
  `Mean surprise: ${data.loss} nats a character (${(data.loss / Math.LN2).toFixed(3)} bits).`;
const colour = nats => {
  const s = Math.min(Math.max((nats - CALM) / (WILD - CALM), 0), 1);
  if (s === 0) return "";
  return `rgb(${[255 - 25 * s, 240 - 190 * s, 190 - 170 * s].map(Math.round)})`;
};
const shown = c => ({"\\n": "\\u21b5", " ": "\\u2423", "\\t": "\\u21e5"})[c] ?? c;
const pre = document.querySelector("pre"), tip = document.getElementById("tip");
const all = document.createDocumentFragment();
data.text.forEach((c, i) => {
  const span = document.createElement("span");
  span.textContent = c === "\\n" ? "\\u21b5\\n" : c;
  if (c === "\\n") span.style.color = "#aaa";
  span.style.background = colour(data.nats[i]);
  span.dataset.i = i;
  all.append(span);
});
pre.append(all);
pre.addEventListener("mousemove", event => {
  const i = event.target.dataset.i;
  if (i === undefined) { tip.style.display = "none"; return; }
  const percent = p => (100 * p).toFixed(2).padStart(6) + " %";
  tip.textContent = `${shown(data.text[i])}  ${percent(Math.exp(-data.nats[i]))}  ` +
    `${data.nats[i].toFixed(2)} nats\\n` +
    data.likely[i].map(([c, p]) => `  ${shown(c)} ${percent(p)}`).join("\\n");
  tip.style.display = "block";
  tip.style.left = Math.min(event.clientX + 15, innerWidth - 220) + "px";
  tip.style.top = Math.min(event.clientY + 15, innerHeight - 170) + "px";
});
pre.addEventListener("mouseleave", () => { tip.style.display = "none"; });
</script>
</html>
"""
