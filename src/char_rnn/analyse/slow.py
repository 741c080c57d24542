"""Slow: a run that wider windows, or a machine with nothing else to do, would have made quicker."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from char_rnn.analyse.findings import HINT, ILL, SLOW, Finding, options
from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.data.windows import fit
from char_rnn.model.blas import available_threads
from char_rnn.runs.curves import Curves
from char_rnn.runs.plan import measure

BATCH, WINDOW = 32, 20  # what keeps a machine busy: streams, and steps between two updates
TIMED = 0.15  # seconds
FASTER, BUSY = 4, 2  # times as fast as it was, and it was slow; now, and something else took time
SAVED = 60  # seconds at least, so that it matters

Pace = Callable[[ModelConfig, int, int, int, float], float]
"""Returns the characters a second of windows (T, B) on some threads, timed for some seconds."""


class Speeds(NamedTuple):
    """Characters a second: of the log, of the same windows now, and of windows of 32 × 20 or more.

    seconds: that the run trained. batch_size, seq_length, threads: of the last of these.
    """

    logged: float
    now: float
    possible: float
    seconds: float
    batch_size: int
    seq_length: int
    threads: int


def speeds(
    curves: Curves, config: ModelConfig, train: TrainConfig, length: int, pace: Pace = measure
) -> Speeds | None:
    """Measure how fast a run could be on this machine; None where its log does not tell.

    length: characters of its text.
    """
    ends = [curve for curve in (curves.loss, curves.val_loss) if len(curve)]
    if not ends or length < 2:
        return None
    end = max(ends, key=lambda curve: curve.characters[-1])
    characters, seconds = end.characters[-1], end.seconds[-1]
    if not (characters > 0 and seconds > 0):
        return None
    cores = available_threads()
    threads = min(train.threads or cores, cores)
    B, T, _ = fit(length, train.batch_size, train.seq_length)
    wide, long, _ = fit(length, max(B, BATCH), max(T, WINDOW))
    now = possible = pace(config, T, B, threads, TIMED)
    if (wide, long, cores) != (B, T, threads):
        possible = max(now, pace(config, long, wide, cores, TIMED))
    return Speeds(characters / seconds, now, possible, seconds, wide, long, cores)


def slow(train: TrainConfig, speed: Speeds) -> Iterator[Finding]:
    """Yield that a run with the settings `train` was slow, if it was, and by how much."""
    saved = speed.seconds * (1 - speed.logged / speed.possible) if speed.possible else 0.0
    if saved < SAVED:
        return
    numbers = {name: float(value) for name, value in speed._asdict().items()}
    T, B = train.seq_length, train.batch_size
    read = f"It read {speed.logged:,.0f} characters a second in windows of {B} × {T}"
    if speed.possible >= max(FASTER * speed.logged, BUSY * speed.now):
        asked: dict[str, tuple[int, int]] = {
            "batch_size": (speed.batch_size, B),
            "seq_length": (speed.seq_length, T),
            "threads": (speed.threads, train.threads or speed.threads),
        }
        settings: dict[str, Any] = {name: new for name, (new, was) in asked.items() if new > was}
        evidence = (
            f"{read}; windows of {speed.batch_size} × {speed.seq_length} on "
            f"{speed.threads} cores are read at {speed.possible:,.0f} here."
        )
        yield Finding(SLOW, ILL, evidence, f"Train with {options(settings)}.", numbers, settings)
    elif speed.now >= BUSY * speed.logged:
        evidence = f"{read}; the same ones are read at {speed.now:,.0f} now."
        remedy = "Something else took the time, or it was another machine."
        yield Finding(SLOW, HINT, evidence, remedy, numbers)
