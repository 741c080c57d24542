"""Where a figure's panels, axes, legends and marks stand: a `Figure` drawn on a `Canvas`."""

import math
from collections.abc import Iterator
from itertools import pairwise

from char_rnn.pictures.canvas import SERIES, Canvas, Point, text_width
from char_rnn.pictures.figure import Bars, Figure, Line, Panel, Rule
from char_rnn.pictures.ticks import line_or_bars, x_scale, y_scale

PANEL_WIDTH, PLOT_HEIGHT = 470.0, 270.0
TITLE, HEAD, LABEL, TICK = 19.0, 16.0, 15.0, 14.0  # sizes of fonts, in pixels
MARGIN = 14.0
LEFT, BELOW = 74.0, 56.0  # of a plot: room for tick names and the label
LEGEND_ROW = 21.0
SAMPLE = 30.0  # the piece of a line in a legend
DASHES: tuple[tuple[float, ...], ...] = ((), (9, 3), (3, 3), (12, 3, 3, 3), (6, 2), (2, 4))
"""Of the series, so that they can be told apart without colours; their marks differ too."""
THEORY = (2.0, 3.0)


def figure_canvas(figure: Figure) -> Canvas:
    """Return `figure` drawn."""
    columns = max(1, min(figure.columns, len(figure.panels)))
    rows = [figure.panels[k : k + columns] for k in range(0, len(figure.panels), columns)]
    width = columns * PANEL_WIDTH + 2 * MARGIN
    title = wrapped(figure.title, width - 2 * MARGIN, TITLE, bold=True)
    note = wrapped(figure.note, width - 2 * MARGIN, TICK)
    top = MARGIN + len(title) * TITLE * 1.3 + 6
    heads = [max(_head(panel) for panel in row) for row in rows]
    height = top + sum(head + PLOT_HEIGHT + BELOW + MARGIN for head in heads)
    canvas = Canvas(width, height + len(note) * TICK * 1.4 + (8 if note else 0))
    for k, line in enumerate(title):
        canvas.text(MARGIN, MARGIN + TITLE * (1 + 1.3 * k), line, TITLE, bold=True)
    colours = figure.colours()
    for row, head in zip(rows, heads, strict=True):
        for k, panel in enumerate(row):
            left = MARGIN + k * PANEL_WIDTH
            _Plot(canvas, panel, colours, left, top, head).draw()
        top += head + PLOT_HEIGHT + BELOW + MARGIN
    for k, line in enumerate(note):
        canvas.text(MARGIN, height + TICK * (1 + 1.4 * k), line, TICK, "faint")
    return canvas


def panel_canvas(figure: Figure, at: int) -> Canvas:
    """Return one panel of `figure` by itself, in its colours there: for a page that is narrow."""
    panel = figure.panels[at]
    head = _head(panel)
    canvas = Canvas(PANEL_WIDTH, head + PLOT_HEIGHT + BELOW)
    _Plot(canvas, panel, figure.colours(), 0, 0, head).draw()
    return canvas


def _head(panel: Panel) -> float:
    """Return the height of title and legend of `panel`."""
    titles = wrapped(panel.title, PANEL_WIDTH - MARGIN, HEAD)
    return len(titles) * HEAD * 1.3 + LEGEND_ROW * len(_legend_rows(panel)) + 10


def _legend_rows(panel: Panel) -> list[list[Line | Bars | Rule]]:
    """Return what the legend of `panel` names, in rows that fit."""
    named = [mark for mark in panel.marks if mark.label]
    seen: set[str] = set()
    rows: list[list[Line | Bars | Rule]] = []
    room = 0.0
    for mark in named:
        if mark.label in seen:
            continue
        seen.add(mark.label)
        width = SAMPLE + 8 + text_width(mark.label, TICK) + 16
        if width > room:
            rows.append([])
            room = PANEL_WIDTH - MARGIN
        rows[-1].append(mark)
        room -= width
    return rows


def wrapped(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """Return `text` in lines of at most `width` pixels; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class _Plot:
    """One panel, being drawn: its upper left corner, and `head` pixels above the plot itself."""

    def __init__(
        self,
        canvas: Canvas,
        panel: Panel,
        colours: dict[int, int],
        left: float,
        top: float,
        head: float,
    ) -> None:
        self.canvas, self.panel, self.colours = canvas, panel, colours
        self.outer, self.upper = left, top
        self.left, self.right = left + LEFT, left + PANEL_WIDTH - MARGIN
        self.top, self.bottom = top + head, top + head + PLOT_HEIGHT
        self.x, self.y = x_scale(panel), y_scale(panel)

    def draw(self) -> None:
        """Draw grid, marks, frame, names."""
        self._grid()
        lines, bars = line_or_bars(self.panel)
        for mark in self.panel.marks:
            if isinstance(mark, Rule):
                self._rule(mark)
        self._bars(bars)
        for line in lines:
            self._band(line)
        for line in lines:
            self._line(line)
        self._frame()
        self._names()

    def _at(self, x: float, y: float) -> Point:
        """Return the pixel of a point."""
        return (
            self.left + self.x.place(x) * (self.right - self.left),
            self.bottom - self.y.place(y) * (self.bottom - self.top),
        )

    def _grid(self) -> None:
        for at, _ in self.y.ticks:
            _, y = self._at(self.x.low, at)
            self.canvas.line(self.left, y, self.right, y, "grid")
        if self.panel.x.ticks is None:
            for at, _ in self.x.ticks:
                x, _ = self._at(at, self.y.low)
                self.canvas.line(x, self.top, x, self.bottom, "grid")

    def _rule(self, rule: Rule) -> None:
        ends = [(rule.at, self.y.low), (rule.at, self.y.high)]
        if not rule.vertical:
            ends = [(self.x.low, rule.at), (self.x.high, rule.at)]
        scale = self.x if rule.vertical else self.y
        if scale.low <= rule.at <= scale.high:
            self.canvas.polyline([self._at(*end) for end in ends], "faint", 1.5, (5, 4))

    def _bars(self, series: list[Bars]) -> None:
        """Draw the groups of bars, each with its whisker."""
        if not series:
            return
        at_x = {self._at(x, self.y.low)[0] for bars in series for x in bars.x}
        places = sorted(filter(math.isfinite, at_x))
        alone = (self.right - self.left) / (8 if self.x.log else max(1, self.x.high - self.x.low))
        step = min((b - a for a, b in pairwise(places)), default=alone)
        wide = min(0.8 * step / len(series), 60)
        for k, bars in enumerate(series):
            colour = str(self.colours[id(bars)] % SERIES)
            shift = (k - len(series) / 2) * wide
            for i, (x, y) in enumerate(zip(bars.x, bars.y, strict=True)):
                if not (math.isfinite(y) and 0 <= self.x.place(x) <= 1):
                    continue
                at, top = self._at(x, self._held(y))
                base = self._at(x, self._held(0.0))[1]
                self.canvas.rect(
                    at + shift, min(top, base), max(wide - 1.5, 1), abs(base - top), colour
                )
                if bars.low is not None and bars.high is not None:
                    self._whisker(x, at + shift + wide / 2, bars.low[i], bars.high[i])

    def _whisker(self, x: float, at: float, low: float, high: float) -> None:
        if not (math.isfinite(low) and math.isfinite(high)) or low == high:
            return
        (_, bottom), (_, top) = (self._at(x, self._held(y)) for y in (low, high))
        for colour, width in (("paper", 4.5), ("ink", 1.5)):  # so that it is seen on dark bars too
            self.canvas.line(at, bottom, at, top, colour, width)
            for y in (bottom, top):
                self.canvas.line(at - 4, y, at + 4, y, colour, width)

    def _band(self, line: Line) -> None:
        """Fill from low to high; what leaves the panel is held at its edge."""
        if line.low is None or line.high is None:
            return
        colour = str(self.colours[id(line)] % SERIES)
        rows = zip(line.x, line.low, line.high, strict=True)
        points = [
            (self._at(x, self._held(low)), self._at(x, self._held(high)))
            for x, low, high in rows
            if math.isfinite(low) and math.isfinite(high) and self.x.low <= x <= self.x.high
        ]
        if len(points) > 1:
            around = [low for low, _ in points] + [high for _, high in reversed(points)]
            self.canvas.polygon(around, colour, opacity=0.2)

    def _held(self, y: float) -> float:
        return min(max(y, self.y.low), self.y.high)

    def _line(self, line: Line) -> None:
        """Draw a line, cut at the edges of the panel, and its marks."""
        k = self.colours[id(line)]
        colour, dash = str(k % SERIES), THEORY if line.dashed else DASHES[k % len(DASHES)]
        points = [self._at(x, y) for x, y in zip(line.x, line.y, strict=True)]
        for piece in _pieces(points, (self.left, self.top, self.right, self.bottom)):
            self.canvas.polyline(piece, colour, 1.6 if line.dashed else 2.2, dash)
        if not line.marks or line.dashed:
            return
        every = max(1, len(points) // 12)  # a mark at each of a hundred points is a smear
        for x, y in points[::every]:
            if self.left <= x <= self.right and self.top <= y <= self.bottom:
                draw_mark(self.canvas, k, x, y)

    def _frame(self) -> None:
        corners = [(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)]
        self.canvas.polyline(corners, "ink", 1.3)

    def _names(self) -> None:
        """Write the title, the legend, the ticks' names and the labels."""
        canvas, y = self.canvas, self.upper
        for line in wrapped(self.panel.title, PANEL_WIDTH - MARGIN, HEAD):
            y += HEAD * 1.3
            canvas.text(self.outer, y - 4, line, HEAD)
        for row in _legend_rows(self.panel):
            y += LEGEND_ROW
            self._legend(row, y - 5)
        for at, name in self.y.ticks:
            canvas.text(self.left - 7, self._at(self.x.low, at)[1] + 5, name, TICK, "ink", "end")
        self._x_names()
        middle = (self.left + self.right) / 2
        canvas.text(middle, self.bottom + 46, self.panel.x.label, LABEL, anchor="middle")
        # Beside the plot and not beyond it, where the legend is.
        room = (PLOT_HEIGHT + 10) / max(text_width(self.panel.y.label, 1), 1)
        canvas.text(
            self.outer + 13,
            (self.top + self.bottom) / 2,
            self.panel.y.label,
            min(LABEL, room),
            anchor="middle",
            turned=True,
        )

    def _x_names(self) -> None:
        """Write the names of the ticks below the plot, as many as have room."""
        free = -math.inf
        for at, name in self.x.ticks:
            x, _ = self._at(at, self.y.low)
            half = text_width(name, TICK) / 2
            self.canvas.line(x, self.bottom, x, self.bottom + 5, "ink", 1.3)
            if x - half > free:
                self.canvas.text(x, self.bottom + 22, name, TICK, anchor="middle")
                free = x + half + 6

    def _legend(self, row: list[Line | Bars | Rule], y: float) -> None:
        canvas, x = self.canvas, self.outer
        for mark in row:
            middle = y - 5
            match mark:
                case Rule():
                    canvas.line(x, middle, x + SAMPLE, middle, "faint", 1.5, (5, 4))
                case Bars():
                    colour = str(self.colours[id(mark)] % SERIES)
                    canvas.rect(x + 8, middle - 6, 14, 12, colour)
                case Line():
                    k = self.colours[id(mark)]
                    dash = THEORY if mark.dashed else DASHES[k % len(DASHES)]
                    canvas.line(x, middle, x + SAMPLE, middle, str(k % SERIES), 2.2, dash)
                    if mark.marks and not mark.dashed:
                        draw_mark(canvas, k, x + SAMPLE / 2, middle)
            canvas.text(x + SAMPLE + 8, y, mark.label, TICK)
            x += SAMPLE + 8 + text_width(mark.label, TICK) + 16


def draw_mark(canvas: Canvas, k: int, x: float, y: float) -> None:
    """Draw the mark of the series k: circle, square, triangle, diamond, and so on again."""
    colour, r = str(k % SERIES), 4.2
    match k % 5:
        case 0:
            canvas.circle(x, y, r, colour)
        case 1:
            canvas.rect(x - r + 0.4, y - r + 0.4, 2 * r - 0.8, 2 * r - 0.8, colour)
        case 2:
            canvas.polygon([(x, y - r - 1), (x + r, y + r - 1), (x - r, y + r - 1)], colour)
        case 3:
            canvas.polygon([(x, y - r - 1), (x + r + 1, y), (x, y + r + 1), (x - r - 1, y)], colour)
        case _:
            canvas.polygon([(x, y + r + 1), (x + r, y - r + 1), (x - r, y - r + 1)], colour)


def _pieces(points: list[Point], box: tuple[float, float, float, float]) -> Iterator[list[Point]]:
    """Yield the parts of a line through `points` that are inside `box`; NaN ends one."""
    piece: list[Point] = []
    for a, b in pairwise(points):
        cut = _cut(a, b, box)
        if cut is None:
            if len(piece) > 1:
                yield piece
            piece = []
            continue
        if piece and piece[-1] != cut[0]:
            yield piece
            piece = []
        piece = [*(piece or [cut[0]]), cut[1]]
        if cut[1] != b:
            yield piece
            piece = []
    if len(piece) > 1:
        yield piece


def _cut(a: Point, b: Point, box: tuple[float, float, float, float]) -> tuple[Point, Point] | None:
    """Return the part of the line from a to b inside `box`, or None (Liang and Barsky 1984)."""
    if not all(map(math.isfinite, (*a, *b))):
        return None
    (ax, ay), (bx, by), (left, top, right, bottom) = a, b, box
    first, last = 0.0, 1.0
    for delta, low, high in ((bx - ax, left - ax, right - ax), (by - ay, top - ay, bottom - ay)):
        if delta == 0:
            if low > 0 or high < 0:
                return None
            continue
        near, far = sorted((low / delta, high / delta))
        first, last = max(first, near), min(last, far)
    if first > last:
        return None
    start = a if first == 0 else (ax + first * (bx - ax), ay + first * (by - ay))
    end = b if last == 1 else (ax + last * (bx - ax), ay + last * (by - ay))
    return start, end
