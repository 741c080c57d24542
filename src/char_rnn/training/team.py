"""The processes that train one model together, each with some of the streams.

Every member reads its own columns of each window, and computes their gradients. What follows from
the sum of all gradients (clipping, the optimiser's step, averages) each of them does for itself, to
the same bits. Random numbers are drawn by all, alike. What a clock or one process decides, is told
by the leader.

`Team` is of one. `cluster/ranks.py` has the one that works over MPI.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from char_rnn.errors import UsageError

Array = np.ndarray
Anything = TypeVar("Anything")


class Team:
    """A team of one, to which nothing has to be told.

    rank: 0 … size − 1, which member this process is; 0 leads, and alone writes files.

    The methods with "all" in what they say are called by all members, or by none.
    """

    rank = 0
    size = 1

    @property
    def leads(self) -> bool:
        """Whether this member writes and speaks for all."""
        return self.rank == 0

    def columns(self, B: int) -> slice:
        """Return which of B streams are this member's."""
        return slice(*share(B, self.rank, self.size))

    def check_shares(self, B: int) -> None:
        """Raise UsageError unless each member has at least one of B streams."""
        if self.size > B:
            raise UsageError(
                f"{self.size} ranks cannot share a batch of {B}; start {B} ranks or fewer, or take "
                "a larger --batch_size, if the text is long enough for it"
            )

    def add(self, gradients: Array, after: Array, total: float) -> float:
        """Make `gradients` (P,) and `after` (S, L, B, H) those of all; return the summed loss.

        gradients: of this member's streams, summed over all members in their order.
        after: the states, of which this member's columns are right.
        Raises RankDied where a member does not answer, or has told that it is `lost`.
        """
        return total

    def lost(self) -> None:
        """Tell, in place of `add`, that this member has nothing to add."""

    def agree(self, elapsed: float, stop: bool) -> tuple[float, bool]:
        """Return the leader's seconds, and whether any of all wants to stop."""
        return elapsed, stop

    def told(self, value: Anything) -> Anything:
        """Return what the leader hands over; what the others of all do, does not count."""
        return value

    def gather(self, value: Anything) -> list[Anything]:
        """Return what all members hand over, in their order."""
        return [value]

    def check_same(self, what: str, value: object) -> None:
        """Raise TeamError unless `value` is the same with all; what: it is, in words."""

    def going_on(self, again: str) -> None:
        """Know how a run is gone on with, should it be killed."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let an error of one member's be one of all."""
        yield


ALONE = Team()


def share(n: int, rank: int, size: int) -> tuple[int, int]:
    """Return where, of `n` things, the share of a member begins and ends."""
    return n * rank // size, n * (rank + 1) // size
