"""A canvas as a picture of dots, through matplotlib (the extra `plots`)."""

import io
import warnings
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from char_rnn.errors import MissingExtra, UsageError
from char_rnn.pictures.canvas import COLOURS, Canvas, Circle, Path, Text
from char_rnn.storage import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
DOTS = 100  # pixels of a canvas to the inch
POINTS = 72 / DOTS  # of a pixel, which fonts and lines are measured in
SIDES: dict[str, Any] = {"start": "left", "middle": "center", "end": "right"}
SHARP = 2  # dots of a picture to the pixel, for screens that have more of them


def check_format(path: File) -> None:
    """Raise UsageError if `path` does not end like a picture, MissingExtra without matplotlib."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path} is no picture; its name must end in {', '.join(FORMATS)}")
    new_figure(1, 1)


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of matplotlib, in inches; raise MissingExtra without it."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("pictures need matplotlib: pip install 'char-rnn[plots]'") from error
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: "Figure", path: File, dpi: int = 120) -> None:
    """Write `figure` to `path`."""
    memory = io.BytesIO()
    with warnings.catch_warnings():  # a name may hold what the font lacks
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(memory, format=path.suffix[1:].lower(), dpi=dpi)
    write_bytes(path, memory.getvalue())


def drawn(canvas: Canvas) -> "Figure":
    """Return `canvas`, on light paper, as a figure of matplotlib."""
    figure = new_figure(canvas.width / DOTS, canvas.height / DOTS)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, canvas.width)
    axes.set_ylim(canvas.height, 0)
    axes.axis("off")
    for order, shape in enumerate(canvas.shapes):
        match shape:
            case Text():
                axes.add_artist(_text(shape, order))
            case _:
                axes.add_patch(_patch(shape, order))
    return figure


def _patch(shape: Path | Circle, order: int) -> Any:
    from matplotlib import patches

    edge, inside = _colour(shape.colour), _colour(shape.fill)
    look = {"edgecolor": edge, "facecolor": inside, "linewidth": shape.width * POINTS}
    look |= {"zorder": order, "joinstyle": "round"}
    if isinstance(shape, Circle):
        look.pop("joinstyle")
        return patches.Circle((shape.x, shape.y), shape.radius, **look)
    if shape.dash:
        # matplotlib measures dashes in widths of the line.
        dash = tuple(length / max(shape.width, 0.1) for length in shape.dash)
        look |= {"linestyle": (0, dash), "capstyle": "butt"}
    closed = shape.fill is not None
    return patches.Polygon(shape.points, closed=closed, alpha=shape.opacity, **look)


def _text(text: Text, order: int) -> Any:
    from matplotlib.text import Text as Artist

    return Artist(
        text.x,
        text.y,
        text.text,
        color=_colour(text.colour),
        fontsize=text.size * POINTS,
        fontweight="bold" if text.bold else "normal",
        fontfamily="DejaVu Sans",
        horizontalalignment=SIDES[text.anchor],
        verticalalignment="baseline",
        rotation=90 if text.turned else 0,
        rotation_mode="anchor",
        parse_math=False,
        zorder=order,
    )


def _colour(name: str | None) -> str:
    if name is None:
        return "none"
    return COLOURS[name][0] if name in COLOURS else name
