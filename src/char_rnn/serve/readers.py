"""Prompts that are read side by side, a character of each at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from char_rnn.serve.columns import Columns, Pool
from char_rnn.serve.stream import Stream

Array = np.ndarray

AT_ONCE = 64
"""Characters that are laid out at once."""


@dataclass(eq=False)
class Reading:
    """A prompt on its way in, and the streams that go on from it."""

    streams: list[Stream]
    state: Array = field(init=False)
    at: int = 0

    @property
    def ids(self) -> Array:
        """The prompt (n,), and how much of it was read, `at`."""
        return self.streams[0].job.ids

    @property
    def seeded(self) -> bool:
        """Whether what follows must be the same whoever else is served."""
        return self.streams[0].seeded

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for it."""
        return all(stream.cancelled for stream in self.streams)


class Readers(Columns[Reading]):
    """Columns of prompts that are read.

    read: characters so far. done: those that are read, with the state after it; whoever takes them
    empties the list.
    """

    def __init__(self, pool: Pool, widths: tuple[int, ...], together: int | None = None) -> None:
        super().__init__(pool, widths, together)
        self.read = 0
        self.done: list[Reading] = []

    @property
    def has_news(self) -> bool:
        """Whether any prompt is read."""
        return bool(self.done)

    def clear(self) -> None:
        """Let everybody go."""
        super().clear()
        self.done = []

    def advance(self, stop: Callable[[], bool]) -> None:
        """Read a character of each prompt at least, and on until `stop`, or one is read."""
        with np.errstate(all="ignore"):  # a thread has its own
            while len(self):
                stopped = self._read(stop)
                if self.done or stopped:
                    return

    def _read(self, stop: Callable[[], bool]) -> bool:
        """Read until one of the prompts ends, or `stop`, or for a while; say if it was `stop`."""
        seated, stopped = self.seated(), False
        count = min(AT_ONCE, *(len(prompt.ids) - prompt.at for _, prompt in seated))
        ids = np.zeros((count, len(self.rows)), np.intp)
        for row, prompt in seated:
            ids[:, row] = prompt.ids[prompt.at : prompt.at + count]
        steps = 0
        while steps < count and not stopped:
            self.ids = ids[steps]
            self.step()
            steps += 1
            stopped = stop()
        self.read += steps * len(seated)
        for row, prompt in seated:
            prompt.at += steps
            if prompt.at == len(prompt.ids):
                prompt.state = self.state(row)
                self.leave(row)
                self.done.append(prompt)
        return stopped
