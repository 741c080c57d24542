"""Choosing the next character from logits."""

import math

import numpy as np

from char_rnn.errors import UsageError

Array = np.ndarray

SMALLEST_TEMPERATURE = 1e-250
"""Below it, the largest difference of two float32 divided by it would overflow a float64."""


def check_temperature(temperature: float) -> None:
    """Raise UsageError unless `temperature` is a number from 0 up."""
    if not (temperature >= 0 and math.isfinite(temperature)):
        raise UsageError(
            f"the temperature is {temperature}; it must be 0 (always the likeliest character) "
            "or a positive number"
        )


def choose(logits: Array, temperature: float, rng: np.random.Generator) -> int:
    """Draw an index from softmax(logits / temperature); temperature 0 takes the largest.

    logits: (V,). One uniform number is drawn, whatever V is. Raises UsageError if the largest
    logit is not finite.
    """
    top = float(np.maximum.reduce(logits))
    if not math.isfinite(top):
        raise _not_finite()
    if temperature == 0:
        return int(logits.argmax())
    edges = _edges(logits, top, temperature)
    index = int(edges.searchsorted(rng.random() * edges[-1], side="right"))
    return min(index, len(edges) - 1)


def choose_many(logits: Array, temperature: float, rng: np.random.Generator) -> Array:
    """Draw one index for each row of `logits` (B, V), as `choose` does; returns (B,)."""
    top = np.maximum.reduce(logits, axis=1, keepdims=True)
    if not np.isfinite(top).all():
        raise _not_finite()
    if temperature == 0:
        indices: Array = logits.argmax(axis=1)
        return indices
    edges = _edges(logits, top, temperature)
    drawn = rng.random((len(edges), 1)) * edges[:, -1:]
    below: Array = np.add.reduce(edges <= drawn, axis=1)
    np.minimum(below, edges.shape[1] - 1, out=below)
    return below


def _edges(logits: Array, top: Array | float, temperature: float) -> Array:
    """Return the running sums of exp((logits − top) / temperature) over the last axis.

    In float64, and with the maximum taken off before the division: no temperature overflows.
    """
    edges: Array = np.subtract(logits, top, dtype=np.float64)
    if temperature != 1:
        np.divide(edges, max(temperature, SMALLEST_TEMPERATURE), out=edges)
    np.exp(edges, out=edges)
    np.add.accumulate(edges, axis=-1, out=edges)
    return edges


def _not_finite() -> UsageError:
    return UsageError("the model's output is not finite: its weights have diverged")
