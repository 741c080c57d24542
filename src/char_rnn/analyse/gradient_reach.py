"""How far back through time the gradient of a prediction reaches, and how many units are saturated.

‖∂L_t/∂s_{t−k}‖ over k: L_t is the loss of one character, s the state that k characters before it
left, of all layers (of the LSTM h and c together). It falls like the product of k Jacobians; where
it is nothing, nothing that stood there could have been learned (Pascanu et al. 2013).
"""

import dataclasses
import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.model.loss import cross_entropy

Array = np.ndarray

STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)
REACHED = 0.01  # of the norm one character back: what is less, does not count
SATURATED = 0.99  # of tanh, whose slope is then below 0.02


class Reach(NamedTuple):
    """The norms at `steps` characters back, (K,) each, the median over all streams."""

    steps: tuple[int, ...]
    norms: tuple[float, ...]

    @property
    def characters(self) -> float:
        """How far back the norm is at least a hundredth of that one character back, 0 for never.

        Between two steps it is taken to fall like an exponential.
        """
        least = REACHED * self.norms[0]
        if not (least > 0 and math.isfinite(least)):
            return 0.0
        for (near, high), (far, low) in pairwise(zip(self.steps, self.norms, strict=True)):
            if low < least:
                falls = math.log(high / low) if low > 0 else math.inf
                return near + (far - near) * math.log(high / least) / falls
        return float(self.steps[-1])


def gradient_reach(model: CharRNN, ids: Array, farthest: int) -> Reach:
    """Measure it at the last character of each of the streams ids (T, B), up to `farthest` back.

    farthest: characters, fewer than T − 1. What stands before them sets the states.
    """
    inputs, targets = ids[:-1], ids[-1]
    found = model.states(inputs)
    parts = found if isinstance(found, tuple) else (found,)
    steps = (*(k for k in STEPS if k < farthest), farthest)
    norms = []
    for k in steps:
        h, *c = (np.ascontiguousarray(part[-k - 1]) for part in parts)
        logits, _ = model.forward(inputs[-k:], (h, c[0]) if c else h)
        d_logits = np.zeros_like(logits)
        # Of each stream's own loss, not of their mean.
        d_logits[-1] = len(targets) * cross_entropy(logits[-1], targets)[1]
        model.backward(d_logits)
        gradient = model.state_gradient
        both = gradient if isinstance(gradient, tuple) else (gradient,)
        squares = sum(np.square(part, dtype=np.float64).sum(axis=(0, 2)) for part in both)
        norms.append(float(np.median(np.sqrt(squares))))
    return Reach(steps, tuple(norms))


def fresh(model: CharRNN) -> CharRNN:
    """Return an untrained network like `model`, with orthogonal recurrent weights."""
    config = dataclasses.replace(model.config, init="orthogonal")
    return CharRNN.from_config(config, model.vocabulary, np.random.default_rng(0))


def saturated(model: CharRNN, ids: Array) -> float | None:
    """Return the share of units that stand at an end of tanh while `model` reads ids (T, B).

    Of the LSTM those of tanh c. None for a cell that is not ours: its h may have no bounds.
    """
    if model.cell not in ("rnn", "gru", "lstm"):
        return None
    found = model.states(ids)
    units = np.tanh(found[1]) if isinstance(found, tuple) else found
    return float(np.mean(np.abs(units) > SATURATED))
