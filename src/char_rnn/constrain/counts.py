"""How often repetitions have begun, in all ways that are possible, as the bits of one integer.

Outside any repetition there is one bit. Inside of one, let `width` be the bits that stand for the
counts outside: its n-th turn moves them up by (n − 1) · width. So a turn more is a shift, whatever
is outside and however many counts there are. (Sets of counts beside a state: Turoňová et al. 2020,
"Regex Matching with Counting-Set Automata".)
"""

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Counter:
    """Counts the turns of a repetition, from `least` to `size`, or, `endless`, to any number.

    Endless turns are counted up to the last that is needed. width: bits of the counts outside.
    shortest, longest: ids of one turn.
    """

    width: int
    least: int
    size: int
    endless: bool
    shortest: int
    longest: int

    @property
    def enough(self) -> int:
        """Turns, without the first, after which no other is needed."""
        return max(self.least - 1, 0)

    def next_turn(self, counts: int) -> int:
        """Return the counts after one turn more, without those that allow none."""
        top = (self.size - 1) * self.width
        if not self.endless:
            return (counts & _ones(top)) << self.width
        last = counts >> top
        return (counts & _ones(top)) << self.width | last << top

    def left(self, counts: int) -> int:
        """Return the counts outside, of where the turns are enough."""
        return _folded(counts >> self.enough * self.width, self.width)


class Counters:
    """The counters around a place: what their counts leave to come.

    counters: the outermost first.
    """

    def __init__(self, counters: tuple[Counter, ...] = ()) -> None:
        self._counters = tuple(c for c in counters if c.size > 1)  # the others say nothing
        bits = prod(c.size for c in self._counters)
        # For each counter the bits of its first turn, if those outside are in their first.
        self._first = [_ones(bits) // _ones(c.width * c.size) for c in self._counters]
        self._most = [(c.size - 1) * c.longest for c in self._counters]

    def needed(self, counts: int, at: int = 0) -> int:
        """Return the fewest ids of further turns that are needed, of all ways in `counts`.

        at: the counter to begin with; those outside of it are in their first turn and left out.
        """
        if counts & (counts - 1) == 0:
            place = counts.bit_length() - 1
            return sum(
                max(c.enough - place // c.width % c.size, 0) * c.shortest
                for c in self._counters[at:]
            )
        counter = self._counters[at]
        width, enough = counter.width, counter.enough
        done = _any_of(counts >> enough * width, counter.size - enough, width) & self._first[at]
        fewest = self.needed(done, at + 1) if done else None
        turns = _folded(counts, width * counter.size) & _ones(enough * width)
        while turns:  # from the last to the first: each needs more than the one after it
            turn = (turns.bit_length() - 1) // width
            turns &= _ones(turn * width)
            ids = (enough - turn) * counter.shortest
            if fewest is not None and ids >= fewest:
                break
            ids += self.needed(counts >> turn * width & self._first[at], at + 1)
            fewest = ids if fewest is None else min(fewest, ids)
        assert fewest is not None
        return fewest

    def most(self, counts: int, at: int = 0) -> int:
        """Return the most ids of further turns that can come, of all ways in `counts`.

        None of the counters is endless. at: as in `needed`.
        """
        if counts & (counts - 1) == 0:
            place = counts.bit_length() - 1
            return sum(
                (c.size - 1 - place // c.width % c.size) * c.longest for c in self._counters[at:]
            )
        counter, found = self._counters[at], -1
        inside = sum(self._most[at + 1 :])
        turns = _folded(counts, counter.width * counter.size)
        while turns:  # from the first to the last: each leaves room for less
            turn = ((turns & -turns).bit_length() - 1) // counter.width
            turns &= turns - 1
            ids = (counter.size - 1 - turn) * counter.longest
            if ids + inside <= found:
                break
            those = counts >> turn * counter.width & self._first[at]
            found = max(found, ids + self.most(those, at + 1))
        return found


def _ones(bits: int) -> int:
    return (1 << bits) - 1


def _folded(counts: int, width: int) -> int:
    """Return the rows of so many bits that `counts` are, joined into one."""
    while (bits := counts.bit_length()) > width:
        half = -(-bits // width) // 2 * width
        counts = counts >> half | counts & _ones(half)
    return counts


def _any_of(counts: int, rows: int, width: int) -> int:
    """Return `counts` joined with what stands 1, 2 … rows − 1 times `width` above."""
    joined = 1
    while joined < rows:
        more = min(joined, rows - joined)
        counts |= counts >> more * width
        joined += more
    return counts
