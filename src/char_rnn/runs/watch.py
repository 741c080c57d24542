"""What training looks like: a line that moves on a terminal, a panel in a notebook, else lines.

A watch subscribes to the trainer's events. Where it writes, it writes to standard output.
"""

import html
import math
import sys
import time
from collections import deque
from importlib import import_module
from typing import Any, Self

from char_rnn.runs.screen import LiveLine, can_redraw, visible
from char_rnn.training.events import Divergence, End, Evaluation, Event, Sample, Step

PLAIN_SECONDS = 5.0
LIVE_SECONDS = 0.2
PANEL_SECONDS = 0.5
PANEL_LINES = 16


class Watch:
    """Shows the events of a training run, line by line.

    uniform: the loss of guessing; above it no model is called the best.
    """

    pause = PLAIN_SECONDS

    def __init__(self, uniform: float = math.inf) -> None:
        self.uniform = uniform
        self._val_loss: float | None = None
        self._last = 0.0
        self._start: Event | None = None

    def __enter__(self) -> Self:
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
                good = best and val_loss < self.uniform
                self.line(self.status(event) + (" · best so far" if good else ""))
                self._last = time.monotonic()
            case Sample(text=text):
                self.line(f"\n{event.heading}\n{text}\n")
            case Divergence(rate_scale=scale):
                self.line(
                    f"the loss has diverged: back to the last good weights, "
                    f"learning rate times {scale:g}"
                )
            case End():
                pass

    def line(self, text: str) -> None:
        """Show a line that stays."""
        stream = sys.stdout
        encoding = getattr(stream, "encoding", None) or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        stream.write((visible(text) if stream.isatty() else text) + "\n")
        stream.flush()

    def progress(self, event: Event) -> None:
        """Show how far it is."""
        self.line(self.status(event))

    def clear(self) -> None:
        """Make room for what somebody else writes."""

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
            parts.append(time_left(pace * (1 - event.progress)))
        return " · ".join(parts)


class SilentWatch(Watch):
    """Shows nothing."""

    def show(self, event: Event) -> None:
        """Leave it."""

    def line(self, text: str) -> None:
        """Leave it."""


class LiveWatch(Watch):
    """The same on a terminal: progress is one line that moves, everything else scrolls by."""

    pause = LIVE_SECONDS

    def __init__(self, uniform: float = math.inf) -> None:
        super().__init__(uniform)
        self._live = LiveLine(sys.stdout)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__()

    def line(self, text: str) -> None:
        """Show a line above the one that moves."""
        self.clear()
        super().line(text)
        self._live.redraw()

    def progress(self, event: Event) -> None:
        """Draw the line anew."""
        self._live.draw(event.progress, self.short(event))

    def clear(self) -> None:
        """Take the line away, until it is drawn again."""
        self._live.erase()


class Panel:
    """What a notebook shows of a run: a bar, the status, and the last lines."""

    def __init__(self, done: float, status: str, lines: list[str]) -> None:
        self._done, self._status, self._lines = done, status, lines

    def _repr_html_(self) -> str:
        status, lines = html.escape(self._status), html.escape("\n".join(self._lines))
        bar = f'<progress max="1" value="{self._done:.4f}"></progress>'
        return f"<div>{bar} {status}</div><pre>{lines}</pre>"

    def __repr__(self) -> str:
        return "\n".join([*self._lines, f"{self._done:.0%} {self._status}"])


class NotebookWatch(Watch):
    """The same in a notebook: one panel that changes."""

    pause = PANEL_SECONDS

    def __init__(self, uniform: float = math.inf) -> None:
        super().__init__(uniform)
        self._lines: deque[str] = deque(maxlen=PANEL_LINES)
        self._done, self._now = 0.0, ""
        self._handle: Any = None

    def show(self, event: Event) -> None:
        """Show one event."""
        self._done = event.progress
        super().show(event)
        if isinstance(event, End):
            self.progress(event)

    def line(self, text: str) -> None:
        """Add a line to the panel."""
        self._lines.append(visible(text))
        self._draw()

    def progress(self, event: Event) -> None:
        """Draw the panel anew."""
        self._now = self.status(event)
        self._draw()

    def _draw(self) -> None:
        panel = Panel(self._done, self._now, list(self._lines))
        if self._handle is None:
            self._handle = import_module("IPython.display").display(panel, display_id=True)
        else:
            self._handle.update(panel)


def in_notebook() -> bool:
    """Tell whether this runs in a notebook, where displays can be changed."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


def make_watch(uniform: float = math.inf) -> Watch:
    """Return the watch that fits where the output goes; see Watch."""
    if in_notebook():
        return NotebookWatch(uniform)
    if sys.stdout is None:  # a program without a console
        return SilentWatch(uniform)
    return LiveWatch(uniform) if can_redraw(sys.stdout) else Watch(uniform)


def time_left(seconds: float) -> str:
    """Return seconds as minutes and seconds that are left."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d} left"
