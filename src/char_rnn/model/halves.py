"""A second core for the products of one stream, where weights outgrow the cache of one.

Each character reads all weights once. Those that fit no cache come from afar each time; half of
them fit better, and the other half fits the cache of another core. So a second thread computes half
of the rows. It sleeps in a lock between products: on a machine with other work it is woken as any
thread is, where BLAS threads would spin and wait for each other.
"""

import os
from collections.abc import Callable
from functools import cache, partial
from threading import Lock, Thread

from char_rnn.model.blas import available_threads

Half = Callable[[], object]

ONE_CORE = 2_000_000
"""Bytes of weights that one core reads as quickly alone."""
SHARE = 0.55
"""Of the rows that the caller computes: 0.5 and 0.6 are 5 to 15 % slower (docs/performance.md)."""
PATIENCE = 1.0
"""Seconds in which any half is done."""
_ALIGNED = 16  # rows, so that both halves begin where BLAS begins a block


class Pair:
    """A second thread, which serves whoever comes first; all others compute both halves."""

    def __init__(self) -> None:
        self._free, self._asked, self._answered = Lock(), Lock(), Lock()
        self._asked.acquire()
        self._answered.acquire()
        self._half: Half = _nothing
        self._error: BaseException | None = None
        Thread(target=self._serve, name="char-rnn half", daemon=True).start()

    def run(self, own: Half, other: Half) -> None:
        """Call both, side by side if the second thread is free."""
        if not self._free.acquire(blocking=False):
            own()
            other()
            return
        self._half = other
        try:
            self._asked.release()
            own()
            self._answered.acquire()
        except BaseException:  # of `own`, or Ctrl-C anywhere
            self._come_to_rest()
            raise
        error, self._error = self._error, None
        self._free.release()
        if error is not None:
            raise error

    def _come_to_rest(self) -> None:
        """Wait until nothing is written any more, and be free again.

        Where no answer comes, for there was no question yet or it has come already, this thread is
        left alone, and the next to need one starts another.
        """
        if self._answered.acquire(timeout=PATIENCE):
            self._error = None
            self._free.release()
        else:
            pair.cache_clear()

    def _serve(self) -> None:
        while True:
            self._asked.acquire()
            try:
                self._half()
            except BaseException as error:
                self._error = error
            self._answered.release()


def cut(rows: int) -> int:
    """Return how many of `rows` the first half has: the second one begins when its thread wakes."""
    return int(rows * SHARE) // _ALIGNED * _ALIGNED


def halved(own: Half, other: Half, helped: bool) -> Half:
    """Return what calls both, side by side if the second thread may help and there is a core."""
    if helped and available_threads() > 1:
        return lambda: pair().run(own, other)
    return partial(_both, own, other)


@cache
def pair() -> Pair:
    """Return the second thread of this process."""
    return Pair()


def _both(own: Half, other: Half) -> None:
    own()
    other()


def _nothing() -> None:
    pass


if hasattr(os, "register_at_fork"):
    # A forked process has none of the threads, and maybe their locks as they were in between.
    os.register_at_fork(after_in_child=pair.cache_clear)
