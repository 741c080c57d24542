"""What a trainer tells: one small class for each kind of event.

iteration: finished steps. epoch: finished passes over the training text, with a fraction.
loss: mean training loss of up to 100 windows before, in nats a character. characters and
seconds: of training since the start of the run, without evaluation and samples.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every event knows."""

    iteration: int
    epoch: float
    loss: float | None
    learning_rate: float
    grad_norm: float | None
    characters: int
    seconds: float
    elapsed: float
    progress: float


@dataclass(frozen=True, kw_only=True)
class Step(Event):
    """A step was taken; or skipped, because its loss or gradient was not finite."""

    skipped: bool = False


@dataclass(frozen=True, kw_only=True)
class Evaluation(Event):
    """The validation loss was measured."""

    val_loss: float
    best: bool


@dataclass(frozen=True, kw_only=True)
class Sample(Event):
    """The model wrote something."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Event):
    """A moment to save: all there is to resume from. The arrays are copies."""

    tensors: dict[str, Any] = field(repr=False)
    facts: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Divergence(Event):
    """Several steps in a row were not finite: back to the last good weights, at half the rate."""

    rate_scale: float


@dataclass(frozen=True, kw_only=True)
class End(Event):
    """Training is over: `finished` or `interrupted`."""

    reason: str
    val_loss: float | None
    best_val_loss: float | None
