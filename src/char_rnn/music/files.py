"""Many at once: the MIDI files of a folder, the pieces of a text."""

from collections.abc import Iterator
from pathlib import Path

from char_rnn.errors import DataError, FileError, TextNotFound
from char_rnn.music.midi import read_midi
from char_rnn.music.notation import pieces
from char_rnn.music.score import Score
from char_rnn.music.text_reader import from_text
from char_rnn.storage.reading import StrPath, shown

DEMO = "music-demo"
"""The name of a corpus that is made up (demo.py)."""
ENDINGS = (".mid", ".midi", ".kar", ".rmi")


def midi_files(path: StrPath) -> list[Path]:
    """Return the path of a file as it is, or of all MIDI files in a folder, in order.

    Raises TextNotFound if there is nothing there, or no MIDI file in the folder.
    """
    place = Path(path)
    if not place.is_dir():
        if not place.exists():
            raise TextNotFound(f"{shown(path)}: no such file or folder; check the path")
        return [place]
    found = sorted(file for file in place.rglob("*") if file.suffix.lower() in ENDINGS)
    if not found:
        raise TextNotFound(f"{shown(path)} holds no MIDI files; those end in {', '.join(ENDINGS)}")
    return found


def read_scores(path: StrPath, steps: int | None = None) -> Iterator[tuple[Path, Score, list[str]]]:
    """Yield each MIDI file at `path` that can be read: where it is, its score, and remarks.

    A file that cannot be read has a score without notes, and a remark that says why.
    steps: as of `read_midi`. Raises as `midi_files` does, MissingExtra without mido, and, at the
    end, DataError if there was none that could be read; of a single file its own error.
    """
    files = midi_files(path)
    count = 0
    for file in files:
        try:
            score, remarks = read_midi(file, steps)
        except (DataError, FileError) as error:
            if not Path(path).is_dir():
                raise
            yield file, Score(()), [f"{error}; left out"]
        else:
            count += 1
            yield file, score, [f"{shown(file)}: {remark}" for remark in remarks]
    if not count:
        raise DataError(f"{shown(path)}: none of its {len(files)} MIDI files could be read")


def read_pieces(text: str, lenient: bool = False, remarks: list[str] | None = None) -> list[Score]:
    """Return the pieces of a text between blank lines; errors and remarks count its lines.

    lenient, remarks: as of `from_text`. Raises DataError as `from_text` does, or for no piece.
    """
    found, line = [], 0
    for piece in pieces(text):
        line = text.index(piece, line)
        found.append(from_text("\n" * text.count("\n", 0, line) + piece, lenient, remarks))
        line += len(piece)
    return found
