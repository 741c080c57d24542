"""More of what a network writes while it learns, for whoever looks at it."""

from collections.abc import Callable

from char_rnn.training.events import Sample, Step
from char_rnn.training.trainer import Trainer

FIRST, GROWTH = 1.0, 1.2
"""Seconds until the next sample, and by how much of what has passed it is farther each time: at
first it learns so quickly that every second is another text."""


class Samples:
    """A callback of training, which tells samples beside those of its settings where `wanted`."""

    def __init__(self, tell: Callable[[Sample], object], wanted: Callable[[], bool]) -> None:
        self._tell, self._wanted = tell, wanted
        self._trainer: Trainer | None = None
        self._next = FIRST

    def begin(self, trainer: Trainer) -> None:
        """Keep who writes; it writes none where its settings ask for none."""
        self._trainer = trainer if trainer.config.sample_every else None
        self._later(trainer.budget.elapsed)

    def __call__(self, event: object) -> None:
        """Tell a sample after a step, where it is time."""
        if isinstance(event, Sample):
            self._later(event.elapsed)
        elif self._trainer and isinstance(event, Step) and event.elapsed >= self._next:
            if self._wanted():
                self._tell(self._trainer.sample())
            self._later(event.elapsed)

    def _later(self, elapsed: float) -> None:
        self._next = GROWTH * elapsed + FIRST
