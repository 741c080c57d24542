"""In-place elementwise maths that the cells share."""

import numpy as np

Array = np.ndarray


def sigmoid_from_half_(x: Array) -> None:
    """Turn x/2 into σ(x), in place.

    σ(x) = ½ + ½ tanh(x/2): NumPy's tanh is vectorised and neither overflows nor divides.
    """
    np.tanh(x, out=x)
    half_plus_half_(x)


def half_plus_half_(x: Array) -> None:
    """Turn tanh(x/2) into σ(x) = ½ + ½ tanh(x/2), in place."""
    np.multiply(x, 0.5, out=x)
    np.add(x, 0.5, out=x)


def times_sigmoid_slope_(dx: Array, s: Array, scratch: Array) -> None:
    """Multiply `dx` in place by σ' = s · (1 − s), where s = σ(x)."""
    np.subtract(1.0, s, out=scratch)
    np.multiply(scratch, s, out=scratch)
    np.multiply(dx, scratch, out=dx)


def times_tanh_slope_(dx: Array, y: Array, scratch: Array) -> None:
    """Multiply `dx` in place by tanh' = 1 − y², where y = tanh(x)."""
    np.multiply(y, y, out=scratch)
    np.subtract(1.0, scratch, out=scratch)
    np.multiply(dx, scratch, out=dx)
