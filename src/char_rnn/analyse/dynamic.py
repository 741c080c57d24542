"""Dynamic evaluation: the surprise of a model that goes on learning from what it reads.

Krause et al. 2018, "Dynamic Evaluation of Neural Sequence Models". After each window has been
scored, with g its gradient and w₀ the weights that were trained:

    plain   w ← w − η g + λ (w₀ − w),                      g of norm 1 at most
    RMS     w ← w − η g / (r + ε) + λ r / r̄ · (w₀ − w),    r = √(mean of g² over text before)

So a weight whose gradient is small as a rule learns as much as others, and one that matters much is
pulled back harder.
"""

from collections.abc import Callable

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.windows import Ids
from char_rnn.errors import UsageError
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network
from char_rnn.scoring import Tell

Array = np.ndarray
Update = Callable[[Array, Array, Array], None]
"""Moves weights w, given their gradient g and those that were trained; all (number of weights,)."""

WINDOW = 20
RATE, DECAY, CLIP = 0.02, 0.001, 1.0
RMS_RATE, RMS_DECAY = 2e-4, 2e-3
FLOOR = 0.02  # of the mean r: ε
PASSAGES, WINDOWS_EACH = 10, 50
"""Of the text before, whose gradients are squared."""


@blas_threads(1)
def dynamic_surprisals(
    model: CharRNN,
    ids: Ids,
    start: int,
    stop: int,
    update: Update | None = None,
    progress: Tell | None = None,
) -> Array:
    """Return −log p of ids[start + 1 : stop] for a model that learns from what it has just read.

    Each window of 20 is scored first and learned from afterwards, so that nothing is told in
    advance. A metric of its own: it measures how quickly a model adapts. `model` stays as it is.
    update: plain() unless it is given.
    """
    update = plain() if update is None else update
    twin = model.copy()
    network = Network(twin.parameters)
    w, trained = twin.parameters.trained, model.parameters.trained
    state, result = network.initial_state(1), np.zeros(stop - start - 1)
    for at in range(start, stop - 1, WINDOW):
        length = min(WINDOW, stop - 1 - at)
        state = _learn(network, ids, at, length, state)
        result[at - start : at - start + length] = network.last_nats[:, 0]
        update(w, network.gradients.trained, trained)
        if progress is not None:
            progress((at - start + length) / len(result))
    return result


def plain(rate: float = RATE, decay: float = DECAY) -> Update:
    """Return the plain update, whose gradients have a norm of 1 at most."""

    def update(w: Array, g: Array, trained: Array) -> None:
        norm = float(np.sqrt(np.dot(g, g)))
        w -= g * (rate * min(1.0, CLIP / max(norm, 1e-12)))
        w += decay * (trained - w)

    return update


def by_rms(squares: Array, rate: float = RMS_RATE, decay: float = RMS_DECAY) -> Update:
    """Return the update by RMS. squares: the mean g² of each weight (`mean_squares`)."""
    r = np.sqrt(squares)
    mean = max(float(r.mean()), 1e-12)
    step = rate / (r + FLOOR * mean)
    back = np.minimum(decay * r / mean, 1)  # never beyond the weights that were trained

    def update(w: Array, g: Array, trained: Array) -> None:
        w -= step * g
        w += back * (trained - w)

    return update


@blas_threads(1)
def mean_squares(model: CharRNN, ids: Ids, stop: int) -> Array:
    """Return the mean g² of each weight over windows of ids[:stop], from all parts of it."""
    passages = passages_of(stop)
    network = Network(model.parameters)
    total = np.zeros_like(model.parameters.trained)
    for first in np.linspace(0, stop - 1 - WINDOW * WINDOWS_EACH, passages).astype(int):
        state = network.initial_state(1)
        for at in range(first, first + WINDOW * WINDOWS_EACH, WINDOW):
            state = _learn(network, ids, at, WINDOW, state)
            g = network.gradients.trained
            total += g * g
    return total / (passages * WINDOWS_EACH)


def passages_of(stop: int) -> int:
    """Return from how many passages of ids[:stop] squares are taken; raise UsageError for none."""
    passages = min(PASSAGES, (stop - 1) // (WINDOW * WINDOWS_EACH))
    if passages < 1:
        raise UsageError(
            "dynamic evaluation by RMS finds out how large gradients are from "
            f"{WINDOW * WINDOWS_EACH + 1:,} or more characters before those that are scored; "
            f"there are {stop:,}. Score a smaller share, at the end of the text"
        )
    return passages


def _learn(network: Network, ids: Ids, at: int, length: int, state: Array) -> Array:
    """Let `network` read ids[at : at + length] from `state` on, forward and backward.

    Returns the state after; gradients of the mean loss and the surprisals are in the network.
    """
    row = ids.read_rows(np.array([at]), length + 1).T.astype(np.intp)
    network.forward(row[:-1], state)
    after = network.state()
    network.backward(row[1:])
    return after
