"""Scheduled sampling: training on inputs that the model draws itself (Bengio et al. 2015).

In training every input is real text, in generation every input is the model's own; nothing has
taught it to go on after a mistake of its own. So a share of a window's inputs is replaced by what
the model draws in their place, from its prediction after the inputs before them, of which some
are replaced already. The targets stay, and no gradient flows through a draw. The share grows over
the run: in the beginning the draws are noise.

The draws come from the weights as they are, without dropout, as in generation. The first input of
a window is always real: what predicts it belongs to the window before. The training loss is that
on the mixed inputs, and so higher than on text; the validation loss is that on text as ever.
"""

import math

import numpy as np

from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.generate.choose import draw
from char_rnn.model.parameters import Parameters
from char_rnn.model.stepper import Stepper

Array = np.ndarray

STEEPNESS = 10.0
"""Of the inverse sigmoid: it has a tenth of the share at 29 % of the run, nine tenths at 71 %."""


def sampling_share(config: TrainConfig, progress: float) -> float:
    """Return the share of the inputs to replace, from 0 to `config.scheduled_sampling`.

    progress: how much of the run is done, from 0 to 1.
    linear: share · progress. inverse-sigmoid: slow, fast in the middle, slow. constant: share.
    The paper counts in steps what is real, 1 − share, and so its schedules decay.
    """
    share, progress = config.scheduled_sampling, min(max(progress, 0.0), 1.0)
    if config.sampling_schedule == "constant":
        return share
    if config.sampling_schedule == "linear":
        return share * progress
    # A logistic curve, 1/2 + tanh/2, stretched so that it begins at 0 and ends at 1.
    highest = math.tanh(STEEPNESS / 4)
    return share * (1 + math.tanh(STEEPNESS * (progress - 0.5) / 2) / highest) / 2


class ScheduledSampling:
    """Mixes what the model draws into one window of B streams after the other."""

    def __init__(
        self, train: TrainConfig, model: ModelConfig, parameters: Parameters, B: int
    ) -> None:
        self._train, self._model, self._parameters, self._B = train, model, parameters, B
        self._stepper: Stepper | None = None

    def mix(self, inputs: Array, state: Array, progress: float, rng: np.random.Generator) -> Array:
        """Return inputs (T, B) with the current share of them drawn by the model.

        state: (S, L, B, H), with which the window begins.
        Each input but the first is replaced with the same probability, independently. No random
        number is spent where the share is 0, and `inputs` themselves are not changed.
        """
        share = sampling_share(self._train, progress)
        if share == 0:
            return inputs
        if self._stepper is None:
            self._stepper = Stepper(self._model, self._parameters, self._B)
        self._stepper.prepare()
        self._stepper.begin(state)
        T, B = inputs.shape
        replaced = rng.random((T - 1, B)) < share  # inputs 1 … T − 1
        steps = 1 + np.flatnonzero(replaced.any(axis=1)).max(initial=-1)  # up to the last of them
        mixed = inputs.copy()
        for t in range(steps):
            logits = self._stepper.step(mixed[t])
            chosen = np.flatnonzero(replaced[t])
            # Logits that are not finite draw something too: the step itself finds the same and
            # is skipped.
            mixed[t + 1, chosen] = draw(logits[chosen], rng)
        return mixed
