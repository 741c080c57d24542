"""The picture of a sweep: the loss of each row, with the spread over its seeds."""

from char_rnn.pictures.figure import Axis, Bars, Figure, Line, Panel
from char_rnn.sweeps.results import Row, Sweep
from char_rnn.sweeps.table import shown

MOST_LINES = 8
LOG_FROM = 8
"""A number whose largest value is so many times its smallest stands on a logarithmic axis."""


def figure(sweep: Sweep) -> Figure:
    """Return lines over the setting with the most numbers, one for each of the others' values.

    Bars, a row each, where no setting is a number or there would be too many lines.
    """
    rows = [row for row in sweep.rows if row.loss is not None and row.point is not None]
    along = _along(sweep, rows)
    loss = Axis("validation loss, nats a character")
    title = f"{sweep.text}: {', '.join(sweep.names)}"
    lines = {} if along is None else _lines(sweep, rows, along)
    if along is None or not 0 < len(lines) <= MOST_LINES:
        return Figure(title, [Panel("", _names(sweep, rows), loss, [_bars(rows)])], columns=1)
    marks = []
    for label, found in lines.items():
        found.sort(key=lambda row: _number(row, along))
        x = [_number(row, along) for row in found]
        y, low, high = _band(found)
        marks.append(Line(x, y, label, low, high))
    numbers = [x for line in marks for x in line.x]
    log = min(numbers) > 0 and max(numbers) >= LOG_FROM * min(numbers)
    axis = Axis(along, log, ticks={x: shown(x) for x in sorted(set(numbers))} if log else None)
    return Figure(title, [Panel("", axis, loss, marks)], columns=1)


def _along(sweep: Sweep, rows: list[Row]) -> str | None:
    """Return the setting that the picture goes along."""
    counts = {}
    for name in sweep.names:
        values = {row.point[name] for row in rows if row.point}
        if values and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            counts[name] = len(values)
    return max(counts, key=lambda name: counts[name]) if counts else None


def _lines(sweep: Sweep, rows: list[Row], along: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row.number):
        point = row.point or {}
        others = [name for name in sweep.names if name != along]
        label = ", ".join(
            shown(point[name]) if isinstance(point[name], str) else f"{name} {shown(point[name])}"
            for name in others
        )
        found.setdefault(label, []).append(row)
    return found


def _number(row: Row, name: str) -> float:
    assert row.point is not None
    return float(row.point[name])


def _band(rows: list[Row]) -> tuple[list[float], list[float], list[float]]:
    y = [row.loss or 0.0 for row in rows]
    spread = [row.spread or 0.0 for row in rows]
    low = [mean - s for mean, s in zip(y, spread, strict=True)]
    return y, low, [mean + s for mean, s in zip(y, spread, strict=True)]


def _bars(rows: list[Row]) -> Bars:
    y, low, high = _band(rows)
    return Bars(list(range(len(rows))), y, low=low, high=high)


def _names(sweep: Sweep, rows: list[Row]) -> Axis:
    ticks = {
        float(k): ", ".join(shown((row.point or {})[name]) for name in sweep.names)
        for k, row in enumerate(rows)
    }
    return Axis(", ".join(sweep.names), ticks=ticks)
