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

import numpy as np

from char_rnn.config import TrainConfig
from char_rnn.generate.choose import draw
from char_rnn.model.parameters import Parameters
from char_rnn.model.stepper import Stepper
from char_rnn.schedules import rising

Array = np.ndarray


class ScheduledSampling:
    """Mixes what the model draws into one window of B streams after the other."""

    def __init__(self, train: TrainConfig, parameters: Parameters, B: int) -> None:
        self._share = rising(train.sampling_schedule, train.scheduled_sampling)
        self._parameters, self._B = parameters, B
        self._stepper: Stepper | None = None

    def mix(self, inputs: Array, state: Array, progress: float, rng: np.random.Generator) -> Array:
        """Return inputs (T, B) with the current share of them drawn by the model.

        state: (S, L, B, H), with which the window begins.
        Of a team each member draws for all streams, and so spends the same random numbers; what it
        draws is right where it has the inputs.

        Each input but the first is replaced with the same probability, independently. No random
        number is spent where the share is 0, and `inputs` themselves are not changed.
        """
        share = self._share(progress, 0)  # it goes by progress alone
        if share == 0:
            return inputs
        if self._stepper is None:
            self._stepper = Stepper(self._parameters, self._B)
        self._stepper.begin(state, fresh=True)
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
