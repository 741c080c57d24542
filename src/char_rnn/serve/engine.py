"""One thread that writes with one model for many clients: continuous batching.

Every text is a column of a product that serves all of them. A text that begins joins between two
characters and one that ends leaves; nobody waits for anybody's end. Prompts are read in columns
of their own, all side by side, and after each character of those who write for about as long as
that character took: so a long prompt delays neither a text that is being written nor a short one.

Texts are written in groups, a core each where the network is large enough; what they drew is told
to who waits for it every few characters, the first one at once.

The bits of a product depend on how many texts stand in it, and on nothing else
(tests/serve/test_columns.py). So those of whoever gave a seed are multiplied in fours, alone or
not: on a processor with AVX-512 that is as fast for one as without a seed, and as fast for many as
all together (with OpenBLAS's kernels for AVX2 a third of the speed for one, and 0.6 for many; one
by one they would be as fast alone, and three to four times slower than in fours with AVX-512, and
eights would take half of the speed of one). Others are multiplied all together, and one alone in
the quickest way there is.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from char_rnn.charrnn import CharRNN
from char_rnn.errors import CharRNNError
from char_rnn.model.blas import available_threads, blas_threads
from char_rnn.model.stepper import Stepper
from char_rnn.serve.columns import Columns, M, Pool
from char_rnn.serve.errors import Overloaded, Stopping
from char_rnn.serve.readers import Readers, Reading
from char_rnn.serve.stream import Stream
from char_rnn.serve.writers import Writers

FOURS = 4
"""Seeded texts that stand in one product."""
GROUP, FEW = 32, 16
"""The widest group, and how many texts are worth a core of their own."""
LARGE = 200_000
"""Parameters from which on groups are computed side by side: below, Python is most of a step."""
_log = logging.getLogger("char_rnn.serve")


class Engine:
    """Writes with the parameters of `model` as they are now.

    slots: texts that are written at once. queue: how many more may wait.
    """

    def __init__(self, model: CharRNN, slots: int = 64, queue: int = 256) -> None:
        self.slots, self.queue = slots, queue
        parameters, config = model.parameters, model.config
        self._initial = Stepper(parameters, 1).initial_state()[:, :, 0]
        self._pool = pool = Pool(parameters)
        cores = available_threads() if parameters.flat.size > LARGE else 1
        # How many groups are for those without a seed; as many are for the others.
        self._free = max(math.ceil(slots / GROUP), min(cores, math.ceil(slots / FEW)))
        fours = tuple(range(FOURS, GROUP + 1, FOURS))
        kinds = [((1, *fours), None)] * self._free + [(fours, FOURS)] * self._free
        words = config.vocab_size, config.end
        self._writers = [Writers(pool, widths, together, *words) for widths, together in kinds]
        self._readers = [Readers(pool, widths, together) for widths, together in kinds]
        self._side_by_side = cores > 1
        # A thread for each, so that none waits for another's end.
        self._cores = ThreadPoolExecutor(4 * self._free, "char-rnn core")
        self._changed = threading.Condition()
        self._queued: deque[Reading] = deque()
        self._waiting: deque[Stream] = deque()  # has read its prompt, and has no column
        self._parked: set[Stream] = set()  # its reader is slow
        self._live: set[Stream] = set()
        self._closing, self._deadline = False, math.inf  # when all is ended
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
            self._queued.append(Reading(streams))
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
    def written(self) -> int:
        """Characters so far."""
        return sum(writers.written for writers in self._writers)

    @property
    def read(self) -> int:
        """Characters of prompts so far."""
        return sum(readers.read for readers in self._readers)

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
        with blas_threads(1):
            # One to read and one to write, so that the first one to come does not wait for them.
            for stepper in (self._pool.take(1, 1), self._pool.take(1, 1)):
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
        for writers in self._writers:
            for row, stream in writers.seated():
                if stream.cancelled:
                    writers.leave(row)
                    self._gone([stream])
        for readers in self._readers:
            for row, reading in readers.seated():
                if reading.cancelled:
                    readers.leave(row)
                    self._gone(reading.streams)
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

    def _with_room(self, columns: Sequence[Columns[M]], seeded: bool) -> Columns[M] | None:
        """Return whose columns are for such a stream and have room for it."""
        fitting = columns[self._free :] if seeded else columns[: self._free]
        fitting = [found for found in fitting if found.room > 0]
        # The first ones together, and then as many here as there.
        return min(fitting, key=lambda found: max(len(found), FOURS), default=None)

    def _round(self) -> None:
        """Write a character of every text and read one of every prompt, and on until there is news.

        Groups that are not worth a core are computed in turns, and so each gets its share.
        """
        every: list[Writers | Readers] = [*self._writers, *self._readers]
        groups = [group for group in every if group.settle()]
        if len(groups) > 1 and not self._side_by_side:
            while not self._news:
                for group in groups:
                    self._advance(group, once=True)
        elif groups:
            others = [self._cores.submit(self._advance, group) for group in groups[1:]]
            self._advance(groups[0])
            for other in others:
                other.result()
        self._collect()

    def _advance(self, group: Writers | Readers, once: bool = False) -> None:
        """Let a group go on; where it has something to tell, the others end soon."""
        try:
            group.advance(lambda: once or self._news)
        finally:
            if not once or group.has_news:
                self._news = True

    def _collect(self) -> None:
        """See to those who are over, whose reader is slow, or whose prompt is read."""
        with self._changed:
            for writers in self._writers:
                self._gone(writers.over)
                for stream in writers.full:
                    self._park(writers, stream)
                writers.over, writers.full = [], []
            for readers in self._readers:
                for reading in readers.done:
                    for stream in reading.streams:
                        stream.state = reading.state
                        self._waiting.append(stream)
                readers.done = []

    def _park(self, writers: Writers, stream: Stream) -> None:
        """Let a stream wait outside for its reader; with the lock."""
        row = writers.rows.index(stream)
        stream.state = writers.state(row)
        writers.leave(row)
        # Its reader may have caught up just now, and nobody would wake it again.
        (self._parked.add if stream.full else self._waiting.append)(stream)

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
