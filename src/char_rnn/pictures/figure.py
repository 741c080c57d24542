"""What is to be seen: panels with lines, bands, bars and rules, or a free drawing.

Nothing here says where anything stands; layout.py does, and chart.py for plain characters.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from char_rnn.errors import UsageError
from char_rnn.pictures.canvas import Canvas

Numbers = Sequence[float]


@dataclass(frozen=True)
class Axis:
    """One axis: its label, with the unit, and where it begins and ends (None: as the data do).

    log: logarithmic. ticks: place -> name, where the places are no numbers to read.
    """

    label: str
    log: bool = False
    ticks: Mapping[float, str] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Line:
    """y over x, with a mark at each point; what is not finite leaves a gap.

    low, high: the band around it. dashed: what a theory says rather than what was measured.
    colour: which of the series' colours; None takes the next one, the same for the same label.
    """

    x: Numbers
    y: Numbers
    label: str = ""
    low: Numbers | None = None
    high: Numbers | None = None
    dashed: bool = False
    marks: bool = True
    colour: int | None = None

    def __post_init__(self) -> None:
        _as_floats(self)


@dataclass(frozen=True)
class Bars:
    """Bars from nothing to y at x, with whiskers from low to high; several stand side by side."""

    x: Numbers
    y: Numbers
    label: str = ""
    low: Numbers | None = None
    high: Numbers | None = None
    colour: int | None = None

    def __post_init__(self) -> None:
        _as_floats(self)


@dataclass(frozen=True)
class Rule:
    """A dashed line across the panel, at a value of y, or upright at one of x."""

    at: float
    label: str = ""
    vertical: bool = False


Mark = Line | Bars | Rule


@dataclass(frozen=True)
class Panel:
    """One diagram."""

    title: str
    x: Axis
    y: Axis
    marks: Sequence[Mark]

    @property
    def series(self) -> list[Line | Bars]:
        """The marks that have data."""
        return [mark for mark in self.marks if not isinstance(mark, Rule)]


class Picture:
    """What can be shown: `svg()`, `chart()`, `save(path)`, and itself in a notebook."""

    title: str

    def canvas(self) -> Canvas:
        """Return it drawn."""
        raise NotImplementedError

    def chart(self, width: int = 78) -> str:
        """Return it in plain characters, lines of at most `width` where it can be helped."""
        raise NotImplementedError

    def svg(self, style: bool = True) -> str:
        """Return it as an SVG element; style: see `pictures.svg`."""
        from char_rnn.pictures.svg import svg

        return svg(self.canvas(), self.title, style)

    def save(self, path: str | Path) -> None:
        """Write it: .svg needs nothing, .png and .pdf need matplotlib (the extra `plots`)."""
        file = Path(path)
        if file.suffix.lower() == ".svg":
            from char_rnn.storage import write_bytes

            write_bytes(file, self.svg().encode())
            return
        from char_rnn.pictures.png import SHARP, check_format, drawn, save

        check_format(file)
        save(drawn(self.canvas()), file, 100 * SHARP)

    def _repr_html_(self) -> str:
        return self.svg()


@dataclass(frozen=True)
class Figure(Picture):
    """Panels beside and below each other, under a title. note: a line below them."""

    title: str
    panels: Sequence[Panel]
    columns: int = 2
    note: str = ""

    def canvas(self) -> Canvas:
        """Return it drawn."""
        from char_rnn.pictures.layout import figure_canvas

        return figure_canvas(self)

    def chart(self, width: int = 78) -> str:
        """Return every panel in plain characters."""
        from char_rnn.pictures.chart import figure_chart

        return figure_chart(self, width)

    def colours(self) -> dict[int, int]:
        """Return the colour of each series by its `id`: the same for the same label."""
        of_label: dict[str, int] = {}
        found = {}
        for mark in (mark for panel in self.panels for mark in panel.series):
            chosen = len(of_label) if mark.colour is None else mark.colour
            of_this = of_label.setdefault(mark.label, chosen)
            # What has no name is like no other, where it says what colour it is.
            found[id(mark)] = of_this if mark.label or mark.colour is None else mark.colour
        return found


@dataclass(frozen=True)
class Drawing(Picture):
    """A free drawing; text: the same told in plain characters."""

    title: str
    drawn: Canvas = field(repr=False)
    text: str = field(repr=False, default="")

    def canvas(self) -> Canvas:
        """Return it."""
        return self.drawn

    def chart(self, width: int = 78) -> str:
        """Return the text."""
        return self.text


def over_seeds(x: Iterable[float], rows: Any, label: str = "", **of_line: Any) -> Line:
    """Return the median of `rows`, (seeds, N), in the band from the least of them to the most."""
    found = np.asarray(rows, np.float64)
    if found.ndim != 2:
        raise UsageError(f"the rows of {label!r} have the shape {found.shape}; expected (seeds, N)")
    middle, low, high = np.median(found, axis=0), found.min(axis=0), found.max(axis=0)
    return Line(list(x), middle.tolist(), label, low.tolist(), high.tolist(), **of_line)


def bars_over_seeds(x: Iterable[float], rows: Any, label: str = "", **of_bars: Any) -> Bars:
    """Return bars of the median of `rows`, (seeds, N), with whiskers from the least to the most."""
    line = over_seeds(x, rows, label)
    return Bars(line.x, line.y, label, line.low, line.high, **of_bars)


def _as_floats(mark: Line | Bars) -> None:
    """Turn the data of a frozen `mark` into tuples of floats; raise UsageError if they differ."""
    for name in ("x", "y", "low", "high"):
        data = getattr(mark, name)
        if data is None:
            continue
        # What was not measured is None in JSON, and a gap here.
        values = tuple(math.nan if value is None else float(value) for value in data)
        object.__setattr__(mark, name, values)
        if len(values) != len(mark.x):
            raise UsageError(
                f"{name} of {mark.label!r} has {len(values)} points; x has {len(mark.x)}"
            )
