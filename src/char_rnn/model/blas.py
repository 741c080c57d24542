"""How many threads there may be, and how many BLAS may use while a network runs.

BLAS threads wait for each other by spinning: on a machine with other work, products of our sizes
take three to fifty times as long with two threads as with one. So whatever runs a network asks for
one, and afterwards the setting is again what it was. That takes 5 µs, where one character through
8 units takes 35 forward.
"""

import os
import threading
from contextlib import ContextDecorator
from functools import cache
from typing import Any


def available_threads() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class blas_threads(ContextDecorator):  # noqa: N801 (read as a verb: with blas_threads(1))
    """Let BLAS use `count` threads inside: of a `with`, or of a function that this decorates.

    Limits may be nested, and may overlap in several threads or generators: the newest one that is
    still open holds, and the last one to end puts back what was there before the first.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> None:
        _LIMITS.open(self._count)

    def __exit__(self, *_: object) -> None:
        _LIMITS.close(self._count)


class _Limits:
    """The limits that are open, the newest last, and what was set before the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[int] = []
        self._before: list[int] = []

    def open(self, count: int) -> None:
        with self._lock:
            if not self._open:
                self._before = [library.get_num_threads() for library in _libraries()]
            self._open.append(count)
            self._set([count] * len(self._before))

    def close(self, count: int) -> None:
        with self._lock:
            # Of equal ones it does not matter which ends.
            self._open.reverse()
            self._open.remove(count)
            self._open.reverse()
            newest = self._open[-1:] * len(self._before)
            self._set(newest or self._before)

    def _set(self, counts: list[int]) -> None:
        for library, count in zip(_libraries(), counts, strict=True):
            library.set_num_threads(count)


_LIMITS = _Limits()


@cache
def _libraries() -> list[Any]:
    """Return the BLAS libraries of this process; none where the system's own is used (macOS)."""
    # Looking for them takes a third of a millisecond, so it is done once, and not at import.
    from threadpoolctl import ThreadpoolController

    return [found for found in ThreadpoolController().lib_controllers if found.user_api == "blas"]
