"""A canvas as SVG: one file without anything beside it, for light paper and for dark.

Every shape carries its colour on light paper; a class changes it where the reader's screen is dark.
Programs that know no style sheets so show the light picture.
"""

from html import escape

from char_rnn.pictures.canvas import COLOURS, Canvas, Circle, Path, Shape, Text

FONT = "'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif"


def svg(canvas: Canvas, title: str, style: bool = True) -> str:
    """Return `canvas` as an SVG element; title: what it shows, for those who do not see it.

    style: False leaves the colours of dark paper out, where a page around it has `STYLE`.
    """
    width, height = _number(canvas.width), _number(canvas.height)
    shapes = "\n".join(map(_shape, canvas.shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" font-family="{FONT}">\n'
        f"<title>{_text(title)}</title>\n"
        + (f"<style>{STYLE}</style>\n" if style else "")
        + f'<rect width="{width}" height="{height}" {_fill("paper")}/>\n{shapes}\n</svg>\n'
    )


def _styles() -> str:
    rules = [
        f".{kind}-{name}{{{what}:{dark}}}"
        for name, (_, dark) in COLOURS.items()
        for kind, what in (("f", "fill"), ("s", "stroke"))
    ]
    return f"@media(prefers-color-scheme:dark){{{''.join(rules)}}}"


STYLE = _styles()
"""The colours of dark paper."""


def _shape(shape: Shape) -> str:
    match shape:
        case Path():
            return _path(shape)
        case Circle(x, y, radius, colour, fill, width):
            at = f'cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}"'
            return f"<circle {at} {_paint(colour, fill, width)}/>"
        case Text():
            return _line_of_text(shape)


def _path(path: Path) -> str:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in path.points)
    name = "polyline" if path.fill is None else "polygon"
    more = f' stroke-dasharray="{" ".join(map(_number, path.dash))}"' if path.dash else ""
    if path.opacity < 1:
        more += f' opacity="{_number(path.opacity)}"'
    paint = _paint(path.colour, path.fill, path.width)
    return f'<{name} points="{points}" {paint} stroke-linejoin="round"{more}/>'


def _line_of_text(text: Text) -> str:
    at = f'x="{_number(text.x)}" y="{_number(text.y)}"'
    if text.turned:
        at += f' transform="rotate(-90 {_number(text.x)} {_number(text.y)})"'
    if text.anchor != "start":
        at += f' text-anchor="{text.anchor}"'
    if text.bold:
        at += ' font-weight="bold"'
    # Spaces at the ends, and several in a row, are meant.
    kept = ' xml:space="preserve"' if text.text != " ".join(text.text.split()) else ""
    size = _number(text.size)
    return f'<text {at} font-size="{size}"{kept} {_fill(text.colour)}>{_text(text.text)}</text>'


def _paint(colour: str | None, fill: str | None, width: float) -> str:
    """Return the attributes of edge and inside, and the classes that change them in the dark."""
    classes = [f"{kind}-{name}" for kind, name in (("s", colour), ("f", fill)) if name in COLOURS]
    found = f'fill="{_light(fill)}"'
    if colour is not None:
        found += f' stroke="{_light(colour)}" stroke-width="{_number(width)}"'
    return found + (f' class="{" ".join(classes)}"' if classes else "")


def _fill(colour: str) -> str:
    return _paint(None, colour, 0)


def _light(colour: str | None) -> str:
    if colour is None:
        return "none"
    return COLOURS[colour][0] if colour in COLOURS else colour


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    """Return `text` as XML holds it, which has no place for control characters."""
    return escape("".join(c if c.isprintable() else "\ufffd" for c in text))
