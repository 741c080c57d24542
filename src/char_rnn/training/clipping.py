"""Clipping: a bound on the gradient, so that one steep window cannot throw the weights away."""

import numpy as np

from char_rnn.errors import NonFiniteGradient
from char_rnn.model.parameters import Parameters, check_parameters


def gradient_norm(gradients: Parameters) -> float:
    """Return the L2 norm of what is trained; raises NonFiniteGradient if it is not finite."""
    check_parameters("gradients", gradients)
    g = gradients.trained
    norm = float(np.sqrt(np.dot(g, g)))
    if not np.isfinite(norm):
        norm = float(np.linalg.norm(g.astype(np.float64)))
    if not np.isfinite(norm):
        raise NonFiniteGradient(f"the gradient's norm is {norm}; expected a finite number")
    return norm


def clip_by_norm(gradients: Parameters, limit: float) -> float:
    """Scale `gradients` in place so that their L2 norm is at most `limit`.

    Returns the norm before clipping. Raises NonFiniteGradient, and leaves `gradients` as they
    were, if the norm is NaN or infinite. Source: Pascanu et al. 2013, algorithm 1.
    """
    norm = gradient_norm(gradients)
    if norm > limit:
        np.multiply(gradients.trained, limit / norm, out=gradients.trained)
    return norm


def clip_by_value(gradients: Parameters, limit: float) -> float:
    """Bound each element of `gradients` in place to ±limit; return the norm before.

    Raises NonFiniteGradient, and leaves `gradients` as they were, if the norm is not finite.
    """
    norm = gradient_norm(gradients)
    np.clip(gradients.trained, -limit, limit, out=gradients.trained)
    return norm
