"""The results of experiments on one page, which needs nothing beside it and asks for nothing."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from itertools import groupby

from char_rnn import __version__
from char_rnn.analyse.page import style
from char_rnn.lab.experiment import Result
from char_rnn.pictures.figure import Bars, Figure, Line, Panel, Picture
from char_rnn.pictures.layout import panel_canvas
from char_rnn.pictures.svg import STYLE, svg

MOST_ROWS = 13
"""Of a table of numbers: the JSON file has them all."""


def report(results: Sequence[Result]) -> str:
    """Return a page of `results`: question, picture, numbers, what came out and what it means."""
    title = results[0].question if len(results) == 1 else "What recurrent networks do, and why"
    template = (resources.files("char_rnn.lab") / "pages" / "report.html").read_text("utf-8")
    parts = {
        "TITLE": escape(title),
        "STYLE": style() + STYLE,
        "MADE": escape(_made(results)),
        "CONTENTS": _contents(results) if len(results) > 1 else "",
        "SECTIONS": "\n".join(_section(result, len(results) == 1) for result in results),
    }
    # One pass, so that what a text holds is never taken for a place to fill.
    pieces = template.split("@@")
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces))


def _made(results: Sequence[Result]) -> str:
    """Return what the page was made from."""
    said = [f"char-rnn {__version__}"]
    for kind in ("text", "model", "seeds"):
        names = dict.fromkeys(str(r.settings[kind]) for r in results if kind in r.settings)
        if names:
            said.append(f"{kind}: {', '.join(names)}")
    return " · ".join(said)


def _contents(results: Sequence[Result]) -> str:
    rows = (f'<li><a href="#{r.name}">{escape(r.question)}</a></li>' for r in results)
    return f"<nav aria-label='Experiments'><ol>{''.join(rows)}</ol></nav>"


def _section(result: Result, alone: bool) -> str:
    heading = "" if alone else f"<h2>{escape(result.question)}</h2>"
    return "\n".join(
        (
            f'<section id="{escape(result.name)}">{heading}',
            _picture(result.figure),
            f'<p class="said"><b>What came out.</b> {escape(result.found)}</p>',
            f"<p><b>What it means.</b> {escape(result.means)}</p>",
            result.page,
            f"<details><summary>The numbers</summary>{_numbers(result)}</details>",
            "</section>",
        )
    )


def _picture(picture: Picture) -> str:
    """Return the panels, side by side where there is room; a drawing can be moved sideways."""
    if not isinstance(picture, Figure):
        return f'<div class="wide" tabindex="0">{picture.svg(style=False)}</div>'
    panels = (
        svg(panel_canvas(picture, k), panel.title, style=False)
        for k, panel in enumerate(picture.panels)
    )
    note = f'<p class="keys">{escape(picture.note)}</p>' if picture.note else ""
    return f'<h3>{escape(picture.title)}</h3><div class="panels">{"".join(panels)}</div>{note}'


def _numbers(result: Result) -> str:
    """Return what the picture shows, in figures; of a drawing, its text."""
    took = f'<p class="keys">char-rnn lab {escape(result.name)}, '
    took += f"{result.measured.get('seconds', 0):g} s</p>"
    if not isinstance(result.figure, Figure):
        return f"{took}<pre>{escape(result.figure.chart())}</pre>"
    return took + "".join(_table(panel) for panel in result.figure.panels)


def _table(panel: Panel) -> str:
    """Return a table of a panel: a row for each place, a column for each series."""
    tables = []
    # Series with the same places share a table.
    for x, of_these in groupby(panel.series, key=lambda mark: mark.x):
        series = list(of_these)
        head = [panel.x.label, *(mark.label or panel.y.label for mark in series)]
        ticks = panel.x.ticks or {}
        rows = (
            [ticks.get(x[k], f"{x[k]:g}"), *(_value(mark, k) for mark in series)]
            for k in _chosen(len(x))
        )
        cells = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>" for row in rows)
        names = "".join(f"<th>{escape(name)}</th>" for name in head)
        tables.append(f"<table><thead><tr>{names}</tr></thead><tbody>{cells}</tbody></table>")
    return (
        f"<h4>{escape(panel.title)}: {escape(panel.y.label)}</h4>"
        f'<div class="wide" tabindex="0">{"".join(tables)}</div>'
    )


def _chosen(count: int) -> Iterator[int]:
    """Yield at most MOST_ROWS of so many places, evenly, the last one among them."""
    rows = min(count, MOST_ROWS)
    for k in range(rows):
        yield round(k * (count - 1) / max(rows - 1, 1))


def _value(mark: Line | Bars, k: int) -> str:
    """Return the value with its spread."""
    value = f"{mark.y[k]:.4g}"
    if mark.low is None or mark.high is None:
        return value
    return f"{value} ({mark.low[k]:.4g} … {mark.high[k]:.4g})"
