"""What changes the odds before a character is drawn: one function for each strategy.

Each takes log-probabilities z (B, V), in nats and up to a constant a row, and returns new ones;
−∞ stands for what cannot be drawn. Something is always left, and they can be put after one another
in any order.
"""

import numpy as np

from char_rnn.model.loss import log_softmax

Array = np.ndarray

SMALLEST_TEMPERATURE = 1e-250
"""Below it, the largest difference of two float32 divided by it would overflow a float64."""


def temperature(z: Array, t: float) -> Array:
    """Divide by `t`: p becomes p^(1/t), normalised; t = 0 leaves the likeliest character alone."""
    top = z.max(axis=-1, keepdims=True)
    if t == 0:
        return _keep(z, z == top)
    # Without the maximum nothing overflows upwards, whatever t is.
    out: Array = (z - top) / max(t, SMALLEST_TEMPERATURE)
    return out


def top_k(z: Array, k: int) -> Array:
    """Keep the `k` likeliest characters, and those that are as likely as the last of them."""
    V = z.shape[-1]
    if k >= V:
        return z
    return _keep(z, z >= np.partition(z, V - k, axis=-1)[..., V - k, None])


def top_p(z: Array, p: float) -> Array:
    """Keep the fewest likeliest characters that together have the probability `p` (nucleus).

    Source: Holtzman et al. 2020.
    """
    return _keep_until(z, -z, p)


def min_p(z: Array, p: float) -> Array:
    """Keep the characters that are at least `p` times as likely as the likeliest one.

    Source: Nguyen et al. 2024.
    """
    return _keep(z, z >= z.max(axis=-1, keepdims=True) + np.log(p))


def typical(z: Array, p: float) -> Array:
    """Keep the fewest characters of the most typical surprise that together have probability `p`.

    The nearer −log p(c) is to its mean, the entropy, the more typical is c. Unlike the other
    strategies it may drop the likeliest character. Source: Meister et al. 2023.
    """
    log_p = log_softmax(z)
    surprise = np.where(np.isneginf(log_p), 0.0, -log_p)
    entropy = (np.exp(log_p) * surprise).sum(axis=-1, keepdims=True)
    return _keep_until(z, np.where(np.isneginf(log_p), np.inf, np.abs(surprise - entropy)), p)


def repetition_penalty(z: Array, recent: Array, penalty: float) -> Array:
    """Multiply log p by `penalty` for the characters that are among `recent`, ids (B, n).

    A penalty above 1 makes them less likely, one below 1 more. Source: Keskar et al. 2019, whose
    rule is this one where logits are negative, as log-probabilities are.
    """
    log_p = log_softmax(z)
    seen = np.zeros(z.shape, bool)
    np.put_along_axis(seen, recent, True, axis=-1)
    return np.where(seen, log_p * penalty, log_p)


def bias(z: Array, amounts: Array) -> Array:
    """Add `amounts` (V,) in nats: log 2 doubles a character's odds, −∞ forbids it."""
    out: Array = z + amounts
    return out


def _keep(z: Array, kept: Array) -> Array:
    return np.where(kept, z, -np.inf)


def _keep_until(z: Array, key: Array, p: float) -> Array:
    """Keep the characters with the smallest keys until their probabilities add up to `p`."""
    order = np.argsort(key, axis=-1, kind="stable")
    shares = np.take_along_axis(np.exp(log_softmax(z)), order, axis=-1)
    # Kept as long as those before it do not reach p: so at least the first one is.
    before = np.cumsum(shares, axis=-1) - shares
    kept = np.empty(z.shape, bool)
    np.put_along_axis(kept, order, before < p, axis=-1)
    return _keep(z, kept)
