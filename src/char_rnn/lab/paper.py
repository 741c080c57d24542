"""A trace as one writes it on paper: line by line, and as a drawing of the unrolled network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from char_rnn.lab.equations import Equations, Row
from char_rnn.pictures.canvas import Canvas, text_width
from char_rnn.pictures.layout import wrapped

Array = np.ndarray

WHOLE = 8  # numbers of a vector that is shown as it is
SHOWN = 4  # of a longer one, and rows and columns of a matrix
DRAWN = 3  # of a vector in the drawing


@dataclass(frozen=True)
class Trace:
    """What `lab/trace.py` has computed, with the names of whose numbers they are.

    names: of each symbol. inputs: the ids that are read. steps, gradients: as `lab/by_hand.py` has
    them. cell: what it is called there.
    """

    whose: str
    cell: str
    equations: Equations
    names: Sequence[str]
    inputs: Sequence[int]
    steps: Sequence[Mapping[str, Any]]
    gradients: Mapping[str, Array]


def number(value: float) -> str:
    """Return `value` with four digits after the point, or in powers of ten where it is small."""
    if value in {0, 1}:
        return f"{abs(value):.0f}"  # −0 is 0
    text = f"{value:.4f}" if abs(value) >= 0.001 else f"{value:.1e}"
    return text.replace("-", "−")


def vector(values: Array | Sequence[float]) -> str:
    """Return a vector in brackets: all of it, or its first numbers and how many there are."""
    if len(values) <= WHOLE:
        return f"[{' '.join(map(number, values))}]"
    return f"[{' '.join(map(number, values[:SHOWN]))} … ({len(values)})]"


def _one_hot(x: Array) -> str:
    return vector(x) if len(x) <= WHOLE else f"1 at {int(x.argmax())}, 0 at the other {len(x) - 1}"


def matrix(values: Array, margin: int) -> list[str]:
    """Return the rows of a matrix, the first of each where it is large; margin: of all but one."""
    rows, columns = values.shape
    shown = [vector(row) for row in (values if rows <= WHOLE else values[:SHOWN])]
    if len(shown) < rows:
        shown.append(f"… ({rows} × {columns})")
    return [(" " * margin if k else "") + row for k, row in enumerate(shown)]


def listed(values: Any) -> Any:
    """Return numbers as JSON holds them; of a large array the first ones, its shape and norm."""
    array = np.asarray(values)
    if array.size <= WHOLE**2:
        return array.tolist()
    first = array[tuple(slice(SHOWN) for _ in array.shape)].tolist()
    return {"first": first, "shape": list(array.shape), "norm": float(np.linalg.norm(array))}


def lines(trace: Trace) -> list[str]:
    """Return every number, forward and backward, a line each."""
    T, H, V = len(trace.steps), len(trace.steps[0]["h"]), len(trace.names)
    reads = [trace.names[k] for k in trace.inputs]
    targets = [trace.names[step["target"]] for step in trace.steps]
    found = [
        f"{trace.whose}: {trace.cell}, {V} characters, {H} units; numbers in the order "
        f"{', '.join(trace.names[:WHOLE])}{', …' if V > WHOLE else ''}",
        f"it reads {', '.join(reads)} and is to predict {', '.join(targets)}",
        "",
        *(
            f"{name}_0 = {vector(trace.steps[0][f'{name}_before'])}"
            for name in ("h", "c")
            if f"{name}_before" in trace.steps[0]
        ),
    ]
    for t in range(1, T + 1):
        found += ["", f"step {t}: reads {reads[t - 1]}, is to predict {targets[t - 1]}"]
        found += _forward(trace, t)
    for t in range(T, 0, -1):
        found += ["", f"step {t}, backward"]
        found += _backward(trace, t)
    found += ["", "gradients, summed over the steps"]
    for name, gradient in trace.gradients.items():
        begin = f"  d{name} = "
        shown = [vector(gradient)] if gradient.ndim == 1 else matrix(gradient, len(begin))
        found += [begin + shown[0], *shown[1:]]
    return found


def _forward(trace: Trace, t: int) -> list[str]:
    step, target = trace.steps[t - 1], trace.names[trace.steps[t - 1]["target"]]
    read = trace.names[trace.inputs[t - 1]]
    return _aligned(
        (f"x_{t}", f"one-hot of {read}", _one_hot(step["x"])),
        *(_row(row, trace, t) for row in trace.equations.forward),
        (f"loss_{t}", f"−log p_{t}[{target}]", f"{number(step['loss'])} nats"),
    )


def _backward(trace: Trace, t: int) -> list[str]:
    return _aligned(*(_row(row, trace, t) for row in trace.equations.backward))


def _row(row: Row, trace: Trace, t: int) -> tuple[str, str, str]:
    """Return name, equation and numbers of a row, of step `t`."""
    key, name, equation = row
    step = trace.steps[t - 1]
    where = {"t": t, "b": t - 1, "n": t + 1, "target": trace.names[step["target"]]}
    if key.endswith("_next") and t == len(trace.steps):
        equation = "nothing comes after"
    return name.format(**where), equation.format(**where), vector(step[key])


def _aligned(*rows: tuple[str, str, str]) -> list[str]:
    """Return rows of a name, where it comes from, and its numbers below each other."""
    left, middle = (max(len(row[k]) for row in rows) for k in (0, 1))
    return [f"  {a:<{left}} {'=' if b else ' '} {b:<{middle}} = {c}" for a, b, c in rows]


BOX, GAP, ROW, SIZE = 300.0, 56.0, 21.0, 14.0  # pixels
MARGIN, TITLE = 14.0, 19.0
FORWARD, BACKWARD = "0", "1"  # colours
LEGEND = (("forward", FORWARD), ("backward: gradients of the sum of the losses", BACKWARD))

NOTHING = "   from the next step nothing"

Told = list[tuple[str, str]]  # lines and their colours


def sheet(trace: Trace, title: str) -> Canvas:
    """Return the unrolled network with its numbers: forward in blue, backward in orange."""
    T = len(trace.steps)
    width = max(2 * MARGIN + T * BOX + (T - 1) * GAP, 600.0)
    heads = wrapped(title, width - 2 * MARGIN, TITLE, bold=True)
    top = MARGIN + len(heads) * TITLE * 1.3 + 36
    foot = top + (12 + sum(map(len, trace.equations.drawn))) * ROW
    canvas = Canvas(width, foot + (len(trace.gradients) + 2) * ROW)
    for k, line in enumerate(heads):
        canvas.text(MARGIN, MARGIN + TITLE * (1 + 1.3 * k), line, TITLE, bold=True)
    left = MARGIN
    for name, colour in LEGEND:
        canvas.arrow(left, top - 21, left + 26, top - 21, colour, 2)
        canvas.text(left + 33, top - 16, name, SIZE, colour)
        left += 33 + text_width(name, SIZE) + 20
    for t in range(T):
        _column(canvas, trace, t, MARGIN + t * (BOX + GAP), top)
    canvas.text(MARGIN, foot + ROW, "Gradients, summed over the steps", SIZE, bold=True)
    for k, (name, gradient) in enumerate(trace.gradients.items(), 2):
        canvas.text(MARGIN, foot + k * ROW, f"d{name} = {_in_a_line(gradient)}", SIZE, BACKWARD)
    return canvas


def _column(canvas: Canvas, trace: Trace, t: int, left: float, top: float) -> None:
    """Draw a step: from below what it reads, its state, what it predicts."""
    step, T = trace.steps[t], len(trace.steps)
    read, target = trace.names[trace.inputs[t]], trace.names[step["target"]]
    output = [
        (f"loss = −log p[{target}] = {step['loss']:.3f}", FORWARD),
        (f"p = {_short(step['p'])}", FORWARD),
        (f"y = {_short(step['y'])}", FORWARD),
        (f"dy = {_short(step['dy'])}", BACKWARD),
    ]
    forward, backward = trace.equations.drawn
    names = {"from_output": "   from y", "from_next": f"   from step {t + 2}"}
    state = [(f"{key} = {_short(step[key])}", FORWARD) for key in forward]
    state += [(f"{names.get(key, f'{key} =')} {_short(step[key])}", BACKWARD) for key in backward]
    if t == T - 1:
        state[len(forward) + backward.index("from_next")] = (NOTHING, BACKWARD)
    middle, quarter = left + BOX / 2, BOX / 4
    below = _box(canvas, f"predicts {target}", output, left, top)
    upper = below + 1.6 * ROW
    canvas.arrow(middle - quarter, upper - 3, middle - quarter, below + 3, FORWARD, 2)
    canvas.arrow(middle + quarter, below + 3, middle + quarter, upper - 3, BACKWARD, 2)
    lower = _box(canvas, f"state {t + 1}", state, left, upper)
    if t < T - 1:
        right = left + BOX
        canvas.arrow(right + 4, upper + 2 * ROW, right + GAP - 4, upper + 2 * ROW, FORWARD, 2)
        canvas.arrow(right + GAP - 4, lower - 2 * ROW, right + 4, lower - 2 * ROW, BACKWARD, 2)
    canvas.arrow(middle, lower + 1.6 * ROW - 3, middle, lower + 3, FORWARD, 2)
    x = f" = {_short(step['x'])}" if len(step["x"]) <= DRAWN else ""
    canvas.text(middle, lower + 2.5 * ROW, f"x{x}, reads {read}", SIZE, FORWARD, "middle")


def _box(canvas: Canvas, head: str, told: Told, left: float, top: float) -> float:
    """Draw a box of lines; return where it ends."""
    height = (len(told) + 1.4) * ROW
    canvas.rect(left, top, BOX, height, "paper", "faint")
    canvas.text(left + 10, top + ROW, head, SIZE, bold=True)
    for k, (line, colour) in enumerate(told, 2):
        canvas.text(left + 10, top + k * ROW, line, SIZE, colour)
    return top + height


def _short(values: Array) -> str:
    """Return the first numbers of a vector, with three digits."""
    shown = " ".join(_three(value) for value in values[:DRAWN])
    return f"[{shown} …]" if len(values) > DRAWN else f"[{shown}]"


def _three(value: float) -> str:
    if value in {0, 1}:
        return f"{abs(value):.0f}"
    text = f"{value:.3f}" if abs(value) >= 0.001 else f"{value:.0e}"
    return text.replace("-", "−")


def _in_a_line(gradient: Array) -> str:
    """Return a small gradient in a line; of a large one shape and norm."""
    if gradient.size > 3 * DRAWN:
        shape = " × ".join(map(str, gradient.shape))
        return f"{shape} numbers of norm {_three(float(np.linalg.norm(gradient)))}"
    rows = [gradient] if gradient.ndim == 1 else list(gradient)
    return " ".join(f"[{' '.join(map(_three, row))}]" for row in rows)
