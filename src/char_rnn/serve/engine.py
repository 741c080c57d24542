"""One thread that writes with one model for many clients: continuous batching.

Every text is a column of a product that serves all of them. A text that begins joins between two
characters and one that ends leaves; nobody waits for anybody's end. Prompts are read in columns
of their own, all side by side, and after each character of those who write for about as long as
that character took: so a long prompt delays neither a text that is being written nor a short one.

The bits of a product depend on how wide it is, and on nothing else (tests/serve/test_columns.py).
So whoever gave a seed is computed in blocks of eight columns, alone or not; others in as few
columns as hold them, and one alone in the quickest way there is.
"""

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.errors import CharRNNError
from char_rnn.model.blas import blas_threads
from char_rnn.model.stepper import Stepper
from char_rnn.serve.columns import Columns, M, Pool
from char_rnn.serve.errors import Overloaded, Stopping
from char_rnn.serve.stream import Stream

Array = np.ndarray

WIDTHS = (1, 4, 8, 16, 32)
BLOCK, BLOCKS = 8, 4
"""Columns of a block of seeded texts, and how many blocks there are: each has its own weights."""
GROUP = 32
"""The widest batch of others; several of them are computed side by side, a core each."""
LONG = 0.0003
"""Seconds of a step from which on that pays."""
PIECE = 32
"""Characters of the prompts that are read before anybody else is let in, where nobody writes."""
_log = logging.getLogger("char_rnn.serve")


@dataclass(eq=False)
class _Reading:
    """A prompt on its way in, and the streams that go on from it."""

    streams: list[Stream]
    state: Array = field(init=False)
    at: int = 0

    @property
    def ids(self) -> Array:
        return self.streams[0].job.ids

    @property
    def seeded(self) -> bool:
        return self.streams[0].seeded

    @property
    def cancelled(self) -> bool:
        return all(stream.cancelled for stream in self.streams)


class Engine:
    """Writes with the parameters of `model` as they are now.

    slots: texts that are written at once. queue: how many more may wait.

    written, read: characters so far, of texts and of prompts.
    """

    def __init__(self, model: CharRNN, slots: int = 64, queue: int = 256) -> None:
        self.slots, self.queue = slots, queue
        self.written = self.read = 0
        self._initial = Stepper(model.parameters, 1).initial_state()[:, :, 0]
        self._free = math.ceil(slots / GROUP)  # how many of these are for those without a seed
        widths = [WIDTHS] * self._free + [(BLOCK,)] * min(BLOCKS, math.ceil(slots / BLOCK))
        self._pool = Pool(partial(Stepper, model.parameters))
        self._writers = [Columns[Stream](self._pool, of) for of in widths]
        self._readers = [Columns[_Reading](self._pool, of) for of in widths]
        self._cores = ThreadPoolExecutor(os.cpu_count() or 1, "char-rnn core")
        self._changed = threading.Condition()
        self._queued: deque[_Reading] = deque()
        self._waiting: deque[Stream] = deque()  # has read its prompt, and has no column
        self._parked: set[Stream] = set()  # its reader is slow
        self._live: set[Stream] = set()
        self._closing, self._deadline = False, math.inf  # when all is ended
        self._long = False  # whether a step takes long
        self._news = False  # whether somebody came, left, paused or goes on
        self._seconds = 1.0  # that a text takes, about
        self._begun: dict[Stream, float] = {}
        self._thread = threading.Thread(target=self._run, name="char-rnn engine", daemon=True)
        self._thread.start()

    # From any thread.

    def submit(self, streams: Iterable[Stream]) -> None:
        """Begin streams of one job; raises Overloaded, or Stopping, where none of them is begun."""
        streams = list(streams)
        with self._changed:
            if self._closing:
                raise Stopping()
            if len(self._live) + len(streams) > self.slots + self.queue:
                raise Overloaded(self._retry_after())
            self._live.update(streams)
            now = time.monotonic()
            for stream in streams:
                self._begun[stream] = now
                stream.drained = partial(self.wake, stream)
            self._queued.append(_Reading(streams))
            self._tell()

    def close(self, seconds: float = 0.0) -> None:
        """Take nobody new; after so many seconds end who is still there."""
        with self._changed:
            self._closing = True
            self._deadline = min(self._deadline, time.monotonic() + seconds)
            self._tell()

    def join(self, seconds: float) -> bool:
        """Wait so long for the thread to end; tell whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def counts(self) -> dict[str, int]:
        """Return how many texts are in which way of being served."""
        with self._changed:
            parked, live = len(self._parked), len(self._live)
            queued = sum(len(reading.streams) for reading in self._queued) + len(self._waiting)
            writing = sum(len(columns) for columns in self._writers)
        return {
            "writing": writing,
            "queued": queued,
            "parked": parked,
            "reading": max(0, live - parked - queued - writing),
        }

    @property
    def busy(self) -> int:
        """How many texts there are, in whatever way of being served."""
        return len(self._live)

    def _retry_after(self) -> int:
        waiting = max(0, len(self._live) - self.slots)
        return min(60, math.ceil(self._seconds * (1 + waiting / self.slots)))

    def wake(self, stream: Stream) -> None:
        """Let a stream go on whose reader has caught up, or end one that is cancelled."""
        with self._changed:
            if stream in self._parked:
                self._parked.remove(stream)
                self._waiting.appendleft(stream)
                self._tell()
            elif stream.cancelled:
                self._tell()

    def _tell(self) -> None:
        """Say that there is news; with the lock."""
        self._news = True
        self._changed.notify()

    # Of the thread.

    def _run(self) -> None:
        with blas_threads(1), np.errstate(all="ignore"):
            # One to read and one to write, so that the first one to come does not wait for them.
            for stepper in (self._pool.take(1), self._pool.take(1)):
                self._pool.give(stepper)
            while self._admit():
                try:
                    self._round()
                except Exception as error:  # a fault of ours must not silence all to come
                    _log.exception("the engine failed")
                    self._end_all(CharRNNError(f"the engine failed: {type(error).__name__}"))
        self._end_all(Stopping())
        self._cores.shutdown(wait=False)

    def _admit(self) -> bool:
        """Let in who waits, as far as there is room; sleep while nobody is there; False to end."""
        with self._changed:
            while True:
                self._news = self._closing
                self._drop_cancelled()
                self._let_in()
                if time.monotonic() >= self._deadline:
                    return False
                if self._has_columns():
                    return True
                if self._closing and not self._live:
                    return False
                left = self._deadline - time.monotonic()
                self._changed.wait(None if left == math.inf else max(0.0, left))

    def _has_columns(self) -> bool:
        return any(map(len, self._writers)) or any(map(len, self._readers))

    def _drop_cancelled(self) -> None:
        if not (self._queued or self._waiting or self._parked):
            return
        for reading in [reading for reading in self._queued if reading.cancelled]:
            self._queued.remove(reading)
            self._gone(reading.streams)
        for stream in [stream for stream in self._waiting if stream.cancelled]:
            self._waiting.remove(stream)
            self._gone([stream])
        for stream in [stream for stream in self._parked if stream.cancelled]:
            self._parked.remove(stream)
            self._gone([stream])

    def _let_in(self) -> None:
        if self._waiting and sum(map(len, self._writers)) < self.slots:
            for stream in list(self._waiting):
                home = self._with_room(self._writers, stream.seeded)
                if home is not None and sum(map(len, self._writers)) < self.slots:
                    self._waiting.remove(stream)
                    home.join(stream)
        if self._queued and sum(map(len, self._readers)) < self.slots:
            for reading in list(self._queued):
                # A few may read ahead of their turn to write, but not everybody who waits.
                place = self._with_room(self._readers, reading.seeded)
                if place is not None and len(self._waiting) < self.slots:
                    self._queued.remove(reading)
                    reading.state = self._initial
                    place.join(reading)

    def _with_room(self, columns: list[Columns[M]], seeded: bool) -> Columns[M] | None:
        """Return whose columns are for such a stream and have room for it."""
        fitting = columns[self._free :] if seeded else columns[: self._free]
        fitting = [found for found in fitting if found.room > 0]
        # The first ones together, and then as many here as there.
        return min(fitting, key=lambda found: max(len(found), BLOCK), default=None)

    def _round(self) -> None:
        """Write a character of every text, then read of the prompts for about as long.

        Where nobody reads, write on until there is news.
        """
        began = time.perf_counter()
        writing = [columns for columns in self._writers if columns.settle()]
        reading = any(map(len, self._readers))
        while writing:
            for columns in writing:
                self._write(columns)
            self._step(writing)
            if reading or self._news:
                break
        now = time.perf_counter()
        until, pieces = now + (now - began), PIECE * reading
        while pieces and any(map(len, self._readers)):
            for readers in self._readers:
                if readers.settle():
                    self._read(readers)
            pieces -= 1
            if writing and time.perf_counter() >= until:
                break

    def _write(self, columns: Columns[Stream]) -> None:
        logits, ids = columns.logits, columns.ids
        for row, stream in enumerate(columns.rows):
            if stream is None:
                continue
            if stream.full and not stream.cancelled:
                self._park(columns, row, stream)
                continue
            idx = None if stream.cancelled else stream.write(logits[row : row + 1])
            if idx is not None:
                ids[row] = idx
                self.written += 1
                continue
            columns.leave(row)
            with self._changed:
                self._gone([stream])

    def _step(self, writing: list[Columns[Stream]]) -> None:
        """Let everybody read what was written, several batches side by side where they are long."""
        left = [columns for columns in writing if len(columns)]
        if not left:
            return
        others = [self._cores.submit(_quietly, columns) for columns in left[1:] if self._long]
        began = time.perf_counter()
        for columns in left if not self._long else left[:1]:
            columns.step()
        took = time.perf_counter() - began
        self._long = len(left) > 1 and took > LONG * (1 if self._long else len(left))
        for other in others:
            other.result()

    def _park(self, columns: Columns[Stream], row: int, stream: Stream) -> None:
        stream.state = columns.state(row)
        columns.leave(row)
        with self._changed:
            self._news = True
            # Its reader may have caught up just now, and nobody would wake it again.
            (self._parked.add if stream.full else self._waiting.append)(stream)

    def _read(self, columns: Columns[_Reading]) -> None:
        for row, reading in enumerate(columns.rows):
            if reading is None:
                continue
            done = reading.at == len(reading.ids)
            if not done and not reading.cancelled:
                columns.ids[row] = reading.ids[reading.at]
                reading.at += 1
                self.read += 1
                continue
            state = columns.state(row) if done else self._initial
            columns.leave(row)
            with self._changed:
                for stream in reading.streams:
                    stream.state = state
                    self._waiting.append(stream)
                self._let_in()
        if len(columns):
            columns.step()

    def _gone(self, streams: list[Stream]) -> None:
        """Forget streams that are over, or that nobody wants; with the lock."""
        now, self._news = time.monotonic(), True
        for stream in streams:
            self._live.discard(stream)
            begun = self._begun.pop(stream, now)
            if not stream.cancelled:
                self._seconds += 0.1 * (now - begun - self._seconds)

    def _end_all(self, error: CharRNNError) -> None:
        with self._changed:
            live = list(self._live)
            self._queued.clear()
            self._waiting.clear()
            self._parked.clear()
            for writers in self._writers:
                writers.clear()
            for readers in self._readers:
                readers.clear()
            self._gone(live)
        for stream in live:
            stream.finish(error=error)


def _quietly(columns: Columns[Stream]) -> None:
    with np.errstate(all="ignore"):  # a thread has its own
        columns.step()
