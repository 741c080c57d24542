"""Streams side by side: each has a column of one stepper, wide enough for those there are."""

from typing import Generic, Protocol, TypeVar

import numpy as np

from char_rnn.model.parameters import Parameters
from char_rnn.model.stepper import Stepper
from char_rnn.model.weights import Weights

Array = np.ndarray


class Member(Protocol):
    """Whoever may have a column; state: (S, L, H), while it has none."""

    state: Array


M = TypeVar("M", bound=Member)


class Pool:
    """Steppers of one network that nobody uses now; all share its weights."""

    def __init__(self, parameters: Parameters) -> None:
        self._weights = Weights(parameters)
        self._free: list[Stepper] = []

    def take(self, width: int, together: int) -> Stepper:
        """Return one for so many streams, so many of them in a product; made if there is none."""
        for stepper in self._free:
            if (width, together) == (stepper.B, stepper.together):
                self._free.remove(stepper)
                return stepper
        return Stepper(self._weights, width, together)

    def give(self, stepper: Stepper) -> None:
        """Take one back."""
        self._free.append(stepper)


class Columns(Generic[M]):
    """A batch that members join and leave between two characters.

    widths: of the steppers, ascending; the narrowest that holds all is taken, from `pool`, where
        it goes back to. together: how many are multiplied in one product, all of them if None.

    rows: who has which column, None for nobody. ids: (B,), what each reads next.
    logits: (B, V), of what follows; those of nobody mean nothing.
    """

    def __init__(self, pool: Pool, widths: tuple[int, ...], together: int | None = None) -> None:
        self._pool, self._widths, self._together = pool, widths, together
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

    def seated(self) -> list[tuple[int, M]]:
        """Return who has which column."""
        return [(row, member) for row, member in enumerate(self.rows) if member is not None]

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
        width, fitting = len(self.rows), self._fitting()
        # Narrower only where much is won: moving takes about as long as a character.
        if self._joining or (width and 2 * fitting <= width):
            self._move()
        return len(self) > 0

    def _fitting(self) -> int:
        """Return the width that is needed, 0 for nobody."""
        return next(width for width in (0, *self._widths) if width >= len(self))

    def step(self) -> None:
        """Let every column read its id."""
        self.logits = self._stepper.step(self.ids)

    @property
    def _stepper(self) -> Stepper:
        assert self._own is not None
        return self._own

    def _move(self) -> None:
        staying = self.seated()
        if staying:
            before = self._stepper.state()
            for row, member in staying:
                member.state = before[:, :, row]
        members = [*(member for _, member in staying), *self._joining]
        self._joining = []
        if self._own is not None:
            self._pool.give(self._own)
            self._own = None
        if not members:
            self.rows = []
            return
        width = self._fitting()
        stepper = self._own = self._pool.take(width, self._together or width)
        state = stepper.initial_state()
        for row, joined in enumerate(members):
            state[:, :, row] = joined.state
        stepper.begin(state)
        self.rows = [*members, *[None] * (width - len(members))]
        self.ids = np.zeros(width, np.intp)
        self.logits = stepper.logits()
