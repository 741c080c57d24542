"""Music from outside: MIDI files, alone or in folders, and texts of pieces, ours or ABC."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from char_rnn.errors import DataError, FileError, NotText, TextNotFound, UsageError
from char_rnn.music.abc import read_abc
from char_rnn.music.bars import bars
from char_rnn.music.midi import read_midi
from char_rnn.music.midi_reader import MOST_BYTES, MOST_REMARKS
from char_rnn.music.notation import pieces
from char_rnn.music.score import Score
from char_rnn.music.text_reader import from_text
from char_rnn.storage import read_bytes
from char_rnn.storage.reading import StrPath, shown

DEMO = "music-demo"
"""The name of a corpus that is made up (demo.py)."""
ENDINGS = (".mid", ".midi", ".kar", ".rmi")
MOST_TEXT = 2 << 20
"""Bytes of a text: a million notes, and some 250 MB and 20 seconds to read them."""
MIDI_BEGINS = (b"MThd", b"RIFF")
ABC = re.compile(r"^X:|\A\s*(?:%|[A-Za-z]:[^\n]*\n[A-Za-z]:)", re.MULTILINE)
"""What our text never has: a line X:, a remark at first, two lines of fields."""

Found = tuple[str, Score, list[str]]
"""What to call a piece, the piece, and what is to be said of it."""


def midi_files(path: StrPath) -> list[Path]:
    """Return the path of a file as it is, or of all MIDI files in a folder, in order.

    Raises TextNotFound if there is nothing there, or no MIDI file in the folder.
    """
    place = Path(path)
    if not place.is_dir():
        if not place.exists():
            raise TextNotFound(f"{shown(path)}: no such file or folder; check the path")
        return [place]
    named = (file for file in place.rglob("*") if file.suffix.lower() in ENDINGS)
    found = sorted(file for file in named if not file.is_dir())
    if not found:
        raise TextNotFound(f"{shown(path)} holds no MIDI files; those end in {', '.join(ENDINGS)}")
    return found


def read_scores(path: StrPath, steps: int | None = None) -> Iterator[Found]:
    """Yield each piece at `path`: of a MIDI file, of all those in a folder, or of a text.

    A file is taken as what it holds: MIDI, ABC, or else our text. One of a folder that cannot be
    read has a score without notes, and a remark that says why.
    steps: as of `read_midi`. Raises as `midi_files` does, MissingExtra without mido, and, at the
    end, DataError if there was none that could be read; of a single file its own error.
    """
    files = midi_files(path)
    count = 0
    for file in files:
        try:
            found = _of_file(file, steps)
        except (DataError, FileError) as error:
            if not Path(path).is_dir():
                raise
            found = [(shown(file.name), Score(()), [f"{error}; left out"])]
        else:
            count += 1
        yield from found
    if not count:
        raise DataError(f"{shown(path)}: none of its {len(files)} MIDI files could be read")


def _of_file(file: Path, steps: int | None) -> list[Found]:
    """Return the pieces of one file, whose whole name begins each remark.

    None has too many bars, so that nothing that shows or writes it must look.
    """
    data, name = read_bytes(file, MOST_BYTES), shown(file)
    if data.startswith(MIDI_BEGINS) or file.suffix.lower() in ENDINGS:
        score, remarks = read_midi(data, steps, name)
        scores = [score]
        with _named(name):
            bars(score)
    elif steps is not None:
        raise UsageError(f"{name} is a text, which says its own grid; leave it out (--grid)")
    else:
        text, remarks = _decoded(data, name), []
        with _named(name):
            scores = read_pieces(text, remarks=remarks)
    told = [f"{name}: {remark}" for remark in remarks]
    called, count = shown(file.name), len(scores)
    return [
        (f"{called}, piece {n} of {count}" if count > 1 else called, score, told if n == 1 else [])
        for n, score in enumerate(scores, 1)
    ]


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise DataError(f"{name}: {error}") from error


def read_text(path: StrPath) -> str:
    """Return the text of a file; FileError if it cannot be read, NotText if it is none."""
    return _decoded(read_bytes(path, MOST_BYTES), shown(path))


def _decoded(data: bytes, name: str) -> str:
    """Return what a file says, in UTF-8, or in Latin-1 as old ABC is."""
    if len(data) > MOST_TEXT:
        raise DataError(f"{name} is larger than {MOST_TEXT >> 20} MiB, the most for a text; cut it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("latin-1")
        if b"\0" in data or not ABC.search(text):
            raise NotText(f"{name} is neither MIDI nor a text: {error}") from error
    return re.sub("\r\n?", "\n", text)


def read_pieces(text: str, lenient: bool = False, remarks: list[str] | None = None) -> list[Score]:
    """Return the pieces of a text, ABC or ours, that have notes; errors count all its lines.

    lenient, remarks: as of `from_text`; of ABC, tunes that cannot be read are left out then.
    Raises DataError as `from_text` and `read_abc` do, and if there are no notes at all.
    """
    said: list[str] = []
    found = _abc(text, lenient, said) if ABC.search(text) else _ours(text, lenient, said)
    scores = [score for score in found if score.notes]
    if not scores:
        raise DataError("; ".join([*said[:3], "there are no notes in it"]))
    for score in scores:
        bars(score)
    if len(scores) < len(found):
        said.append(f"pieces without notes left out: {len(found) - len(scores)} of {len(found)}")
    if remarks is not None:
        more = len(said) - MOST_REMARKS
        remarks += said[:MOST_REMARKS] + ([f"and {more:,} remarks more"] if more > 0 else [])
    return scores


def _abc(text: str, lenient: bool, remarks: list[str]) -> list[Score]:
    tunes = read_abc(text, lenient=lenient)
    for number, (_, said) in enumerate(tunes, 1):
        remarks += [f"tune {number}: {remark}" if len(tunes) > 1 else remark for remark in said]
    return [score for score, _ in tunes]


def _ours(text: str, lenient: bool, remarks: list[str]) -> list[Score]:
    """Read the pieces between blank lines."""
    found, place, line = [], 0, 1
    for piece in pieces(text):
        begin = text.index(piece, place)
        line += text.count("\n", place, begin)
        found.append(from_text(piece, lenient, remarks, line))
        line += piece.count("\n")
        place = begin + len(piece)
    return found
