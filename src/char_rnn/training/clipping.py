"""Clipping: a bound on the gradient, so that one steep window cannot throw the weights away."""

import numpy as np

from char_rnn.errors import NonFiniteGradient

Array = np.ndarray


def gradient_norm(gradients: Array) -> float:
    """Return the L2 norm of `gradients` (P,); raises NonFiniteGradient if it is not finite."""
    norm = float(np.sqrt(np.dot(gradients, gradients)))
    if not np.isfinite(norm):
        norm = float(np.linalg.norm(gradients.astype(np.float64)))
    if not np.isfinite(norm):
        raise NonFiniteGradient(f"the gradient's norm is {norm}; expected a finite number")
    return norm


def clip_by_norm(gradients: Array, limit: float) -> float:
    """Scale `gradients` (P,) in place so that their L2 norm is at most `limit`.

    Returns the norm before clipping. Raises NonFiniteGradient, and leaves `gradients` as they
    were, if the norm is NaN or infinite. Source: Pascanu et al. 2013, algorithm 1.
    """
    norm = gradient_norm(gradients)
    if norm > limit:
        np.multiply(gradients, limit / norm, out=gradients)
    return norm


def clip_by_value(gradients: Array, limit: float) -> float:
    """Bound each element of `gradients` (P,) in place to ±limit; return the norm before.

    Raises NonFiniteGradient, and leaves `gradients` as they were, if the norm is not finite.
    """
    norm = gradient_norm(gradients)
    np.clip(gradients, -limit, limit, out=gradients)
    return norm
