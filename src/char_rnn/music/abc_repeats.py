"""In which order the bars of an ABC tune are played: repeats and their endings.

Source: the ABC standard 2.1, sections 4.8 to 4.10.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MOST_PASSES = 16  # that an ending or a repeat may ask for


@dataclass
class Measure:
    """What stands between two bar lines.

    events: its notes and fields. start: a repeat begins at its left, |: 1, |:: 2. end: one ends at
    its right, :| 1, ::| 2; so often is it played again. endings: the passes it is for, where an
    ending begins at its left, else none. stop: a double bar at its right. line: where it begins.
    """

    events: list[Any] = field(default_factory=list)
    start: int = 0
    end: int = 0
    endings: frozenset[int] = frozenset()
    stop: bool = False
    line: int = 0


def played(measures: list[Measure]) -> Iterator[Measure]:
    """Yield the measures as they are played.

    A repeat goes back to the last |: or, where none stands, to where the last repeat was over.
    Endings that name the pass are played, others passed over. Repeats in repeats are none: going
    back is to the last beginning, so that this ends.
    """
    tops, overs = _tops(measures), _overs(measures)
    begin, turn, at, in_ending = 0, 1, 0, False
    while at < len(measures):
        measure = measures[at]
        if measure.start and at != begin:
            begin, turn, in_ending = at, 1, False
        if measure.endings and turn not in measure.endings:
            at = overs[at]
            if at < len(measures) and not measures[at].endings:
                begin, turn = at, 1
            continue
        yield measure
        in_ending = in_ending or bool(measure.endings)
        passes = max(measure.end + 1, measures[begin].start + 1, tops[begin])
        at += 1
        if measure.end and turn < passes:
            at, turn, in_ending = begin, turn + 1, False
        elif measure.end or (measure.stop and in_ending):
            begin, turn, in_ending = at, 1, False


def _tops(measures: list[Measure]) -> list[int]:
    """Return of each measure the highest ending from it on in what is repeated together."""
    tops = [0] * (len(measures) + 1)
    for at in range(len(measures) - 1, -1, -1):
        after = measures[at + 1] if at + 1 < len(measures) else Measure(start=1)
        goes_on = bool(after.endings) if measures[at].end else not after.start
        tops[at] = max([*measures[at].endings, tops[at + 1] if goes_on else 0])
    return tops


def _overs(measures: list[Measure]) -> list[int]:
    """Return of each measure which one comes after the ending that it stands in."""
    overs = [len(measures)] * (len(measures) + 1)
    for at in range(len(measures) - 2, -1, -1):
        here, after = measures[at], measures[at + 1]
        over = here.end or here.stop or after.endings or after.start
        overs[at] = at + 1 if over else overs[at + 1]
    return overs
