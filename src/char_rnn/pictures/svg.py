"""A canvas as SVG: one file without anything beside it, for light paper and for dark.

Every colour is said for light paper; a class changes it where the reader's screen is dark. Programs
that know no style sheets so show the light picture. Shapes that follow each other and look alike
are one element, which makes a file half as large.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from char_rnn.pictures.canvas import COLOURS, Canvas, Circle, Path, Point, Shape, Text

FONT = "'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif"


def svg(canvas: Canvas, title: str, style: bool = True) -> str:
    """Return `canvas` as an SVG element; title: what it shows, for those who do not see it.

    style: False leaves the colours to a page around it, which has `STYLE`.
    """
    width, height = _number(canvas.width), _number(canvas.height)
    pen = _Pen(style)
    shapes = "\n".join(pen.drawn(canvas.shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" font-family="{FONT}" fill="none" '
        'stroke-linejoin="round">\n'
        f"<title>{_text(title)}</title>\n"
        + (f"<style>{_rules(1)}</style>\n" if style else "")
        + f'<rect width="{width}" height="{height}"{pen.paint(None, "paper")}/>\n{shapes}\n</svg>\n'
    )


def _rules(dark: int) -> str:
    """Return the style sheet of the named colours, for dark paper alone or for light."""
    rules = "".join(
        f".{kind}-{name}{{{what}:{pair[dark]}}}"
        for name, pair in COLOURS.items()
        for kind, what in (("f", "fill"), ("s", "stroke"))
    )
    return f"@media(prefers-color-scheme:dark){{{rules}}}" if dark else rules


STYLE = _rules(0) + _rules(1)
"""The colours of light paper and of dark, for a page of several pictures."""


class _Pen:
    """Writes shapes; alone: whether each says its colour itself, for no page does."""

    def __init__(self, alone: bool) -> None:
        self._alone = alone

    def drawn(self, shapes: Sequence[Shape]) -> Iterator[str]:
        """Yield the elements: shapes in a row that look alike are one."""
        for look, alike in groupby(shapes, self._look):
            found = list(alike)
            if isinstance(found[0], Path):
                paths = [shape for shape in found if isinstance(shape, Path)]
                # Where one shows through another, each is a shape of its own.
                for some in [paths] if paths[0].opacity == 1 else [[path] for path in paths]:
                    yield f'<path d="{"".join(map(_way, some))}"{look}/>'
            else:
                inside = "".join(map(_inside, found))
                yield (
                    inside.replace(" ", f"{look} ", 1)
                    if len(found) == 1
                    else (f"<g{look}>{inside}</g>")
                )

    def _look(self, shape: Shape) -> str:
        """Return the attributes of what looks like `shape`, each with a space before it."""
        match shape:
            case Path(_, colour, width, dash, fill, opacity):
                dashes = f' stroke-dasharray="{" ".join(map(_number, dash))}"' if dash else ""
                through = f' opacity="{_number(opacity)}"' if opacity < 1 else ""
                return self.paint(colour, fill, width) + dashes + through
            case Circle(_, _, _, colour, fill, width):
                return self.paint(colour, fill, width)
            case Text():
                anchor = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
                bold = ' font-weight="bold"' if shape.bold else ""
                size = f' font-size="{_number(shape.size)}"'
                return self.paint(None, shape.colour) + size + anchor + bold

    def paint(self, colour: str | None, fill: str | None, width: float = 1.0) -> str:
        """Return the attributes of an edge and of what is inside."""
        found, classes = "", []
        for kind, what, name in (("s", "stroke", colour), ("f", "fill", fill)):
            if name is None:
                continue
            if name in COLOURS:
                classes.append(f"{kind}-{name}")
            if self._alone or name not in COLOURS:
                found += f' {what}="{COLOURS[name][0] if name in COLOURS else name}"'
        if colour is not None and width != 1:
            found += f' stroke-width="{_number(width)}"'
        return found + (f' class="{" ".join(classes)}"' if classes else "")


def _way(path: Path) -> str:
    """Return the way along the points of `path`."""
    return "M" + _points(path.points) + ("Z" if path.fill is not None else "")


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _inside(shape: Shape) -> str:
    """Return a circle or a text, without what it looks like."""
    if isinstance(shape, Circle):
        at = f'cx="{_number(shape.x)}" cy="{_number(shape.y)}" r="{_number(shape.radius)}"'
        return f"<circle {at}/>"
    assert isinstance(shape, Text)
    at = f'x="{_number(shape.x)}" y="{_number(shape.y)}"'
    if shape.turned:
        at += f' transform="rotate(-90 {_number(shape.x)} {_number(shape.y)})"'
    # Spaces at the ends, and several in a row, are meant.
    if shape.text != " ".join(shape.text.split()):
        at += ' xml:space="preserve"'
    return f"<text {at}>{_text(shape.text)}</text>"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    """Return `text` as XML holds it, which has no place for control characters."""
    return escape("".join(c if c.isprintable() else "\ufffd" for c in text))
