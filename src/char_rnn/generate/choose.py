"""Choosing the next character from logits."""

import math

import numpy as np

from char_rnn.errors import UsageError

Array = np.ndarray


def check_temperature(temperature: float) -> None:
    """Raise UsageError unless `temperature` is a number from 0 up."""
    if not (temperature >= 0 and math.isfinite(temperature)):
        raise UsageError(
            f"the temperature is {temperature}; it must be 0 (always the likeliest character) "
            "or a positive number"
        )


def choose(logits: Array, temperature: float, rng: np.random.Generator) -> int:
    """Draw an index from softmax(logits / temperature); temperature 0 takes the largest.

    logits: (V,). Works in float64 and subtracts the largest logit before it divides, so that no
    temperature overflows. One uniform number is drawn, whatever V is.
    """
    if temperature == 0:
        return int(np.argmax(logits))
    scaled = (logits - logits.max()).astype(np.float64)
    with np.errstate(over="ignore"):  # a difference divided by almost nothing is -inf: p = 0
        scaled /= temperature
    edges = np.cumsum(np.exp(scaled))
    index = int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))
    return min(index, len(edges) - 1)
