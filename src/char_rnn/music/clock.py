"""Where the bars of a piece begin, and when its steps are heard."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from char_rnn.music.bars import Bar, bar_length, bars, beat_length
from char_rnn.music.score import USUAL_METER, USUAL_TEMPO, Change, Score

Array = np.ndarray


def bar_lines(score: Score) -> list[int]:
    """Return the step at which each bar begins, and at the end that at which the last one is full.

    There is one bar at least.
    """
    found = bars(score) or [Bar(0, 0, bar_length(USUAL_METER, score.steps), USUAL_METER)]
    return [*(bar.start for bar in found), found[-1].start + found[-1].full]


def beats(score: Score) -> list[int]:
    """Return the steps at which a beat begins that begins no bar; see `beat_length`."""
    found: list[int] = []
    for bar in bars(score):
        # The last bar is drawn full; one that a change of meter cuts short ends with it.
        end = bar.start + bar.full if bar.end == score.length else bar.end
        beat = beat_length(bar.meter, score.steps)
        found += range(bar.start + beat, end, beat)
    return found


def tempo_map(score: Score) -> tuple[Array, Array]:
    """Return steps (N,) and the seconds (N,) at which they are heard; between them it is linear.

    The last of them is the end of the last bar.
    """
    changes = _changes(score.tempos, USUAL_TEMPO)
    stop = bar_lines(score)[-1]
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
    starts = bar_lines(score)
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
