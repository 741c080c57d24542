"""A second core for the products of one stream, where weights outgrow the cache of one.

Each character reads all weights once. Those that fit no cache come from afar each time; half of
them fit better, and the other half fits the cache of another core. So a second thread computes half
of the rows. It sleeps in a lock between products: on a machine with other work it is woken as any
thread is, where BLAS threads would spin and wait for each other.
"""

import os
from collections.abc import Callable
from functools import cache
from threading import Lock, Thread

from char_rnn.model.blas import available_threads

Call = Callable[[], object]

ONE_CORE = 2_000_000
"""Bytes of weights that one core reads as quickly alone."""
SHARE = 0.55
"""Of the rows that the caller computes; 0.45 to 0.6 are alike within 10 % (docs/performance.md)."""
ALIGNED = 16  # rows, so that both halves begin where BLAS begins a block
PATIENCE = 1.0
"""Seconds in which any half is done."""


def cut(rows: int) -> int:
    """Return how many of `rows` the first half has: the second one begins when its thread wakes."""
    return int(rows * SHARE) // ALIGNED * ALIGNED


class Half:
    """A call that the second thread makes, if it is free, while its owner does something else.

    helped: whether it may; else `start` makes the call. The result is the same.
    Between `start` and `join` the owner leaves alone what the call reads and writes.
    """

    def __init__(self, call: Call, helped: bool) -> None:
        self.call, self._helped = call, helped and available_threads() > 1
        self.done = _locked()
        self.error: BaseException | None = None
        self._asked = self._unsure = False
        self._process = 0

    def start(self) -> None:
        """Ask for the call, or make it."""
        if not self._helped:
            self.call()
            return
        try:
            self._asked, self._process = True, os.getpid()
            if helper().ask(self):
                return
        except BaseException:  # Ctrl-C: it may have been asked for, or not
            self._unsure = True
            helper.cache_clear()  # which may never be free again
            raise
        self._asked = False
        self.call()

    def join(self) -> None:
        """Wait until it is done, and raise what it raised."""
        if not self._asked:
            return
        if self._process != os.getpid():  # the thread stayed in the process that this one came from
            self._asked, self.done = False, _locked()
            self.call()
            return
        try:
            # No answer comes where nobody was asked, or where it has come already.
            self.done.acquire(timeout=PATIENCE if self._unsure else -1)
            self._asked = self._unsure = False
        except BaseException:
            self._unsure = True
            raise
        if self.error is not None:
            error, self.error = self.error, None
            raise error


class Helper:
    """A second thread, which serves whoever comes first."""

    def __init__(self) -> None:
        self._free, self._asked = Lock(), _locked()
        self._half: Half | None = None
        Thread(target=self._serve, name="char-rnn half", daemon=True).start()

    def ask(self, half: Half) -> bool:
        """Let the thread make the call, and return whether it was free to."""
        if not self._free.acquire(blocking=False):
            return False
        self._half = half
        self._asked.release()
        return True

    def _serve(self) -> None:
        while True:
            self._asked.acquire()
            half, self._half = self._half, None
            assert half is not None
            done = half.done
            try:
                half.call()
            except BaseException as error:
                half.error = error
            self._free.release()
            done.release()


@cache
def helper() -> Helper:
    """Return the second thread of this process."""
    return Helper()


def _locked() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


if hasattr(os, "register_at_fork"):
    # A forked process has none of its parent's threads.
    os.register_at_fork(after_in_child=helper.cache_clear)
