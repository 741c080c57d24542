"""Averaged weights: a running mean of the weights of the last steps.

A step of gradient descent on one batch is noisy; the mean of many weights lies nearer to the
middle of the valley than any of them (Polyak & Juditsky 1992). It is what is evaluated and saved.
"""

import numpy as np

from char_rnn.training.optimisers import PIECE

Array = np.ndarray


class Average:
    """mean ← d · mean + (1 − d) · w, with d rising to `decay` (0: the mean is w itself).

    In the beginning d = (1 + n) / (10 + n) after n steps, so that the random weights with which
    training began are soon forgotten.
    """

    def __init__(self, mean: Array, decay: float) -> None:
        self.mean, self.decay = mean, decay
        self.steps = 0
        self._difference: Array = np.empty_like(mean[:PIECE])

    def update(self, w: Array) -> None:
        """Move the mean towards `w` (P,)."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for start in range(0, len(w), PIECE):
            mean = self.mean[start : start + PIECE]
            difference = self._difference[: len(mean)]
            np.subtract(w[start : start + PIECE], mean, out=difference)
            np.multiply(difference, 1 - decay, out=difference)
            np.add(mean, difference, out=mean)
