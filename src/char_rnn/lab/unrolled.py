"""An unrolled network as a drawing, and as a table for the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from char_rnn.pictures.canvas import Canvas, text_width
from char_rnn.pictures.layout import wrapped


@dataclass(frozen=True)
class Column:
    """One step, in names and numbers that are ready to be shown.

    likeliest: the next characters that it thinks likeliest, with their probabilities. comes: what
    does come. loss: −log p of it, in nats. norm: ‖h‖. cells: h of the units that are shown.
    """

    reads: str
    likeliest: Sequence[tuple[str, float]]
    comes: str
    loss: float
    norm: float
    cells: Sequence[float]


@dataclass(frozen=True)
class Unrolled:
    """A network unrolled over a word.

    back: between each column and the next, the norm of the gradient that flows back: of all later
    losses, and of the last one. state: what is shown of a state. flows: what the norm is of.
    """

    title: str
    columns: Sequence[Column]
    back: Sequence[tuple[float, float]]
    state: str
    flows: str


MARGIN, NAMES, GAP, LEAST = 14.0, 114.0, 16.0, 84.0  # pixels; GAP between columns, of LEAST width
TITLE, SIZE, ROW = 19.0, 14.0, 20.0
CELLS, CELL = 6, 14.0  # in a row of a strip; their size
FORWARD, BACKWARD = "0", "1"  # colours; of a cell above and below zero
THICK = 7.0
DASH = (5.0, 3.0)


def drawing(net: Unrolled) -> Canvas:
    """Return the network with a column a step: forward in blue, backward in orange."""
    T = len(net.columns)
    box = max([LEAST, *(_wide(*of) for column in net.columns for of in column.likeliest)])
    width = max(2 * MARGIN + NAMES + T * (box + GAP) - GAP, 640.0)
    heads = wrapped(net.title, width - 2 * MARGIN, TITLE, bold=True)
    feet = wrapped(f"State: {net.state}. Gradients: {net.flows}.", width - 2 * MARGIN, SIZE)
    top = MARGIN + len(heads) * TITLE * 1.3 + 10
    rows = _Places(top, box, len(net.columns[0].likeliest), len(net.columns[0].cells))
    canvas = Canvas(width, rows.bottom + len(feet) * ROW + MARGIN)
    for k, line in enumerate(heads):
        canvas.text(MARGIN, MARGIN + TITLE * (1 + 1.3 * k), line, TITLE, bold=True)
    for k, line in enumerate(feet, 1):
        canvas.text(MARGIN, rows.bottom + k * ROW, line, SIZE, "faint")
    _row_names(canvas, rows)
    most = max((total for total, _ in net.back), default=0.0) or 1.0
    for t, column in enumerate(net.columns):
        middle = MARGIN + NAMES + t * (box + GAP) + box / 2
        _column(canvas, rows, column, middle)
        if t < T - 1:
            _between(canvas, rows, net.back[t], most, middle)
    return canvas


def _wide(name: str, p: float) -> float:
    """Return the width of a column in which `name` is predicted with the probability `p`."""
    return text_width(name + f"{100 * p:.0f}", SIZE, bold=True) + 14


class _Places:
    """Where the rows stand, from above: what comes, predictions, state, gradients, what is read.

    box: the width of a column.
    """

    def __init__(self, top: float, box: float, likeliest: int, cells: int) -> None:
        self.box = box
        self.comes = top + ROW
        self.loss = self.comes + ROW
        self.predicts = self.loss + 14
        self.predicted = self.predicts + likeliest * ROW + 8
        self.state = self.predicted + 30
        self.stated = self.state + -(-cells // CELLS) * CELL + ROW + 14
        self.total = self.stated + 24
        self.last = self.total + 2.3 * ROW
        self.read = self.last + 2.3 * ROW
        self.bottom = self.read + 1.5 * ROW


def _row_names(canvas: Canvas, rows: _Places) -> None:
    def name(y: float, *lines: str, colour: str = "ink") -> None:
        for k, line in enumerate(lines):
            canvas.text(MARGIN, y + 17 * k, line, SIZE, colour)

    name(rows.comes, "comes")
    name(rows.loss, "loss, nats")
    name(rows.predicts + ROW, "it predicts,", "in %", colour=FORWARD)
    name((rows.state + rows.stated) / 2, "state, ‖h‖", colour=FORWARD)
    name(rows.total + 1, "gradient of", "all later losses", colour=BACKWARD)
    name(rows.last + 1, "of the last", "loss alone", colour=BACKWARD)
    name(rows.read + 12, "reads")


def _column(canvas: Canvas, rows: _Places, column: Column, middle: float) -> None:
    box = rows.box
    left = middle - box / 2
    canvas.text(middle, rows.comes, column.comes, SIZE, anchor="middle", bold=True)
    canvas.text(middle, rows.loss, f"{column.loss:.2f}", SIZE, anchor="middle")
    canvas.rect(left, rows.predicts, box, rows.predicted - rows.predicts, "paper", "faint")
    for k, (name, p) in enumerate(column.likeliest):
        y, right = rows.predicts + 4 + k * ROW, name == column.comes
        canvas.rect(left + 2, y, p * (box - 4), ROW - 2, FORWARD, opacity=0.3)
        canvas.text(left + 5, y + 14, name, SIZE, bold=right)
        canvas.text(left + box - 5, y + 14, f"{100 * p:.0f}", SIZE, anchor="end", bold=right)
    canvas.arrow(middle, rows.state - 3, middle, rows.predicted + 3, FORWARD)
    canvas.rect(left, rows.state, box, rows.stated - rows.state, "paper", "faint")
    for k, value in enumerate(column.cells):
        x = middle + (k % CELLS - min(CELLS, len(column.cells)) / 2) * CELL
        y = rows.state + 5 + k // CELLS * CELL
        strength = min(abs(value), 1.0)
        canvas.rect(x, y, CELL, CELL, "paper", "faint", 0.5)
        canvas.rect(
            x + 1, y + 1, CELL - 2, CELL - 2, FORWARD if value > 0 else BACKWARD, opacity=strength
        )
    canvas.text(middle, rows.stated - 6, f"{column.norm:.2f}", SIZE, FORWARD, "middle")
    canvas.arrow(middle, rows.read - 5, middle, rows.stated + 3, FORWARD)
    half = max(text_width(column.reads, SIZE) / 2 + 6, 13)
    canvas.rect(middle - half, rows.read - 4, 2 * half, ROW + 4, "paper", "faint")
    canvas.text(middle, rows.read + 13, column.reads, SIZE, anchor="middle")


def _between(
    canvas: Canvas, rows: _Places, back: tuple[float, float], most: float, middle: float
) -> None:
    """Draw what goes on to the next column, and what flows back from it."""
    y = (rows.state + rows.stated) / 2
    pitch, edge = rows.box + GAP, middle + rows.box / 2
    canvas.arrow(edge + 1, y, edge + GAP - 1, y, FORWARD)
    for norm, y, dash in ((back[0], rows.total, ()), (back[1], rows.last, DASH)):
        width = 1 + (THICK - 1) * norm / most
        canvas.arrow(middle + pitch - 10, y, middle + 10, y, BACKWARD, width, dash)
        canvas.text(middle + pitch / 2, y + 19, shown(norm), SIZE, BACKWARD, "middle")


def shown(norm: float) -> str:
    """Return a norm with two digits that count."""
    if norm == 0 or 0.01 <= norm < 100:
        return f"{norm:.2f}"
    return f"{norm:.0e}".replace("-", "−")


def table(net: Unrolled) -> str:
    """Return it as a table: a row a step."""
    head = ("reads", "comes", "loss", "it predicts", "‖h‖", "all later", "the last")
    rows = [
        (
            column.reads,
            column.comes,
            f"{column.loss:.2f}",
            "  ".join(f"{name} {100 * p:.0f} %" for name, p in column.likeliest),
            f"{column.norm:.2f}",
            *map(shown, back),
        )
        for column, back in zip(net.columns, [*net.back, ()], strict=True)
    ]
    full = [head, *((*row, *[""] * (len(head) - len(row))) for row in rows)]
    widths = [max(len(row[k]) for row in full) for k in range(len(head))]
    lines = [
        "  ".join(
            f"{cell:>{width}}" if k in (2, 4, 5, 6) else f"{cell:<{width}}"
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in full
    ]
    return "\n".join([net.title, "", *lines, "", f"State: {net.state}. Gradients: {net.flows}."])
