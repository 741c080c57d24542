"""Softmax and cross entropy over whole windows, right at extreme logits.

Logits are (V, N), the vocabulary first: sums and maxima over V then run along contiguous rows of
N characters, which NumPy vectorises; over the short rows of an (N, V) array it does not.
"""

import numpy as np

Array = np.ndarray


def exponentials(logits: Array, out: Array) -> Array:
    """Write exp(y − max y) into `out` (V, N), leave y − max y in `logits`; return Σ exp, (N,).

    With the maximum taken off no exponential overflows and no logarithm meets 0.
    """
    np.subtract(logits, np.maximum.reduce(logits, axis=0), out=logits)
    np.exp(logits, out=out)
    total: Array = np.add.reduce(out, axis=0)
    return total


def nats(logits: Array, total: Array, targets: Array) -> Array:
    """Return −log p = log Σ exp(y) − y_target of each target (N,), in nats.

    logits: (V, N) and total: (N,) as `exponentials` left them.
    """
    picked = logits[targets, np.arange(len(targets))]
    losses: Array = np.log(total) - picked
    return losses


def cross_entropy_gradient_(exps: Array, total: Array, targets: Array, count: int) -> None:
    """Turn exp(y) (V, N) into the gradient of the mean loss over `count` characters, in place.

    The gradient with respect to the logits is (p − one-hot of the target) / count.
    """
    np.multiply(exps, 1 / (total * count), out=exps)
    exps[targets, np.arange(len(targets))] -= 1 / count
