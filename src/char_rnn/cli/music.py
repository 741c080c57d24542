"""`char-rnn music`: MIDI and ABC as text that one can read and edit, and back."""

from pathlib import Path
from typing import Any

import click

from char_rnn.cli.completion import complete_file
from char_rnn.cli.help import Command
from char_rnn.cli.options import PATH, POSITIVE, option
from char_rnn.cli.written import numbered
from char_rnn.errors import DataError, UsageError, unknown_name

ENCODE, DECODE = "encode", "decode"
ACTIONS = {ENCODE: "MIDI to text", DECODE: "text to MIDI"}
OF_ONE = {"grid": ENCODE, "mend": DECODE}
"""Options that one of them has."""


@click.command(
    "music",
    cls=Command,
    examples=(
        "char-rnn music encode tune.mid",
        "char-rnn music encode tunes/ --out tunes.txt",
        "char-rnn music encode tune.mid --grid 24",
        "char-rnn music decode tunes.txt --out tune.mid",
        "char-rnn music decode melodies.abc --out melody.mid",
        "char-rnn music decode - --mend -o tune.mid",
    ),
)
@click.argument("action", metavar="encode|decode")
@click.argument("file", metavar="FILE", shell_complete=complete_file)
@option("out", short="o", type=PATH, help="The file to write; several pieces are numbered.")
@option("grid", type=POSITIVE, told="12, or finer", help="Steps a quarter note, for encode.")
@option("mend", is_flag=True, default=None, help="Make the best of a damaged text, for decode.")
def command(action: str, file: str, out: Path | None, **options: Any) -> None:
    """Write MIDI files as text, or such a text as MIDI files. FILE may be a folder, or -.

    Text goes to standard output unless --out is there. Between pieces stands a blank line. What a
    file had to be changed for is said, file by file; one of a folder that cannot be read is left
    out. Both take melodies in ABC, too.
    """
    if action not in ACTIONS:
        raise unknown_name("action", action, ACTIONS)
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if OF_ONE[name] != action:
            raise UsageError(f"--{name} has no effect on {action}; it is for {OF_ONE[name]}")
    if action == ENCODE:
        _encode(file, out, given.get("grid"))
    else:
        _decode(file, out, given.get("mend", False))


def _encode(file: str, out: Path | None, grid: int | None) -> None:
    from char_rnn.music.files import read_scores
    from char_rnn.music.text import to_text
    from char_rnn.storage import check_writable, write_text
    from char_rnn.storage.reading import shown

    if out is not None:
        check_writable(out)
    texts = []
    for name, score, remarks in read_scores(file, grid):
        _say(remarks)
        try:
            texts += [to_text(score) + "\n"] if score.notes else []
        except DataError as error:
            if not Path(file).is_dir():
                raise DataError(f"{name}: {error}") from error
            _say([f"{name}: {error}; left out"])
    if not texts:
        raise DataError(f"{shown(file)}: no piece of it can be written as text")
    text = "\n".join(texts)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_text(out, text)
        _say([f"{len(texts)} {'piece' if len(texts) == 1 else 'pieces'} in {shown(out)}"])


def _decode(file: str, out: Path | None, mend: bool) -> None:
    from char_rnn.data.sources import STDIN, open_source
    from char_rnn.music.files import read_pieces, read_text
    from char_rnn.music.midi import write_midi
    from char_rnn.storage import check_writable, write_bytes
    from char_rnn.storage.reading import shown

    if out is None:
        raise UsageError("decode writes MIDI, which is no text; name the file: --out tune.mid")
    remarks: list[str] = []
    text = "".join(open_source(STDIN).chunks()) if file == STDIN else read_text(file)
    try:
        files = [write_midi(score, remarks) for score in read_pieces(text, mend, remarks)]
    except DataError as error:
        raise DataError(f"{shown(file)}: {error}") from error
    _say(remarks)
    paths = numbered(out, len(files))
    check_writable(paths[-1])
    for path, data in zip(paths, files, strict=True):
        write_bytes(path, data)
    _say([f"wrote {shown(paths[0])}" + (f" to {shown(paths[-1])}" if len(paths) > 1 else "")])


def _say(lines: list[str]) -> None:
    for line in lines:
        click.echo(line, err=True)
