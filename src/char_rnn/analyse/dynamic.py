"""Dynamic evaluation: the surprise of a model that goes on learning from what it reads."""

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.windows import Ids
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network
from char_rnn.scoring import Tell

Array = np.ndarray

RATE, DECAY, CLIP = 0.02, 0.001, 1.0


@blas_threads(1)
def dynamic_surprisals(
    model: CharRNN,
    ids: Ids,
    start: int,
    stop: int,
    rate: float = RATE,
    window: int = 20,
    progress: Tell | None = None,
) -> Array:
    """Return the surprisals of a model that goes on learning from the text it has just read.

    Each window is scored first and learned from afterwards, so that nothing is told in advance:
    w ← w − rate · g + decay · (w₀ − w), with g of norm 1 at most (Krause et al. 2018, the
    variant with plain gradients). A metric of its own: it measures how quickly a model adapts.
    """
    twin = model.copy()
    network = Network(twin.parameters)
    w, kept = twin.parameters.trained, model.parameters.trained
    state, result = network.initial_state(1), np.zeros(stop - start - 1)
    for at in range(start, stop - 1, window):
        length = min(window, stop - 1 - at)
        row = ids.read_rows(np.array([at]), length + 1).T.astype(np.intp)
        network.forward(row[:-1], state)
        state = network.state()
        network.backward(row[1:])
        result[at - start : at - start + length] = network.last_nats[:, 0]
        gradient = network.gradients.trained
        norm = float(np.sqrt(np.dot(gradient, gradient)))
        w -= gradient * (rate * min(1.0, CLIP / max(norm, 1e-12)))
        w += DECAY * (kept - w)
        if progress is not None:
            progress((at - start + length) / len(result))
    return result
