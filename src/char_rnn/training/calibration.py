"""Calibration: a temperature that makes a model as sure as it is right.

A network that has read its text many times is too sure of what it predicts. Dividing its logits by
one temperature T, the same everywhere, takes that back and leaves the order of its guesses (Guo et
al. 2017). T is the one with the least loss on characters that were not trained on:

    f(β) = mean of log Σ exp(β y) − β y_target,  with β = 1/T, logits y and p = softmax(β y)
    f'   = mean of E[y] − y_target
    f''  = mean of Var[y] ≥ 0

It goes into the output's weights, so that generation, scores and PyTorch have it without knowing.
"""

import math

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.corpus import Corpus
from char_rnn.data.windows import Ids
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network
from char_rnn.model.parameters import recurrent_name
from char_rnn.scoring import TRAINING, sweep

Array = np.ndarray

LOWEST, HIGHEST = 0.5, 3.0  # temperatures
PRECISION = 1e-4  # of 1/T; its error by chance is about 0.01
MOST_STEPS = 12  # Newton takes three or four
PIECE = 2**18  # logits that are looked at together


def calibrate(model: CharRNN, corpus: Corpus, start: int = 0, stop: int | None = None) -> float:
    """Fit a temperature to ids[start:stop], divide the model's logits by it, and return it.

    corpus: a text that the model was not trained on, with the model's vocabulary. Some thousand
        characters are enough, of many passages better than of one (docs/results.md).
    It lies between 0.5 and 3, and is 1 where there is nothing to fit (weights that are not finite).
    What was done is kept in `model.summary`, where temperatures of several calls are multiplied.
    """
    stop = corpus.length if stop is None else stop
    T = best_temperature(model, corpus, start, stop)
    parameters, config = model.parameters, model.config
    parameters["out.weight"] /= T
    parameters["out.bias"] /= T
    if config.tied:  # which also are the vectors that characters enter with
        parameters[recurrent_name(config, "weight_ih", 0)] *= T
    before = model.summary.get("calibration_temperature", 1.0)
    model.summary |= {
        "calibration_temperature": before * T,
        "calibration_characters": stop - start - 1,
    }
    return T


@blas_threads(1)
def best_temperature(model: CharRNN, ids: Ids, start: int, stop: int) -> float:
    """Return the temperature with the least mean loss of ids[start + 1 : stop].

    Newton's method, with bisection where a step would leave what is known to hold the best.
    """
    network = Network(model.parameters)
    low, high = 1 / HIGHEST, 1 / LOWEST
    beta = 1.0
    for _ in range(MOST_STEPS):
        slope, curve = _derivatives(network, ids, start, stop, beta)
        if not (curve > 0 and math.isfinite(slope) and math.isfinite(curve)):
            return 1.0
        low, high = (beta, high) if slope < 0 else (low, beta)
        last, beta = beta, beta - slope / curve
        if not low < beta < high:
            beta = (low + high) / 2
        if abs(beta - last) < PRECISION:
            break
    return 1 / beta


def _derivatives(
    network: Network, ids: Ids, start: int, stop: int, beta: float
) -> tuple[float, float]:
    """Return f'(β) and f''(β), summed over the characters."""
    slope = curve = 0.0
    first = max(0, start - TRAINING.warmup)  # what stands before sets the state, and does not count
    for window in sweep(network, ids, first, stop, TRAINING):
        counted = np.flatnonzero((window.weights > 0) & (window.at >= start))
        targets = window.targets.reshape(-1)[counted]
        size = max(1, PIECE // network.config.vocab_size)
        for at in range(0, len(counted), size):
            piece = slice(at, at + size)
            y = network.logits[:, counted[piece]].astype(np.float64)  # (V, N)
            p = np.exp(beta * (y - y.max(axis=0)))
            p /= p.sum(axis=0)
            mean = (p * y).sum(axis=0)
            slope += float((mean - y[targets[piece], np.arange(y.shape[1])]).sum())
            curve += float((p * (y - mean) ** 2).sum())
    return slope, curve
