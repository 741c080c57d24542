"""A bar on the terminal while something long goes on."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from char_rnn.runs.screen import LiveLine, can_redraw
from char_rnn.runs.watch import LIVE_SECONDS, time_left


@contextmanager
def waiting(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar on the terminal's standard error while something long goes on.

    Yields what is to be told how much is done, from 0 to 1. In a pipe nothing is shown.
    """
    if not can_redraw(sys.stderr):
        yield lambda done: None
        return
    began = last = time.monotonic()

    def told(done: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > LIVE_SECONDS and done > 0:
            last = now
            live.draw(done, f"{what} · {done:.0%} · {time_left((now - began) * (1 / done - 1))}")

    with LiveLine(sys.stderr) as live:
        live.draw(0.0, what)
        yield told
