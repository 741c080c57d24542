"""`char-rnn compare`: several runs side by side."""

import math
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import click

from char_rnn.cli.completion import complete_run
from char_rnn.cli.help import Command
from char_rnn.cli.options import PATH, option
from char_rnn.runs.screen import columns

if TYPE_CHECKING:
    from char_rnn.runs.curves import Curves

GAP = "  "
WORDS = ("run", "model", "text")  # columns that begin at the left
FOLDED = {"run": 16, "text": 12}  # names go on below, in a column of so many characters
LEFT_OUT = ("characters", "at", "seconds", "text", "iterations", "model")  # the first one first


@click.command(
    "compare",
    cls=Command,
    examples=("char-rnn compare runs/*", "char-rnn compare runs/gru runs/lstm -o both.png"),
)
@click.argument("runs", nargs=-1, required=True, type=PATH, shell_complete=complete_run)
@option("out", short="o", type=PATH, help="Write a picture: .png, .svg or .pdf.")
def command(runs: tuple[Path, ...], out: Path | None) -> None:
    """Show RUNS, run folders, in one table, the best first; with --out also in one picture.

    The picture (extra `plots`) shows training and validation loss over the characters read and
    over the seconds of training.
    """
    from char_rnn.runs.curves import read_curves

    found = [(folder, read_curves(folder)) for folder in runs]
    if out is not None:
        from char_rnn.pictures.png import check_format
        from char_rnn.runs.picture import plot_comparison
        from char_rnn.storage import check_writable

        check_format(out)
        check_writable(out)
        plot_comparison([curves for _, curves in found], out)
        click.echo(f"Written: {out}", err=True)
    found.sort(key=lambda run: run[1].best[1] if run[1].best else math.inf)
    _tell([_row(*run) for run in found])


def _row(folder: Path, curves: "Curves") -> dict[str, str]:
    from char_rnn.runs.run import Run
    from char_rnn.storage.reading import shown

    run = Run.open(folder)
    model, best, loss = run.model_config, curves.best, curves.loss
    done = len(loss) > 0
    return {
        "run": shown(curves.name),
        "model": f"{model.layers} × {model.cell} {model.hidden_size}",
        "validation": f"{best[1]:.4f}" if best else "–",
        "at": f"{best[0]:,}" if best else "–",
        "training": f"{loss.y[-1]:.4f}" if done else "–",
        "iterations": f"{loss.iterations[-1]:,}" if done else "0",
        "characters": f"{loss.characters[-1]:,}" if done else "0",
        "seconds": f"{loss.seconds[-1]:,.0f}" if done else "0",
        "text": shown(str(run.settings["text"].get("name", ""))),
    }


def _tell(rows: list[dict[str, str]]) -> None:
    """Print the whole table into a pipe, and on a terminal what fits into its width."""
    from rich.cells import cell_len

    heads = {name: name for name in rows[0]}
    rows = [heads, *rows]
    widths = {name: max(cell_len(row[name]) for row in rows) for name in heads}
    if sys.stdout.isatty():
        widths = _fitted(widths, columns(sys.stdout))
    for row in rows:
        for line in _lines(row, widths):
            click.echo(line)
    left_out = [name for name in heads if name not in widths]
    if left_out:
        click.echo(f"\nNo room for {', '.join(left_out)}; a pipe or a file gets all.", err=True)


def _fitted(widths: dict[str, int], room: int) -> dict[str, int]:
    """Return the columns that fit into `room`, and how wide they are: names are folded."""
    least = {name: min(width, FOLDED.get(name, width)) for name, width in widths.items()}
    for name in LEFT_OUT:
        if sum(least.values()) + len(GAP) * (len(least) - 1) > room:
            del least[name]
    spare = room - sum(least.values()) - len(GAP) * (len(least) - 1)
    for name in [name for name in FOLDED if name in least]:
        more = min(widths[name] - least[name], max(spare, 0))
        least[name] += more
        spare -= more
    return least


def _lines(row: dict[str, str], widths: dict[str, int]) -> Iterator[str]:
    """Yield the lines of a row; a name that is wider than its column goes on below."""
    from rich.cells import cell_len, chop_cells

    pieces = [chop_cells(row[name], width) for name, width in widths.items()]
    for parts in zip_longest(*pieces, fillvalue=""):
        cells = (
            text + pad if name in WORDS else pad + text
            for (name, width), text in zip(widths.items(), parts, strict=True)
            for pad in [" " * (width - cell_len(text))]
        )
        yield GAP.join(cells).rstrip()
