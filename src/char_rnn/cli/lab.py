"""`char-rnn lab`: experiments that answer a question with a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.completion import complete_model, complete_run, complete_text
from char_rnn.cli.help import Command
from char_rnn.cli.options import PATH, POSITIVE, RNG_SEED, option
from char_rnn.errors import UsageError, unknown_name
from char_rnn.lab import EXPERIMENTS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from char_rnn.lab.experiment import Result

ALL, DIAGNOSE = "all", "diagnose"
OTHERS = {
    DIAGNOSE: "What is wrong with my run? Needs a run's folder after it.",
    ALL: "All experiments, on one page.",
}
NAMES = EXPERIMENTS | OTHERS
WHAT, WHERE = "What it works on", "What it writes"
OF_ONE = {"word": ("trace", "unroll"), "unit": ("neurons",)}
"""Options that belong to some experiments."""
FOLDER = Path("lab")


def complete_name(_: click.Context, __: click.Parameter, begun: str) -> "list[CompletionItem]":
    """Offer the experiments."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(name, help=question)
        for name, question in NAMES.items()
        if name.startswith(begun)
    ]


@click.command(
    "lab",
    cls=Command,
    examples=(
        "char-rnn lab",
        "char-rnn lab gradients",
        "char-rnn lab window --text book.txt --seeds 5",
        "char-rnn lab trace --word 'ab '",
        "char-rnn lab diagnose runs/book",
        "char-rnn lab all --html report.html",
    ),
    sections=(WHAT, WHERE),
)
@click.argument("name", required=False, shell_complete=complete_name)
@click.argument("run", required=False, type=PATH, shell_complete=complete_run)
@option("text", group=WHAT, told="python-docs", shell_complete=complete_text, help="Your text.")
@option("model", group=WHAT, told="shakespeare", shell_complete=complete_model, help="Your model.")
@option("seeds", type=POSITIVE, group=WHAT, told="3", help="Over how many it is repeated.")
@option("rng_seed", type=RNG_SEED, group=WHAT, told="0", help="The first of them.")
@option("word", group=WHAT, help="Of trace and unroll: the characters to follow.")
@option("unit", group=WHAT, help="Of neurons: LAYER:UNIT or LAYER:GATE:UNIT to show.")
@option("processes", type=POSITIVE, group=WHAT, told="one a core", help="Computing side by side.")
@option("out", short="o", type=PATH, group=WHERE, told="lab", help="The folder for the files.")
@option("html", type=PATH, group=WHERE, help="Write one page that stands alone, for a browser.")
def command(name: str | None, run: Path | None, **options: Any) -> None:
    """Answer a question about recurrent networks with an experiment; without a NAME, list them.

    The picture (NAME.svg and, with the extra `plots`, NAME.png) and the numbers (NAME.json) go into
    a folder; a chart and what came out are shown. The same seeds give the same numbers.
    """
    given = {option: value for option, value in options.items() if value is not None}
    if name is None:
        _no_options("the list of experiments", given)
        click.echo(_list())
        return
    if name not in NAMES:
        raise unknown_name("experiment", name, NAMES)
    if (run is None) == (name == DIAGNOSE):
        raise UsageError(
            "diagnose needs the folder of a run: char-rnn lab diagnose runs/book"
            if run is None
            else f"{run} is a second name; only diagnose takes a run, others --text and --model"
        )
    for special, names in OF_ONE.items():
        if special in given and name not in names:
            raise UsageError(
                f"--{special} has no effect on {name}; it is for {' and '.join(names)}"
            )
    if name == DIAGNOSE:
        assert run is not None
        _diagnose(run, given)
    elif name == ALL:
        _all(given)
    else:
        _one(name, given)


def _list() -> str:
    width = max(map(len, NAMES))
    lines = [f"  {name:<{width}}  {question}" for name, question in NAMES.items()]
    return "\n".join(["Experiments, each `char-rnn lab NAME`:\n", *lines])


def _no_options(what: str, given: dict[str, Any]) -> None:
    if given:
        raise UsageError(f"--{next(iter(given))} has no effect on {what}; leave it out")


def _targets(given: dict[str, Any]) -> tuple[Path, Path | None]:
    """Take --out and --html out of `given`; raise before the work if nothing can be written."""
    from char_rnn.storage import check_folder, check_writable

    folder, page = given.pop("out", FOLDER), given.pop("html", None)
    check_folder(folder)
    if page is not None:
        check_writable(page)
    return folder, page


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options as the library takes them: a text by its name, the rest as it is."""
    from char_rnn.data.given import TextName

    return given | ({"text": TextName(given["text"])} if "text" in given else {})


def _one(name: str, given: dict[str, Any]) -> None:
    from char_rnn.cli.waiting import waiting
    from char_rnn.lab.running import run as run_experiment

    folder, page = _targets(given)
    with waiting(name) as told:
        result = run_experiment(name, progress=told, **_asked(given))
    _show(result)
    _written(result.save(folder), _page([result], page))


def _all(given: dict[str, Any]) -> None:
    """Do all experiments; one that fails is told at the end, and loses nothing of the others."""
    from char_rnn.cli.waiting import waiting
    from char_rnn.lab.running import run_all

    folder, page = _targets(given)
    done: list[Result] = []
    failed: list[str] = []
    try:
        with waiting("experiments") as told:
            for name, found in run_all(progress=told, **_asked(given)):
                if isinstance(found, Exception):
                    failed.append(f"{name}: {found}")
                else:
                    found.save(folder)
                    done.append(found)
    finally:  # also what was done before a Ctrl-C
        if done:
            _written([folder], _page(done, page))
    for result in done:
        click.echo(f"\n{result.question}\n{result.found}")
    if failed:
        from char_rnn.errors import DataError

        raise DataError("not all could be done; " + "; ".join(failed))


def _diagnose(run: Path, given: dict[str, Any]) -> None:
    from char_rnn.cli.waiting import waiting
    from char_rnn.lab.diagnose import diagnosed

    unused = {name: value for name, value in given.items() if name not in ("out", "html")}
    _no_options(DIAGNOSE, unused)
    folder, page = _targets(given)
    with waiting(DIAGNOSE) as told:
        result = diagnosed(run, told)
    _show(result)
    _written(result.save(folder), _page([result], page))


def _show(result: "Result") -> None:
    """Print the chart, the coloured text if there is one, and the sentences."""
    from char_rnn.cli.terminal import has_colours, write_styled
    from char_rnn.runs.screen import visible

    click.echo(visible(f"{result.question}\n\n{result.figure.chart()}\n"))
    if result.coloured and has_colours():
        write_styled(result.coloured)
    elif result.plain:
        click.echo(visible(result.plain))
    click.echo(visible(f"{result.found}\n\n{result.means}"))


def _page(results: "list[Result]", path: Path | None) -> list[Path]:
    """Write the page, if one was asked for; return the paths of what was written."""
    if path is None:
        return []
    from char_rnn.lab.report import report
    from char_rnn.storage import write_text

    write_text(path, report(results))
    return [path]


def _written(*paths: list[Path]) -> None:
    from char_rnn.storage.reading import shown

    named = ", ".join(shown(path) for group in paths for path in group)
    click.echo(f"\nWritten: {named}", err=True)
    if ".png" not in named and paths[0][0].is_file():
        click.echo("Note: for a .png too, pip install 'char-rnn[plots]'", err=True)
