"""Bars: where they begin and end on a score's grid."""

from dataclasses import dataclass

from char_rnn.errors import DataError
from char_rnn.music.score import MOST_BARS, USUAL_METER, Change, Score

Meter = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bar:
    """start, end: in steps. full: how long it would be by its meter; a change may cut it short."""

    start: int
    end: int
    full: int
    meter: Meter


def bar_length(meter: Meter, steps: int) -> int:
    """Return the steps of a bar; rounded down where the grid of `steps` a quarter is too coarse."""
    numerator, denominator = meter
    return max(1, 4 * steps * numerator // denominator)


def beat_length(meter: Meter, steps: int) -> int:
    """Return the steps of a beat: three eighths in 6/8, 9/8 and 12/8, else what the meter says."""
    numerator, denominator = meter
    eighths = 3 if denominator >= 8 and numerator > 3 and numerator % 3 == 0 else 1
    return max(1, 4 * steps * eighths // denominator)


def bars(score: Score) -> list[Bar]:
    """Return all bars of a piece, each beginning where the last one ends.

    A bar is cut short where the meter changes within it, and where the piece ends.
    Raises DataError if there are more than MOST_BARS.
    """
    found: list[Bar] = []
    changes = _from_the_start(score.meters)
    ends = [change.start for change in changes[1:]] + [score.length]
    for change, end in zip(changes, ends, strict=True):
        full = bar_length(change.value, score.steps)
        if len(found) + (end - change.start) // full > MOST_BARS:
            raise DataError(f"more than {MOST_BARS} bars; cut the piece, or take another meter")
        for start in range(change.start, end, full):
            found.append(Bar(start, min(start + full, end), full, change.value))
    return found


def end_of_bar(meters: tuple[Change, ...], steps: int, end: int) -> int:
    """Return the end of the bar that a piece which is over at the step `end` ends in."""
    last = [change for change in _from_the_start(meters) if change.start < end][-1:]
    if not last:
        return end
    full = bar_length(last[0].value, steps)
    return last[0].start - (last[0].start - end) // full * full


def _from_the_start(meters: tuple[Change, ...]) -> list[Change]:
    usual = [] if meters and meters[0].start == 0 else [Change(0, USUAL_METER)]
    return [*usual, *meters]
