"""How far a training is: every event, every line of the log and every checkpoint says it alike."""

from dataclasses import dataclass, fields
from typing import Any

LOGGED = ("iteration", "epoch", "loss", "grad_norm", "learning_rate", "characters", "seconds")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a training is.

    iteration: finished steps. epoch: finished passes over the training text, with a fraction.
    loss: mean training loss of up to 100 windows before, in nats a character; None before the
        first. learning_rate, grad_norm: of the last step, the norm before it was clipped.
    characters, seconds: of training since the start of the run, without evaluation and samples.
    elapsed: seconds of all of it. progress: how much of the run is done, from 0 to 1.
    """

    iteration: int
    epoch: float
    loss: float | None
    learning_rate: float
    grad_norm: float | None
    characters: int
    seconds: float
    elapsed: float
    progress: float

    def by_name(self) -> dict[str, Any]:
        """Return them by name: what a checkpoint says, and what an event is made of."""
        return {field.name: getattr(self, field.name) for field in fields(Progress)}

    def log_line(self) -> dict[str, Any]:
        """Return those that a line of the log has."""
        return {name: getattr(self, name) for name in LOGGED}
