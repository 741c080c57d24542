"""What does a unit remember?

A trained network reads a text, and every unit of every layer, its state and its gates, is asked for
each of a list of features: within a speaker's name, place in the line, within brackets … The one
that follows it best is looked for in one text and scored on others. Beside it stands what the
character alone would tell, for that is no memory, and what the best of all units reaches for the
feature moved to another place of the text, for the best of thousands always looks like something.
"""

from typing import Any

import numpy as np

from char_rnn.analyse.neuron_view import (
    ROOM_ALONE,
    SIGNS,
    bounds,
    coloured,
    legend,
    page,
    part,
    plain,
    to_see,
    view,
)
from char_rnn.analyse.neurons import (
    LEFT,
    RIGHT,
    Follower,
    Found,
    Unit,
    activations,
    named_unit,
    of_unit,
    search,
    shown,
)
from char_rnn.charrnn import CharRNN
from char_rnn.data.vocabulary import named
from char_rnn.errors import TextTooShort, UsageError
from char_rnn.lab.experiment import Given, Result
from char_rnn.pictures.canvas import SERIES, Canvas, text_width
from char_rnn.pictures.figure import Drawing
from char_rnn.pictures.layout import HEAD, MARGIN, TICK, TITLE, draw_mark

USES = ("text", "model", "seeds")

Array = np.ndarray

LEAST = 2_000  # characters of a text that is scored
PASSAGE = 1_000  # characters that are coloured
DOCUMENTS = 64  # that are written at a time
GOOD = 0.9

WIDTH, NAMES, SCALE, ROW, SQUARE = 620.0, 150.0, 320.0, 25.0, 310.0  # of the picture, in pixels
CHARACTER = 3  # its mark and colour
END = ("\n\n", "")
GRID = 40  # places along a side of the gates' squares that marks can have

MEANS = (
    "A unit that follows a feature, beyond what the character alone tells, carries it from step to "
    "step: that is memory. It is no proof that the network uses it, nor that no other unit carries "
    "it too. Most units follow nothing on this list; what several carry together is not looked for."
)


def run(given: Given, characters: int = 12_000, unit: str = "") -> Result:
    """Find the units that follow features in so many characters, and score them on as many others.

    unit: the one that colours the text, LAYER:UNIT or LAYER:GATE:UNIT; the best one if empty.
    """
    model = given.model()
    asked = named_unit(unit, activations(model, np.zeros(1, np.intp))) if unit else None
    texts, about = _texts(given, model, characters)

    found = search(model, texts, rng_seed=given.rng_seed, each=given.each)
    best = sorted(found.states + found.gates, key=_beyond, reverse=True)
    of = asked or best[0].unit

    passage = texts[1][:PASSAGE]
    inside = to_see(activations(model, passage))
    text, values = shown(model, passage), of_unit(inside, of)
    ends = bounds(of.kind, inside[of.kind])
    return Result(
        _picture(found),
        _numbers(found, about),
        _said(found, about),
        MEANS,
        page=part(view(about, text, inside, best, first=of)),
        coloured=[(f"Unit {of}: ", ""), *legend(*ends), *coloured(text, values, *ends), END],
        plain=f"Unit {of}, {ends[0]:.1f} to {ends[1]:.1f}: {SIGNS!r}\n\n"
        + plain(text, values, *ends),
        settings={"text": "written by the model"} if given.text is None else {},
        files={"html": page(view(about, text, inside, best, ROOM_ALONE, of))},
    )


# ---- the texts: one for the search, others for the scores


def _texts(given: Given, model: CharRNN, characters: int) -> tuple[list[Array], str]:
    """Return ids, of the text of the search first, and a sentence about them."""
    size = max(characters, LEAST)
    parts = min(given.seeds, size // LEAST)
    name = given.name_of_model
    if given.text is None:
        first = _written(model, size, 1, given.rng_seed)
        others = _written(model, size // parts, parts, given.rng_seed + 1)
        return first + others, f"The model {name} reads texts that it has written itself."
    passage = given.passage(4 * size, 2 * LEAST)  # more than is needed, for some may be left out
    ids, left_out = _known(model, passage)
    if len(ids) < 2 * LEAST:
        raise TextTooShort(
            f"of {len(passage):,} characters of {given.name_of_text} the model knows {len(ids):,}; "
            f"this experiment needs {2 * LEAST:,} (not known: {left_out})"
        )
    ids = ids[: 2 * size]
    half = len(ids) // 2
    parts = min(parts, half // LEAST)
    about = f"The model {name} reads {given.name_of_text}"
    about += f", without what it does not know: {left_out}." if left_out else "."
    length = half // parts
    return [ids[:half], *(ids[half + k * length :][:length] for k in range(parts))], about


def _known(model: CharRNN, text: str) -> tuple[Array, str]:
    """Return the ids of what `model` knows of `text`, and what it does not know."""
    vocabulary = model.vocabulary
    if vocabulary is None:
        raise UsageError(
            "this model has no vocabulary; pass vocabulary=Vocabulary(text) to CharRNN"
        )
    if vocabulary.end is None:
        documents, ends = [text], []
    else:
        between = vocabulary.between
        documents, ends = text.split(between) if between else [text], [vocabulary.end]
    ids = [
        part
        for document in documents
        for part in (vocabulary.encode(vocabulary.without_unknown(document)), ends)
    ]
    unknown = vocabulary.unknown("".join(documents))
    return np.concatenate(ids).astype(vocabulary.dtype), named(unknown)


def _written(model: CharRNN, size: int, count: int, rng_seed: int) -> list[Array]:
    """Return `count` texts of `size` ids that `model` writes; of documents one after the other."""
    rng = np.random.default_rng(rng_seed)
    several = count if model.config.end is None else count * DOCUMENTS
    texts = [np.empty(0, np.intp)] * count
    while min(map(len, texts)) < size:
        more = model.sample_many([""] * several, size, rng=rng)
        texts = [
            np.concatenate([text, *(_known(model, new)[0] for new in more[k::count])])
            for k, text in enumerate(texts)
        ]
        if not max(map(len, more)):
            raise UsageError("this model writes nothing; give it a text to read")
    return [text[:size] for text in texts]


# ---- what came out


def _numbers(found: Found, about: str) -> dict[str, Any]:
    def of(follower: Follower) -> dict[str, Any]:
        return {
            "feature": follower.feature.name,
            "unit": str(follower.unit),
            "sign": follower.sign,
            "searched": follower.searched,
            "held_out": list(follower.held_out),
            "character": list(follower.character),
            "chance": list(follower.chance),
        }

    return {
        "about": about,
        "features": {
            f.feature.name: {"says": f.feature.says, "measure": _measure(f)} for f in found.states
        },
        "states": [of(follower) for follower in found.states],
        "gates": [of(follower) for follower in found.gates],
        "left_out": [feature.name for feature in found.left_out],
        "saturated": {
            gate: {"left": shares[0].tolist(), "right": shares[1].tolist()}
            for gate, shares in found.scores[0].saturated.items()
        },
    }


def _said(found: Found, about: str) -> str:
    """Return what came out: the best unit, all good ones, the most saturated gate."""
    followers = [f for f in found.states + found.gates if not f.feature.numeric]
    best = max(followers or found.states, key=_beyond)
    units: dict[str, Unit] = {}
    for follower in sorted(followers, key=_beyond, reverse=True):
        if follower.score >= GOOD and follower.beyond > 0:
            units.setdefault(follower.feature.name, follower.unit)
    named_good = ", ".join(f"{name} ({unit})" for name, unit in units.items()) or "none"
    said = [
        about,
        f"Unit {best.unit} follows “{best.feature.name}” ({best.feature.says}): {_measure(best)} "
        f"{best.score:.2f} ({min(best.held_out):.2f} … {max(best.held_out):.2f}) on text that the "
        f"search has not seen; the character alone would reach {np.median(best.character):.2f}, "
        f"chance {np.median(best.chance):.2f}, as the best of "
        f"{found.scores[0].scores[0].size:,} values.",
        f"At {GOOD} or better, beyond what the character alone tells: {named_good}.",
    ]
    shares = {
        (gate, layer): tuple(of[:, layer].mean(axis=1).tolist())
        for gate, of in found.scores[0].saturated.items()
        for layer in range(of.shape[1])
    }
    if shares:
        gate, layer = max(shares, key=lambda key: sum(shares[key]))
        left, right = shares[gate, layer]
        said.append(
            f"The most saturated gate is {gate} of layer {layer + 1}: shut (below {LEFT}) at "
            f"{left:.0%} of the characters, open (above {RIGHT}) at {right:.0%}."
        )
    if found.left_out:
        said.append(f"Hardly there, and left out: {', '.join(f.name for f in found.left_out)}.")
    return " ".join(said)


def _beyond(follower: Follower) -> float:
    return follower.beyond


def _measure(follower: Follower) -> str:
    return "correlation" if follower.feature.numeric else "area under the curve"


# ---- the picture


def _picture(found: Found) -> Drawing:
    """Return the followers, a row for each feature, beside the gates' saturation."""
    rows = _rows(found)
    gates = found.scores[0].saturated
    canvas = Canvas(MARGIN + max(WIDTH, len(gates) * SQUARE), 0)
    title = "What a unit remembers: the best for each feature"
    canvas.text(MARGIN, MARGIN + TITLE, title, TITLE, bold=True)
    below = _draw_rows(canvas, rows, 70.0)
    canvas.height = below + (SQUARE + 20 if gates else 0) + MARGIN
    for k, (gate, shares) in enumerate(gates.items()):
        _draw_gate(canvas, gate, shares, MARGIN + k * SQUARE, below + 30)
    return Drawing(title, canvas, _table(rows))


def _rows(found: Found) -> list[tuple[Follower, Follower | None]]:
    """Return the best state for each feature with the best gate, what is remembered most first."""
    gates: list[Follower | None] = [*found.gates] or [None] * len(found.states)
    rows = list(zip(found.states, gates, strict=True))
    rows.sort(key=lambda row: (row[0].feature.numeric, -row[0].beyond))
    return rows


def _draw_rows(canvas: Canvas, rows: list[tuple[Follower, Follower | None]], top: float) -> float:
    """Draw a row for each feature: its name, its marks, its units; return where they end."""
    _legend(canvas, top - 14)
    y = top + 12
    for numeric, measure in ((False, "area under the curve"), (True, "correlation of ranks")):
        of_kind = [row for row in rows if row[0].feature.numeric == numeric]
        if not of_kind:
            continue
        low = 0.0 if numeric else 0.5
        ticks = [low + (1 - low) * k / 5 for k in range(6)]
        begin = y
        for state, gate in of_kind:
            y += ROW
            canvas.text(NAMES - 12, y + 5, state.feature.name, TICK, anchor="end")
            units = str(state.unit) + (f", {gate.unit}" if gate else "")
            canvas.text(NAMES + SCALE + 14, y + 5, units, TICK - 1, "faint")
        end = y + ROW / 2
        for tick in ticks:
            x = _x(tick, low)
            canvas.line(x, begin + ROW / 2, x, end, "grid")
            canvas.text(x, end + 17, f"{tick:.1f}", TICK, anchor="middle")
        for k, (state, gate) in enumerate(of_kind):
            _draw_marks(canvas, state, gate, begin + ROW * (k + 1), low)
        canvas.text(NAMES + SCALE / 2, end + 37, measure, TICK, anchor="middle")
        y = end + 50
    return y


def _draw_marks(
    canvas: Canvas, state: Follower, gate: Follower | None, y: float, low: float
) -> None:
    chance = _x(float(np.median(state.chance)), low)
    canvas.line(chance, y - 8, chance, y + 8, "faint", 2.0, (3, 2))
    draw_mark(canvas, CHARACTER, _x(float(np.median(state.character)), low), y)
    for k, follower in ((1, gate), (0, state)):
        if follower is not None:
            ends = [_x(end, low) for end in (min(follower.held_out), max(follower.held_out))]
            canvas.line(ends[0], y, ends[1], y, str(k), 2.0)
            draw_mark(canvas, k, _x(follower.score, low), y)


def _x(score: float, low: float) -> float:
    """Return where a score stands; one below the scale at its beginning."""
    return NAMES + SCALE * max((score - low) / (1 - low), 0.0)


def _legend(canvas: Canvas, y: float) -> None:
    x = MARGIN
    for k, name in ((0, "best state"), (1, "best gate"), (CHARACTER, "the character alone")):
        draw_mark(canvas, k, x + 6, y - 5)
        canvas.text(x + 18, y, name, TICK)
        x += 34 + text_width(name, TICK)
    canvas.line(x + 6, y - 13, x + 6, y + 3, "faint", 2.0, (3, 2))
    canvas.text(x + 18, y, "chance", TICK)


def _draw_gate(canvas: Canvas, gate: str, shares: Array, left: float, top: float) -> None:
    """Draw a point for each unit: its share of right- over that of left-saturated characters."""
    left, side = left + 58, SQUARE - 80
    bottom = top + 16 + side
    canvas.text(left, top, f"Gate {gate}: each mark a unit", HEAD)
    for tick in (0.0, 0.5, 1.0):
        x, y = left + tick * side, bottom - tick * side
        canvas.line(x, bottom, x, bottom - side, "grid")
        canvas.line(left, y, left + side, y, "grid")
        canvas.text(x, bottom + 18, f"{tick:.1f}", TICK, anchor="middle")
        canvas.text(left - 8, y + 5, f"{tick:.1f}", TICK, anchor="end")
    canvas.line(left, bottom - side, left + side, bottom, "faint", 1.5, (5, 4))
    for layer in range(shares.shape[1]):
        points = np.round(shares[:, layer].T * GRID) / GRID  # many units would hide each other
        for x, y in np.unique(points, axis=0).tolist():
            _draw_unit(canvas, layer, left + x * side, bottom - y * side)
        key = bottom - side + 16 + 22 * layer  # above the diagonal, where no unit can be
        draw_mark(canvas, layer, left + side - 76, key)
        canvas.text(left + side - 64, key + 5, f"layer {layer + 1}", TICK)
    canvas.text(left + side / 2, bottom + 40, f"share shut (below {LEFT})", TICK, anchor="middle")
    canvas.text(
        left - 44,
        bottom - side / 2,
        f"share open (above {RIGHT})",
        TICK,
        anchor="middle",
        turned=True,
    )


def _draw_unit(canvas: Canvas, layer: int, x: float, y: float) -> None:
    colour = str(layer % SERIES)
    if layer % 2:
        canvas.rect(x - 2.3, y - 2.3, 4.6, 4.6, colour)
    else:
        canvas.circle(x, y, 2.6, colour)


def _table(rows: list[tuple[Follower, Follower | None]]) -> str:
    """Return the same in plain characters."""
    lines = [f"{'':16}{'state':>7} score {'':11} {'gate':>8} score character chance"]
    for state, gate in rows:
        spread = f"({min(state.held_out):.2f}…{max(state.held_out):.2f})"
        of_gate = f"{gate.unit!s:>8} {gate.score:5.2f}" if gate else f"{'':14}"
        alone, chance = np.median(state.character), np.median(state.chance)
        star = " *" if state.feature.numeric else ""
        lines.append(
            f"{state.feature.name:16}{state.unit!s:>7} {state.score:5.2f} {spread} {of_gate} "
            f"{alone:9.2f} {chance:6.2f}{star}"
        )
    lines.append("Areas under the curve, * correlations of ranks, on text that was held out.")
    return "\n".join(lines)
