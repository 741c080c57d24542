"""How well a network knows each of many texts, every one on its own: lines, or documents.

Texts of similar length are read side by side, so that little of what is read is padding, and none
of them has anything to do with another: in which order they come makes no difference.
"""

from collections.abc import Callable, Sequence

import numpy as np

from char_rnn.model.network import Network
from char_rnn.model.room import steps

Array = np.ndarray

STREAMS, WINDOW = 128, 100


def each(
    network: Network,
    texts: Sequence[Array],
    begin: Array,
    progress: Callable[[float], None] | None = None,
) -> Array:
    """Return the sum of −log p over each of `texts`, (N,) float64, in nats.

    texts: ids (n,) each, n ≥ 0; all of them count, so that an end that is to count is among them.
    begin: ids (k,) that are read before each text, from the initial state, and do not count. With
        none the first id of a text may be any of the V alike, log V nats.
    progress: is told which share is done.
    """
    lengths = np.array([len(text) for text in texts], np.int64)
    total = np.where((lengths > 0) & (len(begin) == 0), np.log(network.config.vocab_size), 0.0)
    if not lengths.any():
        return total
    flat = np.concatenate(texts)
    starts = np.cumsum(lengths) - lengths
    order = np.argsort(-lengths, kind="stable")
    all_of_them, done = int(lengths.sum()), 0
    with network.weights_held():
        for first in range(0, len(order), STREAMS):
            some = order[first : first + STREAMS]
            total[some] += _together(network, flat, starts[some], lengths[some], begin)
            done += int(lengths[some].sum())
            if progress is not None:
                progress(done / all_of_them)
    return total


def _together(network: Network, flat: Array, starts: Array, lengths: Array, begin: Array) -> Array:
    """Return the sums (B,) of the texts flat[start : start + length], the longest one first.

    What the network reads past the end of a text is the text after it, and does not count.
    """
    B, k = len(starts), len(begin)
    total = np.zeros(B)
    ends = lengths + k - 1  # as many steps as a text takes: its last id is read by none
    T = _window(network, B, int(ends[0]))
    state = network.initial_state(B)
    for at in range(0, int(ends[0]), T):
        left = int(np.count_nonzero(ends > at))
        if 2 * left <= B:  # before that, making room for fewer would cost more than it saves
            B, state = left, state[:, :, :left].copy()
        step = np.arange(at, at + T + 1)[:, None]
        ids = flat.take(starts[:B] + step - k, mode="clip").astype(np.intp)
        ids[: max(k - at, 0)] = begin[at : at + T + 1, None]
        network.forward(ids[:-1], state)
        counts = (step[:-1] >= k - 1) & (step[:-1] < ends[:B])
        nats = np.where(counts, network.nats(ids[1:]), 0)
        total[:B] += nats.sum(axis=0, dtype=np.float64)
        state = network.state()
    return total


def _window(network: Network, B: int, longest: int) -> int:
    """Return how many steps of B texts, the longest of so many steps, are read at a time.

    Nearly equal windows, of lengths that come again from batch to batch: the network makes its
    memory anew for every other shape.
    """
    most = steps(network.config, B, WINDOW)
    T = -(-longest // -(-longest // most)) if longest > 0 else 1
    grain = max(1, T // 8)
    return min(most, -(-T // grain) * grain)
