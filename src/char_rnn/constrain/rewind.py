"""Writing a text under constraints: forward as long as it goes, and back where it runs dry.

A recurrent state is small, and all that a network knows of the text so far. So it is stored every
few characters, and a text that cannot go on is taken back: the network goes on from a stored state
with the characters that stay.
"""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

import numpy as np

from char_rnn.constrain.guard import Choices
from char_rnn.errors import ConstraintNotMet
from char_rnn.model.stepper import Stepper

Array = np.ndarray
P = TypeVar("P")
Choose = Callable[[Array, int, Array, Array | None], Array]
"""logits (1, V), ids written so far, those ids (1, n), what is allowed (V,) -> the next id (1,)."""

EVERY = 16
"""Ids between two stored states."""
TRIES = 4
"""Dead ends without progress until twice as much is taken back."""


class Walk(Protocol[P]):
    """What leads a text along: a Guard, or anything like it."""

    reach: int | None
    end: int | None

    @property
    def unit(self) -> str:
        """What an id is: a character or a byte."""

    @property
    def names(self) -> list[str]:
        """What the constraints are called."""

    def begin(self, seed_ids: Array, length: int) -> P:
        """Return the place of an empty output."""

    def choices(self, place: P, left: int) -> Choices:
        """Return what may come next."""

    def advance(self, place: P, idx: int) -> P:
        """Return the place after an id."""

    def met(self, place: P) -> bool:
        """Tell whether the output may end here."""

    def blame(self, place: P, left: int) -> list[str]:
        """Name the constraints that end a text here."""


class ConstrainedIds(Generic[P]):
    """The ids that follow what `stepper` has read, at most `length`, as `guard` allows them.

    stepper: of one stream, which has read `seed_ids`. chooser: draws an id; see Chooser.
    effort: ids that may be taken back in all.

    Iterating yields each id as soon as it cannot be taken back any more, and raises
    ConstraintNotMet if the constraints cannot be met, or not with this effort. The stepper must not
    be used for anything else in between. taken_back: how many ids were, so far.

    It is a depth-first search. At a dead end the last id is taken back and another one drawn in
    its place; when that goes on without the text getting further, 2, 4, 8 … ids are. An id whose
    every continuation is known to fail is never drawn again in its place. One that was only given
    up is left out until nothing else remains; then all of that is tried again, with more patience.
    So a text that exists is found in the end, if the effort is great enough.
    """

    def __init__(
        self,
        stepper: Stepper,
        seed_ids: Array,
        length: int,
        chooser: Choose,
        guard: Walk[P],
        effort: int,
    ) -> None:
        self.taken_back = 0
        self._stepper, self._chooser, self._guard = stepper, chooser, guard
        self._length, self._effort = length, effort
        self._written = np.zeros((1, length), np.intp)
        self._at = 0  # ids written
        self._given = 0  # ids yielded
        self._read = 0  # ids of the output that the stepper has read
        # By the number of ids written: no more of them than may be taken back.
        self._places = {0: guard.begin(seed_ids, length)}
        self._stored = {0: stepper.state()}
        self._failed: dict[int, set[int]] = {}
        self._given_up: dict[int, set[int]] = {}
        self._dead_ends, self._tries = 0, TRIES  # dead ends since the text last got further
        self._furthest, self._blamed = -1, list(guard.names)

    def __iter__(self) -> Iterator[int]:
        while (idx := self._next()) is not None:
            self._written[0, self._at] = idx
            self._places[self._at + 1] = self._guard.advance(self._places[self._at], idx)
            self._at += 1
            yield from self._final(self._at - self._may_go_back())
        yield from self._final(self._at)

    def _next(self) -> int | None:
        """Return the next id, None at the end of the text; takes back what runs dry."""
        while True:
            place, left = self._places[self._at], self._length - self._at
            if left == 0:
                if self._guard.met(place):
                    return None
            else:
                allowed, ending = self._guard.choices(place, left)
                if ending is not None and not (allowed[-1].any() and ending.any()):
                    return None
                for mask in allowed if ending is None else [ending]:
                    open_ids = self._without_failed(mask)
                    if open_ids.any():
                        idx = self._draw(open_ids)
                        return idx if allowed[-1][idx] and idx != self._guard.end else None
                if ending is not None:
                    return None
            self._go_back()

    def _without_failed(self, mask: Array) -> Array:
        out = [*self._failed.get(self._at, ()), *self._given_up.get(self._at, ())]
        if out:
            mask = mask.copy()
            mask[out] = False
        return mask

    def _draw(self, mask: Array) -> int:
        logits = self._logits(self._at)
        return int(self._chooser(logits, self._at, self._written[:, : self._at], mask)[0])

    def _logits(self, at: int) -> Array:
        """Return the logits (1, V) after the first `at` ids of the output."""
        if self._read > at:
            self._read = max(stored for stored in self._stored if stored <= at)
            self._stepper.begin(self._stored[self._read])
        while self._read < at:
            self._stepper.step(self._written[:, self._read])
            self._read += 1
            if (
                self._read % EVERY == 0
                and self._read not in self._stored
                and self._guard.reach != 0
            ):
                self._stored[self._read] = self._stepper.state()
        return self._stepper.logits()

    def _go_back(self) -> None:
        """Take back some of the text, or raise ConstraintNotMet."""
        at = self._at
        if at > self._furthest:
            self._dead_ends, self._furthest = 0, at
            self._blamed = self._guard.blame(self._places[at], self._length - at)
        if at == self._given:
            if at not in self._given_up:
                raise self._error(self._why_no_other())
            self._spend(1)
            del self._given_up[at]
            self._dead_ends, self._tries = 0, 2 * self._tries
            return
        to = max(self._given, at - 2 ** min(self._dead_ends // self._tries, 40))
        self._dead_ends += 1
        self._spend(at - to)
        known = to == at - 1 and at not in self._given_up
        out = self._failed if known else self._given_up
        out.setdefault(to, set()).add(int(self._written[0, to]))
        for kept in (self._places, self._stored, self._failed, self._given_up):
            for later in range(to + 1, at + 1):
                kept.pop(later, None)
        self._at = to

    def _spend(self, ids: int) -> None:
        if self.taken_back + ids > self._effort:
            raise self._error(f"the effort of {self._effort:,} is spent")
        self.taken_back += ids

    def _why_no_other(self) -> str:
        """Say why nothing before a dead end can be taken back."""
        if self._given == 0:
            return "no text meets all of it"
        reach = self._guard.reach
        if reach is None or reach > self._effort - self.taken_back:
            return f"the effort of {self._effort:,} is spent"
        return f"the last {reach:,} {self._guard.unit} allow no other way on"

    def _may_go_back(self) -> int:
        """Return how many ids may still be taken back from here."""
        left = self._effort - self.taken_back
        return left if self._guard.reach is None else min(left, self._guard.reach)

    def _final(self, end: int) -> Iterator[int]:
        """Yield the ids before `end`, which are final."""
        while self._given < end:
            yield int(self._written[0, self._given])
            for kept in (self._places, self._failed, self._given_up):
                kept.pop(self._given, None)
            self._given += 1
            if self._given % EVERY == 0:
                # Of the states before it only the last one can be needed again.
                last = max(read for read in self._stored if read <= self._given)
                self._stored = {r: state for r, state in self._stored.items() if r >= last}

    def _error(self, why: str) -> ConstraintNotMet:
        names = " and ".join(self._blamed)
        return ConstraintNotMet(
            f"{names} could not be met: {why}, after {self._furthest:,} of {self._length:,} "
            f"{self._guard.unit} and {self.taken_back:,} taken back; allow more length or effort, "
            "take another rng_seed, or ask for less"
        )
