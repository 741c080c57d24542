"""Softmax and cross entropy, right at extreme logits: for everybody, and for the training step.

`cross_entropy` and `log_softmax` take logits as the model returns them, (…, V). Within a training
step they are (V, N), the vocabulary first: sums and maxima over V then run along contiguous rows of
N characters, which NumPy vectorises; over the short rows of an (N, V) array it does not.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from char_rnn.errors import UsageError
from char_rnn.model.arguments import as_ids

Array = np.ndarray

PIECE = 1 << 16
"""Elements of the logits that are worked on at a time."""


def log_softmax(logits: Array) -> Array:
    """Return log p = y − log Σ exp y of each row of `logits` (…, V), in nats."""
    y = logits - logits.max(axis=-1, keepdims=True)
    log_p: Array = y - np.log(np.exp(y).sum(axis=-1, keepdims=True))
    return log_p


def cross_entropy(logits: Any, targets: Any) -> tuple[float, NDArray[np.floating[Any]]]:
    """Return the mean of −log p over all characters, in nats, and its gradient (…, V).

    logits: (…, V). targets: (…) ids, of one stream also (T,). Both stay as they are. The gradient
    is that of the mean with respect to the logits, (p − one-hot of the target) / number of
    characters: `CharRNN.backward` takes it. Bit for bit this is the loss of training.
    Raises UsageError for shapes that do not fit and ids that are not in the vocabulary.
    """
    given = np.asarray(logits)
    if given.ndim == 0 or given.size == 0 or given.dtype.kind not in "fiu":
        raise UsageError(
            f"logits have the shape {given.shape} and dtype {given.dtype}; expected numbers of "
            "shape (…, V), at least one"
        )
    V = given.shape[-1]
    ids = as_ids("targets", targets, V)
    if given.shape[:-1] == (*ids.shape, 1):  # of logits (T, 1, V), as forward makes of ids (T,)
        ids = ids[..., None]
    if ids.shape != given.shape[:-1]:
        raise UsageError(
            f"targets have the shape {ids.shape}; for these logits they need {given.shape[:-1]}"
        )
    y = np.array(given.reshape(-1, V).T, np.result_type(given, np.float32), order="C")  # (V, N)
    flat = ids.reshape(-1)
    losses, total = nats_(y, flat)
    cross_entropy_gradient_(y, total, flat, flat.size)
    loss = float(losses.sum(dtype=np.float64)) / flat.size
    return loss, np.ascontiguousarray(y.T).reshape(given.shape)


def nats_(logits: Array, targets: Array) -> tuple[Array, Array]:
    """Return −log p = log Σ exp(y) − y_target of each target (N,), in nats, and Σ exp (N,).

    Turns y, logits (V, N), into exp(y − max y), in place. With the maximum taken off no
    exponential overflows and no logarithm meets 0.
    """
    top = np.fmax.reduce(logits, axis=0)  # twice as quick as maximum; NaN stays NaN below
    picked = logits[targets, np.arange(len(targets))] - top
    # So many rows at a time that they stay in the cache between the two.
    rows = max(1, PIECE // max(1, len(targets)))
    for start in range(0, len(logits), rows):
        y = logits[start : start + rows]
        np.subtract(y, top, out=y)
        np.exp(y, out=y)
    total: Array = np.add.reduce(logits, axis=0)
    losses: Array = np.log(total) - picked
    return losses, total


def cross_entropy_gradient_(exps: Array, total: Array, targets: Array, count: int) -> None:
    """Turn exp(y) (V, N) into the gradient of the mean loss over `count` characters, in place.

    The gradient with respect to the logits is (p − one-hot of the target) / count.
    """
    np.multiply(exps, 1 / (total * count), out=exps)
    exps[targets, np.arange(len(targets))] -= 1 / count
