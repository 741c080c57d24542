"""A figure in plain characters, for a terminal that shows no pictures."""

import math
from collections.abc import Iterator

from char_rnn.pictures.figure import Bars, Figure, Line, Panel, Rule
from char_rnn.pictures.ticks import Scale, line_or_bars, x_scale, y_scale

HEIGHT = 12
SIGNS = "ox+*#%@&=~"


def figure_chart(figure: Figure, width: int = 78) -> str:
    """Return every panel of `figure`, one below the other, in lines of `width` characters."""
    parts = [figure.title, *("\n".join(_panel(panel, width)) for panel in figure.panels)]
    return "\n\n".join(parts + ([figure.note] if figure.note else []))


def _panel(panel: Panel, width: int) -> Iterator[str]:
    lines, bars = line_or_bars(panel)
    yield panel.title
    if bars and not lines:
        yield from _bars(panel, bars, width)
    else:
        yield from _lines(panel, lines, width)


def _lines(panel: Panel, lines: list[Line], width: int) -> Iterator[str]:
    """Yield a grid of signs: each line its own; where two meet, the later one."""
    x, y = x_scale(panel), y_scale(panel)
    names = _rows(y)
    left = max((len(name) for name in names.values()), default=0)
    inner = width - left - 2
    grid = [[" "] * inner for _ in range(HEIGHT)]
    rules = [mark for mark in panel.marks if isinstance(mark, Rule) and not mark.vertical]
    for rule in rules:
        if 0 <= y.place(rule.at) <= 1:
            grid[round((1 - y.place(rule.at)) * (HEIGHT - 1))] = ["-"] * inner
    for k, line in enumerate(lines):
        sign = "." if line.dashed else SIGNS[k % len(SIGNS)]
        for at, value in _walked(line, x, inner):
            row = y.place(value)
            if 0 <= row <= 1:
                grid[round((1 - row) * (HEIGHT - 1))][at] = sign
    for r, signs in enumerate(grid):
        yield f"{names.get(r, ''):>{left}} |{''.join(signs)}".rstrip()
    yield " " * left + " +" + "-" * inner
    yield " " * (left + 2) + _below(x, inner)
    yield f"{'':{left + 2}}{panel.x.label}, and up: {panel.y.label}"
    legend = [
        f"{'.' if line.dashed else SIGNS[k % len(SIGNS)]} {line.label}"
        for k, line in enumerate(lines)
        if line.label
    ]
    legend += [f"- {rule.label}" for rule in rules if rule.label]
    if legend:
        yield f"{'':{left + 2}}" + "   ".join(legend)


def _walked(line: Line, x: Scale, inner: int) -> Iterator[tuple[int, float]]:
    """Yield column and value of each point of `line` that has a column."""
    for at, value in zip(line.x, line.y, strict=True):
        place = x.place(at)
        if math.isfinite(place) and math.isfinite(value) and 0 <= place <= 1:
            yield round(place * (inner - 1)), value


def _rows(y: Scale) -> dict[int, str]:
    """Return the names of the ticks by the rows of a grid."""
    return {round((1 - y.place(at)) * (HEIGHT - 1)): name for at, name in y.ticks}


def _below(x: Scale, inner: int) -> str:
    """Return the names of the ticks in one line, as many as have room."""
    line, free = [" "] * inner, 0
    for at, name in x.ticks:
        begin = round(x.place(at) * (inner - 1)) - len(name) // 2
        begin = min(max(begin, 0), inner - len(name))
        if begin >= free:
            line[begin : begin + len(name)] = name
            free = begin + len(name) + 1
    return "".join(line).rstrip()


def _bars(panel: Panel, series: list[Bars], width: int) -> Iterator[str]:
    """Yield a line a bar, as long as its value is large."""
    y = y_scale(panel)
    ticks = panel.x.ticks or {}
    rows = [
        (ticks.get(x, f"{x:g}"), bars.label, value)
        for k, x in enumerate(series[0].x)
        for bars in series
        for value in bars.y[k : k + 1]
    ]
    left = max(len(name) for name, _, _ in rows)
    kind = max(len(label) for _, label, _ in rows)
    shown = [f"{value:.4g}" for _, _, value in rows]
    right = max(map(len, shown))
    room = max(width - left - kind - right - 4, 8)
    last = None
    for (name, label, value), figures in zip(rows, shown, strict=True):
        share = y.place(value) if math.isfinite(value) else 0.0
        # Of a logarithm, what is not above 0 has no place.
        long = round(min(max(share, 0), 1) * room) if math.isfinite(share) else 0
        yield (
            f"{name if name != last else '':>{left}} {label:<{kind}} {'#' * long:<{room}} "
            f"{figures:>{right}}"
        )
        last = name
    yield f"{'':{left + 1}}{panel.y.label}, for each: {panel.x.label}"
