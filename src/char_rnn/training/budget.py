"""How long a run may take: in iterations, in epochs, or in minutes, whichever its config sets."""

import time

from char_rnn.config import TrainConfig

DEFAULT_EPOCHS = 10.0


class Budget:
    """What a run may spend, and what it has spent of it.

    iterations: of the whole run, or None if time decides.
    elapsed: seconds that it has taken, evaluations and samples among them.
    reserve: seconds that the last evaluation will need.
    """

    def __init__(self, config: TrainConfig, windows_per_epoch: int) -> None:
        self.elapsed = self.reserve = self._clock = 0.0
        self._seconds = 60 * (config.minutes or 0.0)
        self.iterations = config.iterations
        if config.minutes is None and config.iterations is None:
            epochs = DEFAULT_EPOCHS if config.epochs is None else config.epochs
            self.iterations = max(1, round(epochs * windows_per_epoch))

    def progress(self, iteration: int) -> float:
        """Return how much of the run is done after `iteration` steps, from 0 to 1."""
        if self.iterations is not None:
            return min(1.0, iteration / self.iterations)
        return min(1.0, self.elapsed / max(self._seconds - self.reserve, 1e-9))

    def start(self) -> None:
        """Let time count from now on."""
        self._clock = time.perf_counter()

    def tick(self) -> None:
        """Count the time since the last tick."""
        now = time.perf_counter()
        self.elapsed, self._clock = self.elapsed + now - self._clock, now
