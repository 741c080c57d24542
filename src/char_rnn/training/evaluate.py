"""The loss of a model over a text, stateful from its first character to its last."""

from collections.abc import Iterator

import numpy as np

from char_rnn.data.windows import Ids, ScoredWindow, Sweep
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network

STREAMS = 64
WINDOW = 100
WARMUP = 200
PIECE = 500


def windows(network: Network, ids: Ids, start: int, stop: int) -> Iterator[ScoredWindow]:
    """Run `network` over ids[start:stop]; yield each window when its logits are there.

    The text is read in up to 64 pieces side by side, each after the 200 characters before it that
    set its state, which comes within a thousandth of a nat of reading it as one stream.
    """
    count = stop - start - 1
    streams = min(STREAMS, max(1, count // PIECE))
    sweep = Sweep(ids, start, stop, streams, min(WINDOW, count), WARMUP)
    network.prepare(min(WINDOW, count), sweep.streams)
    state = network.initial_state(sweep.streams)
    for window in sweep:
        network.forward(window.inputs, state)
        state = network.state()
        yield window


@blas_threads(1)
def evaluate(network: Network, ids: Ids, start: int, stop: int) -> float:
    """Return the mean loss of ids[start + 1 : stop] in nats a character.

    Nothing but the network's own memory changes: training goes on as if it had not been.
    """
    total = 0.0
    for window in windows(network, ids, start, stop):
        total += float(np.sum(network.nats(window.targets) * window.weights))
    return total / (stop - start - 1)
