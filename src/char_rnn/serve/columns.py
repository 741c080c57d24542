"""Streams side by side: each has a column of one stepper, wide enough for those there are."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np

from char_rnn.model.stepper import Stepper

Array = np.ndarray


class Member(Protocol):
    """Whoever may have a column; state: (S, L, H), while it has none."""

    state: Array


M = TypeVar("M", bound=Member)


class Pool:
    """Steppers that nobody uses now; each has its own copy of the weights."""

    def __init__(self, make: Callable[[int], Stepper]) -> None:
        self._make = make
        self._free: list[Stepper] = []

    def take(self, width: int) -> Stepper:
        """Return one of that width, made if there is none."""
        for stepper in self._free:
            if width == stepper.B:
                self._free.remove(stepper)
                return stepper
        return self._make(width)

    def give(self, stepper: Stepper) -> None:
        """Take one back."""
        self._free.append(stepper)


class Columns(Generic[M]):
    """A batch that members join and leave between two characters.

    widths: of the steppers, ascending; the narrowest that holds all is taken, from `pool`, where
        it goes back to.

    rows: who has which column, None for nobody. ids: (B,), what each reads next.
    logits: (B, V), of what follows; those of nobody mean nothing.
    """

    def __init__(self, pool: Pool, widths: tuple[int, ...]) -> None:
        self._pool, self._widths = pool, widths
        self._own: Stepper | None = None
        self._joining: list[M] = []
        self._count = 0
        self.rows: list[M | None] = []
        self.ids = np.zeros(0, np.intp)
        self.logits = np.zeros((0, 0))

    def __len__(self) -> int:
        return self._count

    @property
    def room(self) -> int:
        """How many more may join."""
        return self._widths[-1] - len(self)

    def members(self) -> list[M]:
        """Return everybody."""
        return [*(row for row in self.rows if row is not None), *self._joining]

    def join(self, member: M) -> None:
        """Give `member` a column from the next `settle` on."""
        self._joining.append(member)
        self._count += 1

    def leave(self, row: int) -> None:
        """Let the column be nobody's."""
        self.rows[row] = None
        self.ids[row] = 0
        self._count -= 1

    def clear(self) -> None:
        """Let everybody go."""
        self.rows, self._joining, self._count = [], [], 0
        if self._own is not None:
            self._pool.give(self._own)
            self._own = None

    def state(self, row: int) -> Array:
        """Return a copy of the state (S, L, H) of a column."""
        state: Array = self._stepper.state()[:, :, row]
        return state

    def settle(self) -> bool:
        """Give those who joined their columns; tell whether anybody is there."""
        count, width = len(self), len(self.rows)
        # A step back in width only where it stays: moving takes about as long as a character.
        if (
            self._joining
            or (width and not count)
            or (count <= width // 4 and width > self._widths[0])
        ):
            self._move(count)
        return count > 0

    def step(self) -> None:
        """Let every column read its id."""
        self.logits = self._stepper.step(self.ids)

    @property
    def _stepper(self) -> Stepper:
        assert self._own is not None
        return self._own

    def _move(self, count: int) -> None:
        staying = [(row, member) for row, member in enumerate(self.rows) if member is not None]
        if staying:
            before = self._stepper.state()
            for row, member in staying:
                member.state = before[:, :, row]
        members = self.members()
        self._joining = []
        if self._own is not None:
            self._pool.give(self._own)
            self._own = None
        if not members:
            self.rows = []
            return
        width = next(width for width in self._widths if width >= count)
        stepper = self._own = self._pool.take(width)
        state = stepper.initial_state()
        for row, joined in enumerate(members):
            state[:, :, row] = joined.state
        stepper.begin(state)
        self.rows = [*members, *[None] * (width - count)]
        self.ids = np.zeros(width, np.intp)
        self.logits = stepper.logits()
