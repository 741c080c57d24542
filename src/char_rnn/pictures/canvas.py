"""A canvas: shapes in the order in which they are drawn, in pixels from the upper left corner."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

# Each name: its colour on light paper and on dark. Those of series are told apart whatever one's
# colour vision, and from the paper: tests/pictures holds both. Blue and orange are Okabe and Ito's.
COLOURS = {
    "paper": ("#ffffff", "#15171a"),
    "ink": ("#222222", "#e8e8e8"),
    "faint": ("#6b6b6b", "#9a9a9a"),
    "grid": ("#e3e3e3", "#303338"),
    "0": ("#0072b2", "#4aa3ea"),
    "1": ("#d55e00", "#ff7f2a"),
    "2": ("#103c2c", "#9affda"),
    "3": ("#c77ba3", "#c06a90"),
    "4": ("#6a00c8", "#8a5cff"),
    "5": ("#6b2c00", "#fff27a"),
}
SERIES = 6
"""Colours "0" to "5" are for series."""


@dataclass(frozen=True)
class Path:
    """Straight lines from point to point; closed and filled where `fill` names a colour."""

    points: tuple[Point, ...]
    colour: str | None
    width: float = 1.0
    dash: tuple[float, ...] = ()
    fill: str | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class Circle:
    """A circle round (x, y), filled where `fill` names a colour."""

    x: float
    y: float
    radius: float
    colour: str | None
    fill: str | None = None
    width: float = 1.0


@dataclass(frozen=True)
class Text:
    """A line of text whose base line begins, ends or has its middle at (x, y).

    size: height of the font in pixels. turned: it runs from below to above.
    """

    x: float
    y: float
    text: str
    size: float = 14
    colour: str = "ink"
    anchor: Anchor = "start"
    bold: bool = False
    turned: bool = False


Shape = Path | Circle | Text


@dataclass
class Canvas:
    """Paper of `width` times `height` pixels, and what is drawn on it.

    A colour is a name of `COLOURS`, or "#rrggbb", which is the same on light and dark paper.
    """

    width: float
    height: float
    shapes: list[Shape] = field(default_factory=list)

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        colour: str = "ink",
        width: float = 1.0,
        dash: tuple[float, ...] = (),
    ) -> None:
        """Draw a line from one point to another."""
        self.polyline([(x1, y1), (x2, y2)], colour, width, dash)

    def polyline(
        self,
        points: Iterable[Point],
        colour: str = "ink",
        width: float = 1.0,
        dash: tuple[float, ...] = (),
    ) -> None:
        """Draw lines from point to point."""
        self.shapes.append(Path(tuple(points), colour, width, dash))

    def polygon(
        self,
        points: Iterable[Point],
        fill: str,
        colour: str | None = None,
        width: float = 1.0,
        opacity: float = 1.0,
    ) -> None:
        """Fill what the points enclose; colour: of its edge, if it has one."""
        self.shapes.append(Path(tuple(points), colour, width, (), fill, opacity))

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str = "paper",
        colour: str | None = None,
        line: float = 1.0,
        opacity: float = 1.0,
    ) -> None:
        """Fill a rectangle whose upper left corner is (x, y); line: the width of its edge."""
        right, bottom = x + width, y + height
        corners = [(x, y), (right, y), (right, bottom), (x, bottom)]
        self.polygon(corners, fill, colour, line, opacity)

    def circle(
        self, x: float, y: float, radius: float, fill: str | None = None, colour: str | None = None
    ) -> None:
        """Draw a circle."""
        self.shapes.append(Circle(x, y, radius, colour, fill))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 14,
        colour: str = "ink",
        anchor: Anchor = "start",
        bold: bool = False,
        turned: bool = False,
    ) -> None:
        """Write a line of text; see `Text`."""
        self.shapes.append(Text(x, y, text, size, colour, anchor, bold, turned))

    def arrow(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        colour: str = "ink",
        width: float = 1.5,
        dash: tuple[float, ...] = (),
    ) -> None:
        """Draw an arrow from (x1, y1) to (x2, y2), where its point is."""
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        if not length:
            return
        head = min(6 + 1.5 * width, length)
        dx, dy = (x2 - x1) / length, (y2 - y1) / length
        back_x, back_y = x2 - head * dx, y2 - head * dy
        self.line(x1, y1, back_x, back_y, colour, width, dash)
        half = 0.45 * head
        sides = [(back_x - half * dy, back_y + half * dx), (back_x + half * dy, back_y - half * dx)]
        self.polygon([(x2, y2), *sides], colour)


def text_width(text: str, size: float = 14, bold: bool = False) -> float:
    """Return about how many pixels wide `text` is in the font of our pictures (DejaVu Sans)."""
    return size * sum(map(_advance, text)) * (1.12 if bold else 1.0)


def _advance(char: str) -> float:
    """Return the width of a character in heights of the font: by its kind, a little generous."""
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if unicodedata.combining(char):
        return 0.0
    for kind, width in (("ijl.,:;'|! ", 0.33), ('frt()[]I"-/', 0.42), ("mMwWm@%", 0.95)):
        if char in kind:
            return width
    return 0.71 if char.isupper() else 0.64
