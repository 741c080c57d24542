"""What training looks like: a live line on a terminal, plain lines in a pipe."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from char_rnn.cli.terminal import LiveLine, can_redraw
from char_rnn.training.events import Divergence, End, Evaluation, Event, Sample, Step

PLAIN_SECONDS = 5.0
LIVE_SECONDS = 0.2


class Show:
    """Shows the events of a training run on standard output.

    uniform: the loss of guessing; above it no model is called the best.
    """

    def __init__(self, uniform: float = math.inf) -> None:
        self._uniform = uniform
        self._val_loss: float | None = None
        self._last = 0.0
        self._start: Event | None = None

    def __enter__(self) -> "Show":
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""

    def show(self, event: Event) -> None:
        """Show one event."""
        self._start = self._start or event
        match event:
            case Step(skipped=True):
                self.line(f"iteration {event.iteration:,}: not finite, skipped")
            case Step():
                now = time.monotonic()
                if now - self._last > self.pause:
                    self._last = now
                    self.progress(event)
            case Evaluation(val_loss=val_loss, best=best):
                self._val_loss = val_loss
                good = best and val_loss < self._uniform
                self.line(self.status(event) + (" · best so far" if good else ""))
                self._last = time.monotonic()
            case Sample(text=text):
                loss = "" if event.loss is None else f" (loss={event.loss:.3f})"
                self.line(f"\nIter {event.iteration}{loss}:\n{text}\n")
            case Divergence(rate_scale=scale):
                self.line(
                    f"the loss has diverged: back to the last good weights, "
                    f"learning rate times {scale:g}"
                )
            case End():
                pass

    pause = PLAIN_SECONDS

    def line(self, text: str) -> None:
        """Print a line that stays."""
        click.echo(text)

    def progress(self, event: Event) -> None:
        """Print how far it is."""
        self.line(self.status(event))

    def short(self, event: Event) -> str:
        """Return the status in words that fit into a narrow terminal."""
        kept = (part for part in self.status(event).split(" · ") if not part.startswith("epoch"))
        line = " · ".join(kept).replace("validation", "val").replace("characters/s", "chars/s")
        return line.removeprefix("iteration ")

    def status(self, event: Event) -> str:
        """Return the state of the run in one line."""
        parts = [f"iteration {event.iteration:,}", f"epoch {event.epoch:.1f}"]
        if event.loss is not None:
            parts.append(f"loss {event.loss:.3f}")
        if self._val_loss is not None:
            parts.append(f"validation {self._val_loss:.3f}")
        if event.seconds > 0:
            parts.append(f"{event.characters / event.seconds:,.0f} characters/s")
        start = self._start
        if start is not None and 0 < event.progress < 1 and event.progress > start.progress:
            pace = (event.elapsed - start.elapsed) / (event.progress - start.progress)
            parts.append(_left(pace * (1 - event.progress)))
        return " · ".join(parts)


class LiveShow(Show):
    """The same on a terminal: progress is one line that moves, everything else scrolls by."""

    pause = LIVE_SECONDS

    def __init__(self, uniform: float = math.inf) -> None:
        super().__init__(uniform)
        self._live = LiveLine(sys.stdout)

    def __enter__(self) -> "LiveShow":
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__()

    def progress(self, event: Event) -> None:
        """Draw the line anew."""
        self._live.draw(event.progress, self.short(event))


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
            live.draw(done, f"{what} · {done:.0%} · {_left((now - began) * (1 / done - 1))}")

    with LiveLine(sys.stderr) as live:
        live.draw(0.0, what)
        yield told


def make_show(uniform: float = math.inf) -> Show:
    """Return the way to show a run that fits where the output goes; see Show."""
    return LiveShow(uniform) if can_redraw(sys.stdout) else Show(uniform)


def _left(seconds: float) -> str:
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d} left"
