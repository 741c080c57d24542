"""The process that trains, or does an experiment: python -m char_rnn.serve.worker

It reads one job, a line of JSON, from standard input, and writes each event as a line of JSON to
standard output. Further lines say whether somebody looks at it: `watch`, or `rest`. When its input
ends, so that the server has stopped it or has died, it ends after the step in hand, and what it
learned is saved.
"""

import _thread
import base64
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from char_rnn.storage.finite import finite

if TYPE_CHECKING:
    from char_rnn.data.given import GivenText

PAUSE = 0.25
"""Seconds between two events of the training loss."""
NICE = 5
"""How much it yields to the server."""
WATCH, REST = b"watch\n", b"rest\n"
_watched = threading.Event()


def main() -> int:
    """Work until the run has ended, or the input has."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what training prints must not stand between the events
    with suppress(AttributeError, OSError):
        os.nice(NICE)
    lines = _lines(0)
    job = json.loads(next(lines))
    from char_rnn.errors import CharRNNError

    try:
        threading.Thread(target=_follow, args=(lines,), daemon=True).start()
        if job["do"] == "train":
            _train(job, out)
        else:
            from char_rnn.serve.lab_work import work

            _tell(out, "answer", work(job))
    except (CharRNNError, OSError, MemoryError) as error:
        _tell(out, "failed", {"message": str(error) or type(error).__name__})
        return 1
    except KeyboardInterrupt:
        _tell(out, "failed", {"message": "it was stopped before it had begun"})
        return 1
    return 0


def _train(job: dict[str, Any], out: TextIO) -> None:
    from char_rnn.runs.begin import resume, train
    from char_rnn.serve.samples import Samples
    from char_rnn.serve.weight_pictures import WeightPictures

    folder, speed, last = Path(job["folder"]), Speed(), 0.0

    def on_event(event: Any) -> None:
        nonlocal last
        if type(event).__name__ == "Step":
            now = time.monotonic()
            if now - last < PAUSE:
                return
            last = now
        found = told(event, speed)
        if found is not None:
            _tell(out, *found)

    pictures = WeightPictures(lambda kind, told: _tell(out, kind, told), _watched.is_set)
    common: dict[str, Any] = {"on_event": on_event, "progress": False}
    common["callbacks"] = [pictures, Samples(on_event, _watched.is_set)]
    if job["resume"]:
        run = resume(folder, **common, **job["settings"])
    else:
        settings: dict[str, Any] = {} if job["text"] is None else {"bytes": False}
        run = train(text_of(job), out=folder, **common, **settings | job["settings"])
    for note in run.notes:
        _tell(out, "note", {"message": note})


def text_of(job: dict[str, Any]) -> "GivenText":
    """Return the text of a job: one that comes along, or what was sent, which is never a name."""
    from char_rnn.data.given import TextName

    return TextName(job["builtin"]) if job["text"] is None else base64.b64decode(job["text"])


class Speed:
    """How fast it reads: characters a second of training since it was asked last."""

    def __init__(self) -> None:
        self._before = (0, 0.0)

    def __call__(self, characters: int, seconds: float) -> float | None:
        """Return the speed, None where nothing was read since."""
        (before, then), self._before = self._before, (characters, seconds)
        return (characters - before) / (seconds - then) if seconds > then else None


def told(event: Any, speed: Speed) -> tuple[str, dict[str, Any]] | None:
    """Return the name of an event and what is told of it, None for nothing."""
    found = event.log_line() | {"elapsed": event.elapsed, "progress": event.progress}
    match type(event).__name__:
        case "Step":
            name, more = "loss", {"skipped": event.skipped}
            more["characters_per_second"] = speed(event.characters, event.seconds)
        case "Evaluation":
            name, more = "validation", {"val_loss": event.val_loss, "best": event.best}
        case "Sample":
            name, more = "sample", {"text": event.text}
        case "Divergence":
            name, more = "divergence", {"rate_scale": event.rate_scale}
        case "End":
            name, more = "end", {"reason": event.reason, "best_val_loss": event.best_val_loss}
        case _:
            return None
    return name, finite(found | more)


def _tell(out: TextIO, kind: str, told: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):
        out.write(json.dumps({"event": kind, **told}) + "\n")
        out.flush()


def _lines(file: int) -> Iterator[bytes]:
    """Yield the lines that can be read from a descriptor, whole.

    Not by sys.stdin, whose lock Python wants when it ends: it would wait for who reads, and abort.
    """
    pieces: list[bytes] = []
    while piece := os.read(file, 2**16):
        *whole, rest = piece.split(b"\n")
        for end in whole:
            yield b"".join((*pieces, end, b"\n"))
            pieces.clear()
        pieces.append(rest)


def _follow(lines: Iterator[bytes]) -> None:
    """Do as the server says, until it says no more."""
    for line in lines:
        if line == WATCH:
            _watched.set()
        elif line == REST:
            _watched.clear()
    _thread.interrupt_main()  # as Ctrl-C does


if __name__ == "__main__":
    sys.exit(main())
