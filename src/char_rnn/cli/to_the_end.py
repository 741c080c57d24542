"""Running a trainer to its end, whatever interrupts it: what was computed is saved."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import click

from char_rnn.cli.interrupts import failed_output, signals, silence
from char_rnn.errors import RankDied, WorkerDied
from char_rnn.runs.run import Run
from char_rnn.runs.watch import Watch
from char_rnn.storage.reading import reason
from char_rnn.training.events import End
from char_rnn.training.trainer import Trainer


class Ending(NamedTuple):
    """How training ended.

    code: the exit code that a signal or lost output asks for, 0 if neither came.
    unread: whether standard output could no longer be written to.
    """

    end: End
    code: int
    unread: bool

    def say(self, text: str) -> None:
        """Print a last line, on standard error where nobody reads standard output."""
        with suppress(OSError):
            click.echo(text, err=self.unread)


class _Shown:
    """Shows until that fails: a closed pipe or terminal ends the training and does not lose it."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self.code = 0
        self.why = ""

    def __call__(self, act: Callable[..., object], *arguments: object) -> None:
        if self.code:
            return
        try:
            act(*arguments)
        except OSError as error:
            self.code = failed_output(error)
            self.why = f"The output cannot be written ({reason(error)}). "
            self._trainer.stop = True
            silence(sys.stdout)


def train_to_end(run: Run, trainer: Trainer, watch: Watch, again: str) -> Ending:
    """Train, save and show.

    Ctrl-C, SIGTERM and SIGHUP end training after the step in hand, and so does output that nobody
    reads any more; then it is said how to go on. A second Ctrl-C or SIGTERM ends it at once.
    again: the command that goes on with this run.
    """
    end = None
    received: list[int] = []
    shown = _Shown(trainer)

    def stop(number: int) -> None:
        received.append(number)
        trainer.stop = True

    trainer.team.going_on(f"go on with `{again}`")
    with signals(stop):
        shown(watch.__enter__)
        try:
            for event in run.follow(trainer):
                shown(watch.show, event)
                if isinstance(event, End):
                    end = event
        except RankDied as error:
            raise RankDied(f"{error}; go on with `{again}`", error.leader) from error
        except WorkerDied as error:
            raise WorkerDied(f"{error}; go on with `{again}` or `{again} --threads 1`") from error
        finally:
            with suppress(OSError):  # the terminal may be gone
                watch.__exit__(None, None, None)
    assert end is not None
    code = 128 + received[0] if received else shown.code
    ending = Ending(end, code, shown.code != 0)
    if end.reason == "interrupted":
        ending.say(
            f"\n{shown.why}Stopped and saved at iteration {end.iteration:,}. Go on with:\n  {again}"
        )
    return ending
