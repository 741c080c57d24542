"""`char-rnn sweep`: settings compared over seeds."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.completion import complete_text
from char_rnn.cli.help import Command
from char_rnn.cli.interrupts import Interrupted
from char_rnn.cli.options import PATH, POSITIVE, option
from char_rnn.cli.rules import given_options
from char_rnn.cli.settings import settings
from char_rnn.config import LENGTH, MODEL
from char_rnn.errors import UsageError
from char_rnn.text_config import TEXT

if TYPE_CHECKING:
    from char_rnn.sweeps.results import Sweep

SWEEP = "The sweep"
ITS_OWN = ("vary", "seeds", "sampler", "trials", "prune", "out", "storage", "name", "jobs", "show")


@click.command(
    "sweep",
    cls=Command,
    sections=(SWEEP, TEXT, LENGTH, MODEL),
    examples=(
        "char-rnn sweep book.txt --vary hidden_size=128,256 --minutes 2",
        "char-rnn sweep book.txt --vary cell=gru,lstm --vary layers=1,2 --seeds 5",
        "char-rnn sweep book.txt --vary clip=0.2..5 --sampler tpe --trials 20",
        "char-rnn sweep book.txt --vary cell=gru,rnn --storage sqlite:///cells.db",
        "char-rnn sweep --show sweeps/book",
    ),
)
@click.argument("text", nargs=-1, metavar="[TEXT]...", shell_complete=complete_text)
@option(
    "vary",
    multiple=True,
    group=SWEEP,
    metavar="NAME=A,B",
    help="A setting and its values, or, to draw from, its range A..B; again for another one.",
)
@option("seeds", type=POSITIVE, default=3, group=SWEEP, help="Trainings of each row.")
@option(
    "sampler",
    type=click.Choice(("grid", "random", "tpe")),
    default="grid",
    group=SWEEP,
    help="All combinations; or draw rows; or let Optuna choose them by those before.",
)
@option("trials", type=POSITIVE, group=SWEEP, help="How many rows are drawn.")
@option("prune", is_flag=True, group=SWEEP, help="End trainings that do worse than most others.")
@option("jobs", type=POSITIVE, group=SWEEP, told="one a core", help="Trainings side by side.")
@option(
    "out", short="o", type=PATH, group=SWEEP, told="sweeps/TEXT", help="The folder of the sweep."
)
@option("storage", metavar="URL", group=SWEEP, help="Keep it in this database instead.")
@option("name", default="sweep", group=SWEEP, help="Its name in the database.")
@option("show", type=PATH, metavar="FOLDER", group=SWEEP, help="Only show what came of a sweep.")
@settings
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Compare settings on TEXT: train all combinations over several seeds, on all cores.

    The same command again goes on with what is left, and on other machines, with a folder or a
    database that all see, it shares the work. What a killed worker had in hand is done anew.

    The table has the mean and the spread over the seeds; results.json in the folder all numbers,
    and the command that repeats each row; results.svg a picture. Needs the extra `sweep`.
    Ctrl-C ends the trainings in hand, and shows what came of the others.
    """
    from char_rnn.sweeps.begin import shown_sweep, sweep

    given = given_options(ctx)
    if options["show"] is not None or (not options["vary"] and options["storage"] is not None):
        _only_shown(given)
        _show(shown_sweep(options["show"], options["storage"], options["name"]))
        return 0
    if not options["text"]:
        raise UsageError("which text is to be trained on? Give a file, a folder or a built-in text")
    common = {name: value for name, value in given.items() if name not in (*ITS_OWN, "text")}
    told = _Told()
    try:
        found = sweep(
            list(options["text"]),
            options["vary"],
            on_change=told,
            **{name: options[name] for name in ITS_OWN if name not in ("vary", "show")},
            **common,
        )
    except Interrupted as stop:
        if told.last is not None:
            _show(told.last)
        click.echo(f"Stopped. Go on with:\n  {shlex.join(['char-rnn', *sys.argv[1:]])}")
        return 128 + stop.number
    _show(found)
    if options["storage"] is None:
        click.echo(f"Numbers, and the command of each row: {Path(found.place) / 'results.json'}")
    return 0 if found.best is not None else 1


def _only_shown(given: dict[str, Any]) -> None:
    others = given.keys() - {"show", "storage", "name"}
    if others:
        raise UsageError(f"--{min(others)} has no effect on --show; leave it out")


def _show(found: "Sweep") -> None:
    click.echo(found.table())


class _Told:
    """Says how far a sweep is, whenever a training has ended."""

    def __init__(self) -> None:
        self.last: Sweep | None = None

    def __call__(self, found: "Sweep") -> None:
        self.last = found
        best = found.best
        said = "" if best is None or best.loss is None else f", the best row so far {best.loss:.4f}"
        click.echo(f"{found.done} of {found.total} trainings{said}", err=True)
