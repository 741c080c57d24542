"""What a trainer tells: one small class for each kind of event, which is a `Progress` and more."""

from dataclasses import dataclass, field
from typing import Any

from char_rnn.training.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Step(Progress):
    """A step was taken; or skipped, because its loss or gradient was not finite."""

    skipped: bool = False


@dataclass(frozen=True, kw_only=True)
class Evaluation(Progress):
    """The validation loss was measured."""

    val_loss: float
    best: bool


@dataclass(frozen=True, kw_only=True)
class Sample(Progress):
    """The model wrote something."""

    text: str

    @property
    def heading(self) -> str:
        """What stands above it, as in the exercise."""
        loss = "" if self.loss is None else f" (loss={self.loss:.3f})"
        return f"Iter {self.iteration}{loss}:"


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Progress):
    """A moment to save: all there is to resume from. The arrays are copies."""

    tensors: dict[str, Any] = field(repr=False)
    facts: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Divergence(Progress):
    """Several steps in a row were not finite: back to the last good weights, at half the rate."""

    rate_scale: float


@dataclass(frozen=True, kw_only=True)
class End(Progress):
    """Training is over: `finished`, `out of patience` or `interrupted`."""

    reason: str
    val_loss: float | None
    best_val_loss: float | None


Event = Step | Evaluation | Sample | Checkpoint | Divergence | End
