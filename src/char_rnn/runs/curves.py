"""The curves of a run, read from its log, and a chart of them in plain characters."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from char_rnn.errors import RunError
from char_rnn.formats import LOG_LINE
from char_rnn.runs.folder import LOG_FILE
from char_rnn.storage.fields import read
from char_rnn.storage.models import CONFIG_FILE, how_to_go_on, no_such
from char_rnn.storage.reading import read_json_lines


@dataclass(frozen=True)
class Curve:
    """One quantity over a run: y at iterations, at characters read and at seconds of training."""

    iterations: list[int]
    characters: list[int]
    seconds: list[float]
    y: list[float]

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        """Say where it begins and ends: it may have a million points."""
        if not self.y:
            return "Curve(0 points)"
        return f"Curve({len(self):,} points, {self.y[0]:.4g} … {self.y[-1]:.4g})"

    def add(self, line: dict[str, Any], key: str) -> None:
        """Add what a line of the log says of `key`, if it says all that a point needs."""
        axes: dict[str, list[Any]] = {
            "iteration": self.iterations,
            "characters": self.characters,
            "seconds": self.seconds,
            key: self.y,
        }
        if all(line.get(name) is not None for name in axes):
            for name, values in axes.items():
                values.append(line[name])


@dataclass(frozen=True)
class Curves:
    """What a run's log holds: losses in nats a character.

    unstable: whether a step was skipped, or weights put back, because something was not finite.
    lost: whether the last evaluation gave no finite number.
    reason: why the run ended, as the trainer's last event tells; empty where it has not ended.
    """

    name: str
    loss: Curve
    val_loss: Curve
    learning_rate: Curve
    grad_norm: Curve
    unstable: bool = False
    lost: bool = False
    reason: str = ""

    @property
    def best(self) -> tuple[int, float] | None:
        """Iteration and loss of the best evaluation."""
        pairs = list(zip(self.val_loss.iterations, self.val_loss.y, strict=True))
        return min(pairs, key=lambda pair: pair[1]) if pairs else None


def read_curves(folder: Path) -> Curves:
    """Read the log of the run `folder`.

    Raises RunError if it has none, CorruptFile, with the line and the field, if it is damaged.
    """
    path = folder / LOG_FILE
    if not folder.exists():
        raise RunError(no_such(folder))
    if not path.is_file() and (folder / CONFIG_FILE).is_file():
        raise RunError(f"{folder} has no {LOG_FILE} yet: {how_to_go_on(folder)}")
    if not path.is_file():
        raise RunError(f"{folder} is not a run folder: it has no {LOG_FILE}")
    lines = (read(LOG_LINE, line, where) for where, line in read_json_lines(path))
    return curves_of(folder.resolve().name, lines)


def curves_of(name: str, lines: Iterable[dict[str, Any]]) -> Curves:
    """Return what the `lines` of a log say of the run `name`."""
    loss, val_loss, rate, norm = (Curve([], [], [], []) for _ in range(4))
    unstable, lost, reason = False, False, ""
    for found in lines:
        reason = found.get("reason", "") if found["event"] == "end" else ""
        unstable |= found["event"] in ("skipped", "divergence")
        if found["event"] in ("step", "evaluation", "end"):
            loss.add(found, "loss")
            rate.add(found, "learning_rate")
            norm.add(found, "grad_norm")
        if found["event"] == "evaluation":
            val_loss.add(found, "val_loss")
            lost = found.get("val_loss") is None
    return Curves(name, loss, val_loss, rate, norm, unstable, lost, reason)


def chart(curves: Curves, width: int = 70, height: int = 14) -> str:
    """Return losses over iterations as lines of plain characters: . training, o validation."""
    points = [
        (x, y, mark)
        for curve, mark in ((curves.loss, "."), (curves.val_loss, "o"))
        for x, y in zip(curve.iterations, curve.y, strict=True)
    ]
    if max(len(curves.loss), len(curves.val_loss)) < 2:
        return "nothing to draw yet"
    # The first losses of a run are so high that they would flatten all that follows.
    ordered = sorted(y for _, y, _ in points)
    low, high = ordered[0], ordered[round(0.97 * (len(ordered) - 1))]
    high = max(high, low + 1e-3)
    last = max(x for x, _, _ in points) or 1
    rows = [[" "] * width for _ in range(height)]
    for x, y, mark in points:
        row = round((high - min(y, high)) / (high - low) * (height - 1))
        rows[row][round(x / last * (width - 1))] = mark
    lines = [
        f"{high - (high - low) * r / (height - 1):7.3f} |{''.join(row)}".rstrip()
        for r, row in enumerate(rows)
    ]
    lines.append(" " * 8 + "+" + "-" * width)
    end = f"{last:,} iterations"
    lines.append(f"{'':9}0{end:>{width - 1}}")
    return "\n".join([*lines, f"{'':9}. training loss   o validation loss (nats a character)"])
