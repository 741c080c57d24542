"""Softmax and cross entropy over whole windows, right at extreme logits."""

import numpy as np

Array = np.ndarray


def log_softmax_(logits: Array, scratch: Array) -> None:
    """Turn `logits` (N, V) into log probabilities, in place.

    log p = y − max y − log Σ exp(y − max y): no exponential overflows and no logarithm meets 0.
    scratch: (N, V).
    """
    np.subtract(logits, logits.max(axis=1, keepdims=True), out=logits)
    np.exp(logits, out=scratch)
    np.subtract(logits, np.log(scratch.sum(axis=1, keepdims=True)), out=logits)


def nats(log_probabilities: Array, targets: Array) -> Array:
    """Return −log p of each target: (N, V), (N,) → (N,), in nats."""
    picked: Array = -log_probabilities[np.arange(len(targets)), targets]
    return picked


def cross_entropy_gradient_(log_probabilities: Array, targets: Array, count: int) -> None:
    """Turn log p (N, V) into the gradient of the mean loss over `count` characters, in place.

    The gradient with respect to the logits is (p − one-hot of the target) / count.
    """
    np.exp(log_probabilities, out=log_probabilities)
    log_probabilities[np.arange(len(targets)), targets] -= 1
    np.multiply(log_probabilities, 1 / count, out=log_probabilities)
