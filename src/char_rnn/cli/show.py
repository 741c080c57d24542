"""`char-rnn show`: tunes, to be seen and heard."""

import re
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from char_rnn.cli.completion import complete_file
from char_rnn.cli.help import Command
from char_rnn.cli.options import PATH, option
from char_rnn.errors import UsageError

if TYPE_CHECKING:
    from char_rnn.music.score import Score


@click.command(
    "show",
    cls=Command,
    examples=(
        "char-rnn show tune.mid",
        "char-rnn show tune.mid tunes/ tunes.abc -o tunes.svg",
        "char-rnn show tune.mid --bars 9:16 --play",
        "char-rnn show tune.mid --html tune.html --wav tune.wav",
    ),
)
@click.argument(
    "tunes", metavar="TUNE...", nargs=-1, required=True, type=PATH, shell_complete=complete_file
)
@option("bars", metavar="A:B", help="Only these bars, counted from 1; 9: is from there to the end.")
@option("out", short="o", type=PATH, help="Write a picture: .svg, .png or .pdf.")
@option("html", type=PATH, help="Write a page that shows the tunes and plays them.")
@option("wav", type=PATH, help="Write the sound, one tune after the other.")
@option("play", is_flag=True, help="Play it with a player of this system.")
def command(
    tunes: tuple[Path, ...],
    bars: str | None,
    out: Path | None,
    html: Path | None,
    wav: Path | None,
    play: bool,
) -> None:
    """Draw each TUNE as a piano roll, below each other: MIDI, a folder of it, or a text of pieces.

    A text is one of `char-rnn music encode`, or melodies in ABC. Pitch goes upwards, time to the
    right. The rolls appear in the terminal; --out writes them as a picture (.png and .pdf: extra
    `plots`), --html as a page that plays them, --wav what they sound like. Reading MIDI is of the
    extra `music`.
    """
    from char_rnn.music.files import read_scores

    _check(out, html, wav)
    scores, names, first = [], [], 1
    for name, score, remarks in chain.from_iterable(map(read_scores, tunes)):
        for remark in remarks:
            click.echo(remark, err=True)
        if not score.notes:
            continue
        if bars is not None:
            score, first, said = _part(score, bars, name)
            name = f"{name}, {said}"
        scores.append(score)
        names.append(name)
    _draw(scores, names, first)
    if out is not None:
        from char_rnn.music.roll import roll

        roll(scores, names, first).save(out)
    if html is not None:
        from char_rnn.music.page import page
        from char_rnn.storage import write_text

        write_text(html, page(scores, names, first))
    if wav is not None:
        from char_rnn.music.synth import save_wav

        save_wav(wav, scores)
    for path in filter(None, (out, html, wav)):
        click.echo(f"Written: {path}", err=True)
    if play:
        _play(scores)


def _check(out: Path | None, html: Path | None, wav: Path | None) -> None:
    """Raise now what writing these files would raise at the end."""
    from char_rnn.storage import check_writable

    if out is not None and out.suffix.lower() != ".svg":
        from char_rnn.pictures.png import check_format

        check_format(out)
    for path in filter(None, (out, html, wav)):
        check_writable(path)


def _part(score: "Score", asked: str, name: str) -> tuple["Score", int, str]:
    """Return the bars of `score` that are asked for as "A:B", the first's number, and words.

    Raises UsageError if that are no bars, or none that the piece has.
    """
    from char_rnn.music.clock import bar_lines, cut

    count = len(bar_lines(score)) - 1
    found = re.fullmatch(r"(\d{1,9})?(:?)(\d{1,9})?", asked)
    begin = int(found[1] or 1) if found else 0
    end = int(found[3] or count) if found and found[2] else begin
    if begin > count:
        raise UsageError(f"--bars is {asked!r}, and {name} has {count:,} bars")
    if not (asked and 1 <= begin <= end):
        raise UsageError(f"--bars is {asked!r}; it must be such as 9:16, or 9: for all from there")
    end = min(end, count)
    return cut(score, begin, end), begin, f"bars {begin} to {end} of {count:,}"


def _draw(scores: "list[Score]", names: list[str], first: int) -> None:
    """Write the tunes to standard output in plain characters."""
    import shutil

    from char_rnn.music.roll import MOST_BARS, shortened
    from char_rnn.music.roll_text import roll_text, signs_for

    signs = signs_for(_encoding())
    width = shutil.get_terminal_size((80, 24)).columns
    for score, name in zip(scores, names, strict=True):
        heading, some = shortened(score, name, MOST_BARS)
        click.echo(f"{heading}\n{roll_text(some, width, signs, first)}")


def _encoding() -> str | None:
    """Return what standard output writes characters in."""
    return getattr(sys.stdout, "encoding", None)


def _play(scores: "list[Score]") -> None:
    """Play the tunes, one after the other."""
    import tempfile

    from char_rnn.music.play import play
    from char_rnn.music.synth import save_wav

    with tempfile.TemporaryDirectory(prefix="char-rnn-") as folder:
        path = Path(folder) / "tunes.wav"
        save_wav(path, scores)
        play(path)
