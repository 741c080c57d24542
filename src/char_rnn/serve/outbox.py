"""What a thread that writes hands to a coroutine that sends: pieces of text, then a reason.

The thread never waits for the coroutine, and wakes it only where it sleeps: for a network that
writes thousands of characters a second, a wake-up for each would take longer than the character.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from char_rnn.errors import CharRNNError

FULL = 4096
"""Characters that may wait for a slow reader; from so many on its stream pauses."""


class Token(NamedTuple):
    """One character (byte), its log-probability in nats, and the likeliest instead of it."""

    text: str
    log_p: float | None
    top: dict[str, float]


class Piece(NamedTuple):
    """Text that is certain now, with its tokens where log-probabilities were asked for."""

    text: str
    tokens: tuple[Token, ...] = ()


class Bell:
    """Wakes the one coroutine that waits for any of several outboxes."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._asleep = False

    def ring(self) -> None:
        """Wake who waits; from any thread."""
        if self._asleep:
            self._asleep = False
            with suppress(RuntimeError):  # the loop has ended: there is nobody to wake
                self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, ready: Callable[[], bool]) -> None:
        """Sleep until it rings; not at all where `ready`."""
        self._event.clear()
        self._asleep = True
        if ready():
            self._asleep = False
            return
        await self._event.wait()


class Outbox:
    """One text on its way out.

    whole: it is only looked at when it is complete; else it pauses while nobody takes its pieces.
    reason: why it ended, `stop` or `length`; "" before, and where `error` says why.
    made: characters (bytes) drawn. cancelled: nobody wants it any more.
    """

    def __init__(self, bell: Bell, whole: bool) -> None:
        self._bell, self._whole = bell, whole
        self._pieces: deque[Piece] = deque()
        self._put = self._taken = 0  # characters so far
        self.reason = ""
        self.error: CharRNNError | None = None
        self.made = 0
        self.cancelled = False
        self.drained: Callable[[], None] | None = None  # what to call once it is

    # Of the thread that writes.

    @property
    def full(self) -> bool:
        """Whether its reader is too slow to write on."""
        return self._put - self._taken >= FULL and not self._whole

    def put(self, piece: Piece) -> None:
        """Hand out a piece."""
        self._put += len(piece.text)
        self._pieces.append(piece)
        if not self._whole:
            self._bell.ring()

    def finish(self, reason: str = "", error: CharRNNError | None = None) -> None:
        """Say that nothing more will come."""
        if not self.over:
            self.reason, self.error = reason, error
            self._bell.ring()

    # Of the coroutine that sends.

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return bool(self.reason) or self.error is not None

    @property
    def ready(self) -> bool:
        """Whether there is something to take, or it is over."""
        return self.over or (bool(self._pieces) and not self._whole)

    def take(self) -> list[Piece]:
        """Return what there is."""
        found = []
        while self._pieces:
            found.append(self._pieces.popleft())
            self._taken += len(found[-1].text)
        if self.drained is not None:
            self.drained()
        return found

    def cancel(self) -> None:
        """Let it end within a character."""
        self.cancelled = True
        if self.drained is not None:
            self.drained()
