"""MIDI to train on: each piece a document of text, those that validate apart from all others."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from char_rnn.config import TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.documents import unshuffled
from char_rnn.data.sources import Source
from char_rnn.errors import DataError, UsageError
from char_rnn.music.files import DEMO, ENDINGS, read_scores
from char_rnn.music.notation import pieces
from char_rnn.music.score import Change, Score
from char_rnn.music.text_writer import to_text
from char_rnn.music.theory import ends_on_tonic, key_named, key_of, pitched, transpose
from char_rnn.runs.begin import train as train_text
from char_rnn.runs.run import Run
from char_rnn.storage.reading import StrPath, shown
from char_rnn.text_config import TextConfig

MOST_TRANSPOSED = 11
Names = StrPath | Sequence[StrPath]


class Tunes(NamedTuple):
    """text: the pieces, a blank line between two. remarks: a few lines on what was left out.

    val_fraction: the share of the pieces in the text that validate. name: of them all.
    """

    text: str
    remarks: list[str]
    val_fraction: float
    name: str


def is_music(names: Names) -> bool:
    """Tell whether these are MIDI files, folders of more of them than of others, or `DEMO`.

    Raises UsageError if some are and some are not.
    """
    found = {name: _is_music(name) for name in _listed(names)}
    if len({*found.values()}) > 1:
        music = next(name for name, is_one in found.items() if is_one)
        other = next(name for name, is_one in found.items() if not is_one)
        raise UsageError(
            f"{shown(music)} is music and {shown(other)} is not; train on one kind, or make text "
            "of the MIDI files: char-rnn music encode"
        )
    return any(found.values())


def tunes_text(
    names: Names,
    grid: int | None = None,
    transpose: int | str | None = None,
    rng_seed: int = TrainConfig.rng_seed,
    val_fraction: float = TrainConfig.val_fraction,
) -> Tunes:
    """Return MIDI files, all those in folders, or the tunes of `DEMO`, as text to train on.

    grid: steps of a quarter, as of `read_midi`.
    transpose: a tonic, such as "C", moves each piece there the shorter way, and says its key where
    it says none; a number adds each piece higher and lower by 1 to so many semitones. Both go as
    far as MIDI goes, and leave drums. None takes pieces as they are, those of `DEMO` on C: what a
    minute of training is enough for.
    The last `val_fraction` of the pieces validates, as it is: no piece is there in another key
    than in the training part. For that, all stand where shuffling by `rng_seed` puts them right;
    and the copies of a piece stand together, so that the part that calibrates shares one at most.

    Raises UsageError for a wrong `transpose`, DataError if no piece is left, and as `read_scores`.
    """
    if transpose is None:
        transpose = "C" if any(map(_is_demo, _listed(names))) else 0
    tonic, moves = _moves(transpose)
    remarks = _Remarks()
    texts: list[list[str]] = []
    for name, score in _scores(names, grid, remarks):
        moved = [score] if tonic is None else _on(tonic, score, remarks)
        try:
            texts += [[*map(_text, _copies(one, moves, remarks))] for one in moved]
        except DataError as error:
            remarks.left_out.append(f"{name}: {error}; left out")
    if not texts:
        raise DataError(f"{_name(names)}: no piece with notes in it")
    held_out = min(max(round(len(texts) * val_fraction), val_fraction > 0), len(texts) - 1)
    rest = len(texts) - held_out
    wanted = [text for piece in texts[:rest] for text in piece]
    wanted += [piece[0] for piece in texts[rest:]]
    text = "\n\n".join(unshuffled(wanted, rng_seed)) + "\n"
    return Tunes(text, remarks.lines(), held_out / len(wanted), _name(names))


def tunes_corpus(tunes: Tunes) -> Corpus:
    """Return the corpus of these pieces; a run that trains on it keeps their text."""
    source = Source(
        tunes.name, "", (tunes.text.encode(),), tunes.remarks, config=TextConfig(documents="blank")
    )
    return Corpus.from_source(source)


def train(
    names: Names,
    *,
    transpose: int | str | None = None,
    grid: int | None = None,
    val_fraction: float = TrainConfig.val_fraction,
    rng_seed: int = TrainConfig.rng_seed,
    **settings: Any,
) -> Run:
    """Train a model on MIDI files, all those in folders, or the tunes of "music-demo".

    transpose, grid: as of `tunes_text`. val_fraction: of the pieces, the last of which validate.
    settings: as of `char_rnn.train`. What was left out is among the run's notes; its text lies in
    its folder, so that `char_rnn.resume` goes on with it.
    """
    tunes = tunes_text(names, grid, transpose, rng_seed, val_fraction)
    settings |= {"val_fraction": tunes.val_fraction, "rng_seed": rng_seed}
    return train_text(tunes_corpus(tunes), **settings)


class _Remarks:
    """What is said of files and pieces, in a few lines however many there are."""

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self.changed: list[str] = []
        self.too_far = 0

    def lines(self) -> list[str]:
        """Return a line for each kind."""
        found = []
        for said, what in ((self.left_out, "files left out"), (self.changed, "remarks on files")):
            more = f"; {what}: {len(said):,}, each told by char-rnn music encode"
            found += [said[0] + (more if len(said) > 1 else "")] if said else []
        if self.too_far:
            found.append(
                f"transposed pieces left out, for pitches that MIDI has not: {self.too_far:,}"
            )
        return found


def _scores(names: Names, grid: int | None, remarks: _Remarks) -> Iterator[tuple[str, Score]]:
    """Yield each piece that has notes, and the name of its file."""
    for name in _listed(names):
        if _is_demo(name):
            from char_rnn.music.demo import demo_scores

            if grid is not None:
                raise UsageError(f"{DEMO} has a grid of its own; leave it out (--grid)")
            yield from ((DEMO, score) for score in demo_scores())
            continue
        for file, score, said in read_scores(name, grid):
            if score.notes:
                remarks.changed += said
                yield file, score
            else:
                remarks.left_out += said


def _moves(transpose: int | str) -> tuple[int | None, list[int]]:
    """Return the tonic that all pieces are moved to, None for none, and where each comes also."""
    if isinstance(transpose, str):
        tonic, mode = key_named(transpose)
        if mode == "major":
            return tonic, []
    elif type(transpose) is int and 0 <= transpose <= MOST_TRANSPOSED:
        return None, [move for move in range(-transpose, transpose + 1) if move]
    raise UsageError(
        f"transpose is {transpose!r}; it must be a tonic such as 'C' or 'Bb', where all pieces are "
        f"moved to, or a whole number of semitones, 0 to {MOST_TRANSPOSED}"
    )


def _on(tonic: int, score: Score, remarks: _Remarks) -> list[Score]:
    """Return a piece on this tonic, with its key; none if MIDI has not the pitches.

    What a piece says of its key counts if it ends on that tonic: many files say C and mean nothing.
    """
    if not pitched(score):
        return [score]
    key = score.keys[0].value if score.keys and ends_on_tonic(score) else key_of(score)
    if not score.keys:
        score = replace(score, keys=(Change(0, key),))
    up = (tonic - key[0]) % 12
    moved = [_moved(score, by) for by in sorted([up, up - 12], key=abs)]
    found = [one for one in moved if one is not None][:1]
    remarks.too_far += not found
    return found


def _copies(score: Score, moves: list[int], remarks: _Remarks) -> Iterator[Score]:
    """Yield a piece, and higher by so many semitones, where that can be."""
    yield score
    for semitones in moves:
        moved = _moved(score, semitones)
        if moved is None:
            remarks.too_far += 1
        else:
            yield moved


def _moved(score: Score, semitones: int) -> Score | None:
    """Return a piece higher by so many semitones; None where MIDI has not the pitches."""
    try:
        return transpose(score, semitones)
    except UsageError:
        return None


def _text(score: Score) -> str:
    """Return a piece as a document: without names, and without an empty line."""
    text = to_text(score, names=False)
    assert len(pieces(text)) == 1
    return text


def _listed(names: Names) -> list[StrPath]:
    return list(names) if isinstance(names, list | tuple) else [names]  # type: ignore[list-item]


def _is_demo(name: StrPath) -> bool:
    return name == DEMO and not Path(DEMO).exists()


def _is_music(name: StrPath) -> bool:
    path = Path(name)
    if not path.is_dir():
        return _is_demo(name) or path.suffix.lower() in ENDINGS
    files = [p for p in path.rglob("*") if not p.name.startswith(".") and p.is_file()]
    return 2 * sum(file.suffix.lower() in ENDINGS for file in files) > len(files)


def _name(names: Names) -> str:
    """Return a short name for what is read."""
    first = _listed(names)[0]
    return DEMO if _is_demo(first) else Path(first).resolve().stem
