"""Where the bars of a piece begin, and when its steps are heard."""

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from char_rnn.music.score import USUAL_METER, USUAL_TEMPO, Change, Score

Array = np.ndarray


def bars(score: Score) -> list[int]:
    """Return the step at which each bar begins, and at the end that at which the last one ends.

    A change of meter begins a bar wherever it stands. There is one bar at least.
    """
    stop = max(score.length, 1)
    changes = _changes(score.meters, USUAL_METER)
    found: list[int] = []
    for change, until in zip(changes, [*(c.start for c in changes[1:]), stop], strict=True):
        numerator, denominator = change.value
        # A sixteenth on a grid of one step a quarter ends between two steps: rounded, not summed.
        size = max(Fraction(4 * score.steps * numerator, denominator), Fraction(1))
        count = math.ceil((until - change.start) / size)
        found += [change.start + round(n * size) for n in range(count)]
        stop = change.start + round(count * size)
    return [*found, stop]


def beats(score: Score) -> list[int]:
    """Return the steps at which a beat begins that begins no bar.

    A beat is what the meter counts; in 6/8, 9/8 and 12/8 three of those.
    """
    found = []
    starts = bars(score)
    changes = _changes(score.meters, USUAL_METER)
    k = 0
    for begin, stop in pairwise(starts):
        while k + 1 < len(changes) and changes[k + 1].start <= begin:
            k += 1
        numerator, denominator = changes[k].value
        counted = 3 if denominator >= 8 and numerator % 3 == 0 and numerator > 3 else 1
        beat = max(Fraction(4 * score.steps * counted, denominator), Fraction(1))
        count = math.ceil((stop - begin) / beat)
        found += [begin + round(n * beat) for n in range(1, count)]
    return found


def tempo_map(score: Score) -> tuple[Array, Array]:
    """Return steps (N,) and the seconds (N,) at which they are heard; between them it is linear.

    The last of them is the end of the last bar.
    """
    changes = _changes(score.tempos, USUAL_TEMPO)
    stop = bars(score)[-1]
    steps = np.array([*(change.start for change in changes), stop], np.float64)
    rates = np.array([60 / (change.value * score.steps) for change in changes])
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(steps) * rates)])
    return steps, seconds


def clock(score: Score) -> Callable[[Array], Array]:
    """Return what tells at which second each of an array of steps is heard."""
    steps, seconds = tempo_map(score)
    return lambda at: np.interp(at, steps, seconds)


def cut(score: Score, first: int, last: int) -> Score:
    """Return the bars `first` to `last` of `score`, counted from 1.

    Notes belong to the bar in which they begin, and end with the last bar at the latest; what
    holds at the first bar stands at its beginning.
    """
    starts = bars(score)
    begin, stop = starts[first - 1], starts[min(last, len(starts) - 1)]
    notes = tuple(
        replace(note, start=note.start - begin, length=min(note.length, stop - note.start))
        for note in score.notes
        if begin <= note.start < stop
    )
    tempos, meters, keys = (
        _within(changes, begin, stop) for changes in (score.tempos, score.meters, score.keys)
    )
    return replace(score, notes=notes, tempos=tempos, meters=meters, keys=keys, length=stop - begin)


def _within(changes: tuple[Change, ...], begin: int, stop: int) -> tuple[Change, ...]:
    kept = [change for change in changes if begin < change.start < stop]
    before = [change for change in changes if change.start <= begin]
    held = [before[-1]] if before else []
    return tuple(replace(c, start=max(c.start - begin, 0)) for c in [*held, *kept])


def _changes(changes: tuple[Change, ...], usual: object) -> list[Change]:
    """Return `changes` with what holds at the beginning first."""
    return [Change(0, usual), *changes] if not changes or changes[0].start else [*changes]
