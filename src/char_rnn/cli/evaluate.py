"""`char-rnn evaluate`: how well a model knows a text, and what that number means."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.completion import complete_model, complete_text
from char_rnn.cli.evaluated import SHOWN, show, summary, tell, tell_lines, write_page
from char_rnn.cli.help import Command
from char_rnn.cli.measured import all_finite, measured, surprise
from char_rnn.cli.options import PATH, POSITIVE, option
from char_rnn.cli.report import echo_json
from char_rnn.cli.rules import EVALUATING, check, given_options
from char_rnn.cli.settings import setting_option
from char_rnn.cli.words import fitting
from char_rnn.errors import TextTooShort, UsageError
from char_rnn.text_config import TextConfig

if TYPE_CHECKING:
    from char_rnn.charrnn import CharRNN
    from char_rnn.data.corpus import Corpus
    from char_rnn.runs.scored_text import ScoredText

SCORED, MORE = "What is scored", "What else is measured"
LINES, OUTPUT = "Each line on its own", "Output"
TEXT_ORDER, SURPRISE = "text", "surprise"


@dataclass(frozen=True)
class Asked:
    """The options, under their names."""

    val_fraction: float | None
    pattern: tuple[str, ...]
    encoding: str | None
    column: str | None
    streams: int
    windows: int | None
    dynamic: bool
    dynamic_rms: bool
    mix: bool
    free_running: bool
    plot: Path | None
    no_baselines: bool
    each_line: bool
    sort: str
    reverse: bool
    json: bool
    show: bool
    html: Path | None

    @property
    def reading(self) -> TextConfig:
        """How the text is read."""
        encoding, column = self.encoding or "", self.column or ""
        return TextConfig(pattern=self.pattern, encoding=encoding, column=column)


@click.command(
    "evaluate",
    cls=Command,
    examples=(
        "char-rnn evaluate runs/book book.txt",
        "char-rnn evaluate shakespeare play.txt --windows 50 --show",
        "char-rnn evaluate runs/book book.txt --html surprise.html",
        "char-rnn evaluate runs/book book.txt --free_running --plot drift.png",
        "char-rnn evaluate runs/names names.txt --each_line --sort surprise",
        "char-rnn evaluate runs/tunes tune.mid --html surprise.html",
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
@setting_option(TextConfig, "encoding", group=SCORED)
@setting_option(TextConfig, "column", group=SCORED)
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
    "dynamic_rms",
    is_flag=True,
    group=MORE,
    help="The same, each step by how large gradients are in the text before.",
)
@option(
    "mix",
    is_flag=True,
    group=MORE,
    help="Also mixed with n-grams of the text before; a part of it fits the weight.",
)
@option(
    "free_running",
    is_flag=True,
    group=MORE,
    help="Also how its own text drifts away from real text.",
)
@option("plot", type=PATH, group=MORE, help="Draw that: .png, .svg or .pdf.")
@option("no_baselines", is_flag=True, group=MORE, help="Leave the baselines out.")
@option(
    "each_line",
    is_flag=True,
    group=LINES,
    help="Score every line, or document of a model of documents, whatever is before it.",
)
@option(
    "sort",
    type=click.Choice((TEXT_ORDER, SURPRISE)),
    default=TEXT_ORDER,
    group=LINES,
    help="As they come, or the most nats a character first.",
)
@option("reverse", is_flag=True, group=LINES, help="The other way round.")
@option("json", is_flag=True, group=OUTPUT, help="Print one JSON object, or one for each line.")
@option(
    "show",
    is_flag=True,
    group=OUTPUT,
    help=f"Colour the first {SHOWN:,} characters by their surprise.",
)
@option("html", type=PATH, group=OUTPUT, help="Write the text as a heat map to this file.")
@click.pass_context
def command(ctx: click.Context, /, path: Path, text: str, **options: Any) -> None:
    """Measure how well MODEL, a model file or a run folder, knows TEXT.

    The loss is the mean of -log p over all characters, each predicted from all before it: in nats
    and bits a character, and as perplexity. Beside it, what simpler models reach on the same
    characters. TEXT is a file, a folder, - for standard input, or a built-in text; MIDI is written
    as text first (char-rnn music). Characters that the model does not know are left out, and
    counted.
    """
    asked = Asked(**options)
    _check(asked, given_options(ctx))
    from char_rnn.charrnn import CharRNN
    from char_rnn.storage import check_writable

    model = CharRNN.load(path)
    found = _opened(path, model, text, asked)
    if asked.each_line:
        _each_line(model, found, asked)
        return
    scored = _readable(found)
    _check_text(found, asked, scored)
    for file in filter(None, (asked.plot, asked.html)):
        check_writable(file)
    nats = surprise(model, found, asked.streams)
    report = {"model": str(path)} | measured(model, found, asked, scored, nats)
    if asked.json:
        echo_json(report)
    else:
        tell(report, found.left_out)
    if scored is not None and all_finite(nats):
        if asked.show:
            show(scored[:SHOWN], nats[:SHOWN])
        if asked.html:
            write_page(asked.html, model, found, nats, scored)


def _readable(found: "ScoredText") -> str | None:
    """Return the characters that are scored; None where they are bytes that are not one each."""
    corpus, start = found.corpus, found.start
    scored = corpus.vocabulary.decode(corpus.read(start + 1, corpus.length))
    return scored if len(scored) == corpus.length - start - 1 else None


def _opened(path: Path, model: "CharRNN", text: str, asked: Asked) -> "ScoredText":
    """Return the text to score; tell what should be known of it."""
    from char_rnn.data.given import TextName
    from char_rnn.runs.scored_text import scored_text
    from char_rnn.runs.text import own_text

    own = own_text(str(path))
    given = _music(model, text, asked) or TextName(text)
    found = scored_text(model, given, asked.reading, asked.val_fraction, own)
    for note in found.notes:
        click.echo(f"Note: {fitting(note)}", err=True)
    return found


def _music(model: "CharRNN", text: str, asked: Asked) -> "Corpus | None":
    """Return MIDI as text, which is said; None for all else, and for a model of bytes."""
    from char_rnn.music.training import is_music, tunes_corpus, tunes_text
    from char_rnn.runs.text import reading_for
    from char_rnn.text_config import USUAL

    # What is said of how a text is read says that it is one.
    if reading_for(model.vocabulary).bytes or asked.reading != USUAL or not is_music(text):
        return None
    # In the order that training puts them in: pieces that it held out are then found to be so.
    seed = int(model.summary.get("rng_seed", 0))
    tunes = tunes_text(text, rng_seed=seed, val_fraction=0.0)
    for note in (f"{fitting(text)} is MIDI; its text is scored (char-rnn music)", *tunes.remarks):
        click.echo(f"Note: {fitting(note)}", err=True)
    return tunes_corpus(tunes)


def _check(asked: Asked, given: dict[str, Any]) -> None:
    """Tell what is wrong before anything is read."""
    share = asked.val_fraction
    if share is not None and not 0 < share <= 1:
        raise UsageError(f"--val_fraction is {share}; it must lie between 0 and 1")
    check(EVALUATING, given, vars(asked))
    if asked.show and asked.json:
        raise UsageError("--show and --json both write to standard output; give one of them")
    if asked.plot is not None:
        if not asked.free_running:
            raise UsageError("--plot draws what --free_running finds; give both, or leave it out")
        from char_rnn.pictures.png import check_format

        check_format(asked.plot)


def _check_text(found: "ScoredText", asked: Asked, scored: str | None) -> None:
    """Tell what cannot be had of this text before anything long begins."""
    from char_rnn.analyse.dynamic import passages_of
    from char_rnn.analyse.free_running import places_of
    from char_rnn.analyse.mixture import fitting_from
    from char_rnn.scoring import windows_of

    start, stop = found.start, found.corpus.length
    if scored is None and (asked.show or asked.html):
        raise UsageError("--show and --html need a model of characters; this one reads bytes")
    needs: dict[str, Callable[[], object]] = {
        "windows": lambda: windows_of(start, stop, asked.windows or 1),
        "mix": lambda: fitting_from(start, found.unseen),
        "dynamic_rms": lambda: passages_of(start),
    }
    for name, need in needs.items():
        if getattr(asked, name):
            try:
                need()
            except (TextTooShort, UsageError) as error:
                raise UsageError(f"--{name}: {error}") from error
    if asked.free_running:
        places_of(start, stop)


def _each_line(model: "CharRNN", found: "ScoredText", asked: Asked) -> None:
    """Print a figure for each line of the text, in the order that was asked for."""
    import numpy as np

    from char_rnn.cli.waiting import waiting
    from char_rnn.runs.lines import score_lines

    with waiting("Scoring lines") as told, np.errstate(over="ignore", invalid="ignore"):
        lines = score_lines(model, found, told)
    scores = lines.in_order(asked.sort == SURPRISE, asked.reverse)
    tell_lines(scores, asked.json)
    click.echo(summary(found, lines), err=True)
