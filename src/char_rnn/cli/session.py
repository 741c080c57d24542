"""Running a trainer to its end, whatever interrupts it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from char_rnn.cli.show import Show
from char_rnn.train.events import End
from char_rnn.train.run import Run
from char_rnn.train.trainer import Trainer


@contextmanager
def gentle_stop(trainer: Trainer) -> Iterator[list[int]]:
    """Let Ctrl-C and SIGTERM end training after the step in hand; a second one ends it at once.

    Yields a list that holds the signals received.
    """
    received: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        received.append(number)
        trainer.stop = True
        if len(received) > 1:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def train_to_end(run: Run, trainer: Trainer, show: Show) -> tuple[End, int]:
    """Train, save and show; return the last event and the exit code that a signal asks for."""
    end = None
    with gentle_stop(trainer) as received, show:
        for event in run.follow(trainer):
            show.show(event)
            if isinstance(event, End):
                end = event
    assert end is not None
    return end, 128 + received[0] if received else 0
