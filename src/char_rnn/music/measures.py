"""Figures of tunes beside those of a corpus: bars, keys, endings, histograms, what is copied."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from char_rnn.data.shared_runs import longest_runs
from char_rnn.music.bars import bars
from char_rnn.music.score import Note, Score
from char_rnn.music.theory import ends_on_tonic, in_key, pitched


def describe(scores: Sequence[Score], corpus: Sequence[Score] = ()) -> dict[str, Any]:
    """Return figures of `scores`, and how much of them stands in `corpus`, as what JSON can hold.

    tunes, notes: how many. full_bars, in_key, end_on_tonic: shares, 0 to 1; of all bars, of all
    notes, of all tunes, in the key that a tune says. pitches, intervals: shares by MIDI pitch and
    by semitones up (+) or down (−). copied, copied_exactly: with a corpus, for each tune the notes
    of `longest_copied` in any key, and at the very pitches.
    """
    bars = [right for score in scores for right in right_bars(score)]
    sizes = [len(pitched(score)) for score in scores]
    in_keys = [in_key(score) * size for score, size in zip(scores, sizes, strict=True)]
    figures = {
        "tunes": len(scores),
        "notes": sum(sizes),
        "full_bars": _share(bars),
        "in_key": sum(in_keys) / max(sum(sizes), 1),
        "end_on_tonic": _share([ends_on_tonic(score) for score in scores]),
        "pitches": _shares(pitch_histogram(scores)),
        "intervals": _shares(interval_histogram(scores)),
    }
    if corpus:
        figures["copied"] = copied_runs(scores, corpus)
        figures["copied_exactly"] = copied_runs(scores, corpus, exactly=True)
    return figures


def pitch_histogram(scores: Iterable[Score]) -> dict[int, int]:
    """Return how often each pitch is there, from the lowest up."""
    counts = Counter(note.pitch for score in scores for note in pitched(score))
    return dict(sorted(counts.items()))


def interval_histogram(scores: Iterable[Score]) -> dict[int, int]:
    """Return how often a melody moves by so many semitones, from the widest leap down (−) up.

    The melody of a voice is the highest note of each start.
    """
    counts = Counter(
        after.pitch - before.pitch
        for score in scores
        for melody in melodies(score)
        for before, after in pairwise(melody)
    )
    return dict(sorted(counts.items()))


def melodies(score: Score) -> Iterator[list[Note]]:
    """Yield of each voice that has pitches the highest note of each start, in time."""
    notes = sorted(pitched(score), key=lambda note: (note.voice, note.start, note.pitch))
    for _, voice in groupby(notes, lambda note: note.voice):
        yield [list(chord)[-1] for _, chord in groupby(voice, lambda note: note.start)]


def right_bars(score: Score) -> list[bool]:
    """Tell of each bar whether it is right: of the piece's usual length, whole, and kept apart.

    Usual is the length that most bars have by their meters. A bar is whole unless a change of the
    meter or the end of the piece cuts it short; two bars are apart unless a note crosses into the
    other. Raises DataError as `bars` does.
    """
    found = bars(score)
    usual = Counter(bar.full for bar in found).most_common(1)
    starts = np.array([bar.start for bar in found])
    crossed: set[int] = set()
    for note in score.notes:
        first, last = np.searchsorted(starts, [note.start, note.end - 1], "right")
        if first < last:
            crossed.update(range(first - 1, last))
    return [
        bar.end - bar.start == usual[0][0] and place not in crossed
        for place, bar in enumerate(found)
    ]


def longest_copied(tune: Score, corpus: Sequence[Score], exactly: bool = False) -> int:
    """Return the notes of the longest run of a tune that stands in a corpus.

    A run is copied if the steps from note to note are (in semitones), the lengths of all its notes,
    and the rests between them, in quarters: so a transposed copy counts, and with `exactly` only
    one at the same pitches. Of voices with chords the highest notes are compared.
    """
    return copied_runs([tune], corpus, exactly)[0]


def copied_runs(
    tunes: Sequence[Score], corpus: Sequence[Score], exactly: bool = False
) -> list[int]:
    """Return `longest_copied` of each of many tunes, which are looked up at once."""
    numbers: dict[Hashable, int] = {}
    ours, theirs = ([_symbols(score, exactly) for score in scores] for scores in (tunes, corpus))
    sample, text = _joined(ours, "of the tunes", numbers), _joined(theirs, "corpus", numbers)
    # Every other symbol is a note: n notes, and the ways between them, are 2 n − 1 symbols.
    notes = (longest_runs(sample, text)[0][::2] + 1) // 2
    ends = np.cumsum([len(symbols) // 2 for symbols in ours])
    return [int(part.max(initial=0)) for part in np.split(notes, ends[:-1])]


def _symbols(score: Score, exactly: bool) -> list[Hashable]:
    """Return what is compared of a score: of each note its length, then the way to the next."""
    found: list[Hashable] = []
    for melody in melodies(score):
        for note, after in pairwise([*melody, None]):
            assert note is not None
            length = Fraction(note.length, score.steps)
            found.append(("note", length, note.pitch if exactly else 0))
            if after is None:
                found.append(None)
            else:
                rest = Fraction(after.start - note.end, score.steps)
                found.append(("way", rest, 0 if exactly else after.pitch - note.pitch))
    return found


def _joined(tunes: list[list[Hashable]], side: str, numbers: dict[Hashable, int]) -> np.ndarray:
    """Return the symbols of all tunes as numbers, (N,); the ends of melodies differ by `side`."""
    symbols = [side if symbol is None else symbol for tune in tunes for symbol in tune]
    return np.array([numbers.setdefault(symbol, len(numbers)) for symbol in symbols], np.int64)


def _share(held: Sequence[bool]) -> float:
    return sum(held) / max(len(held), 1)


def _shares(counts: dict[int, int]) -> dict[str, float]:
    total = max(sum(counts.values()), 1)
    return {str(value): count / total for value, count in counts.items()}
