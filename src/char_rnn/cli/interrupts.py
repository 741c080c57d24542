"""What ends a command before its time: Ctrl-C and other signals, and output that nobody reads.

A signal raises `Interrupted` wherever the command is, so that what was made until then can be
written; while training, and in a beam search, it is a wish that is met after the step in hand.
A closed pipe or terminal is found at the next write.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TextIO

SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # not every system has all of them
    if hasattr(signal, name)
]
CLOSED_PIPE = 128 + 13
"""The exit code when the reader of the output has gone: as if SIGPIPE had ended the command."""
ECHO = 0.5
"""Seconds in which a signal is the same wish as the one before: `timeout` and some shells send two,
and so does a terminal that is closed."""


class Interrupted(BaseException):
    """A signal asks the command to end. It is no KeyboardInterrupt, which click would swallow.

    number: of the signal; the exit code is 128 + number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.number = number


@contextmanager
def signals(wish: Callable[[int], object] | None = None) -> Iterator[None]:
    """Let each signal raise Interrupted; with `wish`, which the first one calls, only the second.

    A hang-up (SIGHUP) is never a second one: a closing terminal sends several. It stays ignored
    where it was, as under nohup. Outside the main thread nothing changes.
    """
    last = -ECHO
    wished = False

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal last, wished
        now = time.monotonic()
        if now - last < ECHO:
            return
        last = now
        if wish is not None and (not wished or number == getattr(signal, "SIGHUP", None)):
            wished = True
            wish(number)
            return
        raise Interrupted(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for number in SIGNALS:
        ignored = signal.getsignal(number) is signal.SIG_IGN
        # A shell ignores SIGINT for what a script runs in the background, where kill -INT should
        # save all the same.
        if not ignored or number == signal.SIGINT:
            before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def silence(stream: TextIO | None) -> None:
    """Let whatever is still written to a standard stream go nowhere, now and at the exit."""
    with suppress(OSError, ValueError, AttributeError):
        assert stream is not None
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def flush() -> int:
    """Write out what the standard streams hold; return 0, or the exit code if that fails.

    A stream that cannot be written to is silenced: Python would fail on it once more at its end.
    """
    code = 0
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError) as error:
            silence(stream)
            code = code or failed_output(error)
    return code


def failed_output(error: BaseException) -> int:
    """Return the exit code for output that could not be written."""
    return CLOSED_PIPE if isinstance(error, BrokenPipeError) else 1
