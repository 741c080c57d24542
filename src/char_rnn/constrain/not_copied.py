"""No long run of the output stands word for word in the training text."""

from typing import ClassVar, Protocol

import numpy as np

Array = np.ndarray


class Followers(Protocol):
    """What knows a text: `char_rnn.data.copies.CopyIndex`, or anything like it."""

    def followers(self, context: Array) -> Array:
        """Return the distinct ids that follow the end of `context` somewhere in the text."""


class NotCopied:
    """No run of `length` ids stands in the text of `index`, the seed text counted in.

    This is about ids, not about characters: what may not follow is known for the last
    `length` − 1 ids, which are its state, and only for the next one. So it may run dry.
    """

    name: ClassVar[str] = "max_copy"

    def __init__(self, index: Followers, length: int) -> None:
        self._index, self._run = index, length - 1
        self.reach = 8 * length
        """How many ids back a dead end may reasonably have its cause."""

    def begin(self, seed_ids: Array) -> tuple[int, ...]:
        """Return the state after `seed_ids`."""
        return self._last(tuple(int(idx) for idx in seed_ids[-self._run :]))

    def forbidden(self, state: tuple[int, ...]) -> Array:
        """Return the ids that would complete a run, (n,)."""
        return self._index.followers(np.array(state, np.int64))

    def advance(self, state: tuple[int, ...], idx: int) -> tuple[int, ...]:
        """Return the state after `idx`."""
        return self._last((*state, idx))

    def _last(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        return ids[len(ids) - self._run :] if len(ids) > self._run else ids
