"""`char-rnn evaluate`: how well a model knows a text, and what that number means."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.completion import complete_model, complete_text
from char_rnn.cli.help import Command
from char_rnn.cli.options import PATH, POSITIVE, option
from char_rnn.cli.report import echo_json
from char_rnn.cli.terminal import write_styled
from char_rnn.errors import TextTooShort, UsageError
from char_rnn.text_config import TextConfig

if TYPE_CHECKING:
    import numpy as np

    from char_rnn.charrnn import CharRNN
    from char_rnn.data.corpus import Corpus
    from char_rnn.runs.scored_text import ScoredText
    from char_rnn.scoring import Tell

MOST_GRAMS = 6
SHOWN = 2000
ON_PAGE = 50_000
MOST_TRAINING = 20_000_000


SCORED, MORE, OUTPUT = "What is scored", "What else is measured", "Output"


@click.command(
    "evaluate",
    cls=Command,
    examples=(
        "char-rnn evaluate runs/book book.txt",
        "char-rnn evaluate shakespeare play.txt --windows 50 --show",
        "char-rnn evaluate runs/book book.txt --html surprise.html",
        "char-rnn evaluate runs/book book.txt --free_running --plot drift.png",
        "char-rnn evaluate runs/code project/ --pattern '*.py' --json",
    ),
)
@click.argument("path", metavar="MODEL", type=PATH, shell_complete=complete_model)
@click.argument("text", shell_complete=complete_text)
@option(
    "val_fraction",
    type=float,
    group=SCORED,
    told="as in training if this is its text, else all of it",
    help="Score this share of the text, at its end; the rest teaches the baselines.",
)
@option(
    "pattern",
    multiple=True,
    metavar="PATTERN",
    group=SCORED,
    help="Files of a folder, as in training.",
)
@option("streams", type=POSITIVE, default=64, group=SCORED, help="Pieces side by side; 1 is exact.")
@option(
    "windows",
    type=POSITIVE,
    group=MORE,
    help="Also from a zero state, in windows of so many characters.",
)
@option(
    "dynamic",
    is_flag=True,
    group=MORE,
    help="Also while learning from what was read (one stream, slow).",
)
@option(
    "free_running",
    is_flag=True,
    group=MORE,
    help="Also how its own text drifts away from real text.",
)
@option("plot", type=PATH, group=MORE, help="Draw that: .png, .svg or .pdf.")
@option("no_baselines", is_flag=True, group=MORE, help="Leave the baselines out.")
@option("json", is_flag=True, group=OUTPUT, help="Print one JSON object.")
@option(
    "show",
    is_flag=True,
    group=OUTPUT,
    help=f"Colour the first {SHOWN:,} characters by their surprise.",
)
@option("html", type=PATH, group=OUTPUT, help="Write the text as a heat map to this file.")
def command(
    path: Path,
    text: str,
    val_fraction: float | None,
    windows: int | None,
    dynamic: bool,
    streams: int,
    free_running: bool,
    plot: Path | None,
    no_baselines: bool,
    pattern: tuple[str, ...],
    json: bool,
    show: bool,
    html: Path | None,
) -> None:
    """Measure how well MODEL, a model file or a run folder, knows TEXT.

    The loss is the mean of -log p over all characters, each predicted from all before it: in nats
    and bits a character, and as perplexity. Beside it, what simpler models reach on the same
    characters. TEXT is a file, a folder, - for standard input, or a built-in text. Characters that
    the model does not know are left out, and counted.
    """
    _check(val_fraction, free_running, plot, json and show)
    import numpy as np

    from char_rnn.charrnn import CharRNN
    from char_rnn.cli.show import waiting
    from char_rnn.runs.score import in_units
    from char_rnn.scoring import surprisals
    from char_rnn.storage import check_writable

    model = CharRNN.load(path)
    of = _opened(path, model, text, TextConfig(pattern=pattern), val_fraction)
    corpus, start, left_out = of.corpus, of.start, of.left_out
    scored = corpus.vocabulary.decode(corpus.read(start + 1, corpus.length))
    count = corpus.length - start - 1
    bytewise = len(scored) != count  # bytes that are not one character each
    _check_text(corpus, start, windows, free_running, bytewise and bool(show or html))
    for file in filter(None, (plot, html)):
        check_writable(file)
    report: dict[str, Any] = {
        "model": str(path),
        "text": corpus.name,
        "scored": of.reason,
        "characters": count,
        "left out": {"characters": sum(left_out.values()), "distinct": "".join(left_out)},
    }
    # What overflows is told below, and not by NumPy.
    with waiting("Reading the text") as told, np.errstate(over="ignore", invalid="ignore"):
        nats = surprisals(model, corpus, start, corpus.length, streams, told)
    report["loss"] = in_units(float(nats.mean()))
    finite = bool(np.isfinite(nats).all())
    if not finite:
        click.echo(
            "Note: not all that the model predicts is a finite number, for its weights are too "
            "large; only its loss is told",
            err=True,
        )
    if finite:
        report |= _more(model, corpus, start, windows, dynamic)
    if finite and free_running:
        with waiting("Free running") as told:
            report["free running"] = _free_running(model, corpus, start, plot, told)
    if not no_baselines:
        with waiting("Baselines") as told:
            report["baselines"] = _baselines(corpus, start, told)
        if start:
            taught = min(start + 1, MOST_TRAINING)
            report["baselines learn from"] = {"characters": taught, "of": start + 1}
    if finite and not bytewise:
        report["most surprising"] = _passages(scored, nats)
    if json:
        echo_json(report)
    else:
        _tell(report, left_out)
    if finite and show:
        _show(scored[:SHOWN], nats[:SHOWN])
    if finite and html:
        _write_page(html, model, corpus, start, nats, scored)


def _opened(
    path: Path, model: "CharRNN", text: str, reading: TextConfig, val_fraction: float | None
) -> "ScoredText":
    """Return the text to score; tell what should be known of it."""
    from char_rnn.data.given import TextName
    from char_rnn.runs.scored_text import scored_text
    from char_rnn.runs.text import own_text

    own = own_text(str(path))
    found = scored_text(model, TextName(text), reading, val_fraction, own)
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    return found


def _check(val_fraction: float | None, free_running: bool, plot: Path | None, both: bool) -> None:
    """Tell what is wrong before anything is read."""
    if val_fraction is not None and not 0 < val_fraction <= 1:
        raise UsageError(f"--val_fraction is {val_fraction}; it must lie between 0 and 1")
    if both:
        raise UsageError("--show and --json both write to standard output; give one of them")
    if plot is not None:
        if not free_running:
            raise UsageError("--plot draws what --free_running finds; give both, or leave it out")
        from char_rnn.runs.picture import check_format

        check_format(plot)


def _check_text(
    corpus: "Corpus", start: int, windows: int | None, free_running: bool, unshowable: bool
) -> None:
    """Tell what cannot be had of this text before anything long begins."""
    from char_rnn.analyse.free_running import places_of
    from char_rnn.scoring import windows_of

    if unshowable:
        raise UsageError("--show and --html need a model of characters; this one reads bytes")
    if windows:
        try:
            windows_of(start, corpus.length, windows)
        except TextTooShort as error:
            raise UsageError(f"--windows: {error}") from error
    if free_running:
        places_of(start, corpus.length)


def _more(
    model: "CharRNN", corpus: "Corpus", start: int, windows: int | None, dynamic: bool
) -> dict[str, Any]:
    """Return the losses of other ways to read the same text."""
    from char_rnn.analyse.dynamic import dynamic_surprisals
    from char_rnn.cli.show import waiting
    from char_rnn.runs.score import in_units
    from char_rnn.scoring import cold_loss

    found = {}
    if windows:
        with waiting(f"Windows of {windows}") as told:
            cold = cold_loss(model, corpus, start, corpus.length, windows, told)
        found[f"windows of {windows}, each from the initial state"] = in_units(cold)
    if dynamic:
        with waiting("Dynamic evaluation") as told:
            learned = dynamic_surprisals(model, corpus, start, corpus.length, progress=told)
        found["dynamic evaluation (learns as it reads)"] = in_units(float(learned.mean()))
    return found


def _baselines(corpus: "Corpus", start: int, told: "Tell") -> dict[str, dict[str, float]]:
    """Return the losses of the baselines; those that learn need a part before `start`."""
    from char_rnn.analyse import baselines
    from char_rnn.analyse.ngrams import ngram_nats
    from char_rnn.runs.score import in_units

    V = corpus.vocabulary.size
    found = {"uniform": baselines.uniform(V)}
    test = corpus.read(start + 1, corpus.length)
    train = corpus.read(max(0, start + 1 - MOST_TRAINING), start + 1)
    if start:
        for n, nats in ngram_nats(train, test, V, MOST_GRAMS):
            found["unigram" if n == 1 else f"{n}-gram"] = float(nats.mean())
    told(0.5)
    before = baselines.encoded(corpus.vocabulary, train) if start else b""
    after = baselines.encoded(corpus.vocabulary, test)
    for name in baselines.COMPRESSORS:
        found[name] = baselines.compressed(name, before, after, len(test))
    return {name: in_units(loss) for name, loss in found.items()}


def _free_running(
    model: "CharRNN", corpus: "Corpus", start: int, picture: Path | None, told: "Tell"
) -> dict[str, Any]:
    """Return what free running finds; the part before `start`, if there is one, is a reference."""
    import numpy as np

    from char_rnn.analyse.free_running import free_running

    train = corpus.read(max(0, start - MOST_TRAINING), start) if start else None
    rng = np.random.default_rng(0)  # so that the same model gets the same figures
    found = free_running(model, corpus, start, corpus.length, rng, train, progress=told)
    if picture is not None:
        from char_rnn.analyse.plots import plot_free_running

        plot_free_running(found, picture)
        click.echo(f"Written: {picture}", err=True)
    return found.to_dict()


def _passages(scored: str, nats: "np.ndarray") -> list[dict[str, Any]]:
    from char_rnn.analyse.surprise import most_surprising

    return [passage._asdict() for passage in most_surprising(scored, nats)]


def _tell(report: dict[str, Any], left_out: dict[str, int]) -> None:
    click.echo(f"{report['text']}: {report['characters']:,} characters, {report['scored']}")
    if left_out:
        from char_rnn.data.vocabulary import named

        click.echo(
            f"Left out, for the model does not know it: {named(left_out)}, "
            f"{sum(left_out.values()):,} in all"
        )
    click.echo()
    rows = [
        ("this model" if name == "loss" else name, figures)
        for name, figures in report.items()
        if isinstance(figures, dict) and "nats" in figures
    ]
    rows += sorted(report.get("baselines", {}).items(), key=lambda row: row[1]["nats"])
    width = max(len(name) for name, _ in rows)
    click.echo(f"{'':<{width}}  nats/char  bits/char  perplexity")
    for name, f in rows:
        of = f"{f['perplexity']:.2f}" if f["perplexity"] < 1e7 else _large(f["perplexity"])
        click.echo(f"{name:<{width}}  {f['nats']:>9.4f}  {f['bits']:>9.4f}  {of:>10}")
    if "free running" in report:
        click.echo()
        _tell_free_running(report["free running"])
    if "baselines" in report and "unigram" not in report["baselines"]:
        click.echo("\nn-grams learn from the part before: give --val_fraction 0.1 to see them.")
    taught = report.get("baselines learn from", {"characters": 0, "of": 0})
    if taught["characters"] < taught["of"]:
        click.echo(
            f"\nThe baselines learn from the last {taught['characters']:,} of the "
            f"{taught['of']:,} characters before."
        )
    if report.get("most surprising"):
        click.echo("\nThe most surprising passages (mean nats a character):")
        for passage in report["most surprising"]:
            click.echo(f"  {passage['nats']:.2f} at {passage['at']:,}: {passage['text']!r}")


def _large(perplexity: float) -> str:
    """Return a perplexity of ten million or more, or one that is beyond a float."""
    return "over 1e308" if perplexity == math.inf else f"{perplexity:.2e}"


def _tell_free_running(found: dict[str, Any]) -> None:
    """Print a line for each distance, and one that says what grows."""
    click.echo(
        f"Free running: {found['passages']} passages of {found['context']} characters, each "
        f"continued for {found['length']:,}\nby the text and by the model; nats a character "
        "(± standard error)\n"
    )
    names = {"model": "this model", "reference": f"{found['order']}-gram of the part before"}
    if found["reference"] is None:
        del names["reference"]
    click.echo(f"{'':<9}" + "".join(f"  {name:<34}" for name in names.values()).rstrip())
    click.echo("distance " + len(names) * f"  {'on real':>8} {'on own':>8} {'own - real':>16}")
    for row in found["rows"]:
        first, last = row["first"], row["last"]
        line = f"{first if first == last else f'{first}–{last}':<9}"
        for loss in (row[name] for name in names):
            difference = f"{loss['own'] - loss['real']:+.3f} ± {loss['error']:.3f}"
            line += f"  {loss['real']:>8.3f} {loss['own']:>8.3f} {difference:>16}"
        click.echo(line)
    click.echo(
        f"\nown - real up to distance {found['near']} and from {found['far']} on, and its growth:"
    )
    for key, name in names.items():
        growth = found[key]
        click.echo(
            f"{name}: {growth['near']:+.3f} and {growth['far']:+.3f}; growth "
            f"{growth['far'] - growth['near']:+.3f} ± {growth['error']:.3f}"
        )
    if found["reference"] is None:
        click.echo("A reference learns from the part before: give --val_fraction 0.1 to see it.")


def _show(scored: str, nats: "np.ndarray") -> None:
    from char_rnn.analyse.surprise import coloured

    write_styled([("\n", ""), *coloured(scored, nats), ("\n", "")])


def _write_page(
    path: Path, model: "CharRNN", corpus: "Corpus", start: int, nats: "np.ndarray", scored: str
) -> None:
    from char_rnn.analyse.surprise import likeliest, page
    from char_rnn.storage import write_text

    stop = min(corpus.length, start + 1 + ON_PAGE)
    expected = likeliest(model, corpus, start, stop)
    title = f"{corpus.name}: where it surprises the model"
    ids = corpus.read(start + 1, stop)
    write_text(path, page(title, corpus.vocabulary.chars, ids, expected, float(nats.mean())))
    cut = f" (the first {len(ids):,} characters)" if len(ids) < len(scored) else ""
    click.echo(f"Written: {path}{cut}", err=True)
