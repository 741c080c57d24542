"""The surprise of a text: −log p of each of its characters, in nats."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import ModelConfig
from char_rnn.data.windows import Ids, Sweep
from char_rnn.errors import TextTooShort
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network

Array = np.ndarray
Progress = Callable[[float], None]

STREAMS, WINDOW, WARMUP, PIECE = 64, 100, 1000, 2000
RATE, DECAY, CLIP = 0.02, 0.001, 1.0
MOST_VALUES = 1 << 25
"""Values that a window's memory may have: 128 MiB, whatever the vocabulary."""


def steps(config: ModelConfig, streams: int, most: int) -> int:
    """Return how many steps of `streams` side by side a window may have: 1 to `most`."""
    # Logits and their exponentials; of each layer gates, states and what the cell keeps.
    each = 2 * config.vocab_size + 8 * config.layers * config.hidden_size
    return max(1, min(most, MOST_VALUES // (each * streams)))


def in_windows(
    network: Network, text: Array, state: Array, most: int
) -> Iterator[tuple[int, Array]]:
    """Let `network` read text (T + 1, B) from `state` on, in windows of at most `most` steps.

    Yields where each begins and its targets (≤ most, B), while its logits are in the network.
    """
    length = steps(network.config, text.shape[1], most)
    prepared = 0
    for at in range(0, len(text) - 1, length):
        window = text[at : at + length + 1].astype(np.intp)
        if prepared != len(window):
            prepared = len(window)
            network.prepare(prepared - 1, text.shape[1])
        network.forward(window[:-1], state)
        yield at, window[1:]
        state = network.state()


@blas_threads(1)
def surprisals(
    model: CharRNN, ids: Ids, start: int, stop: int, streams: int = STREAMS,
    progress: Progress | None = None,
) -> Array:  # fmt: skip
    """Return −log p of ids[start + 1 : stop], (stop − start − 1,), in nats, read from the start.

    The text is read in up to `streams` pieces side by side, each after the 1,000 characters
    before it, which set its state; with one stream the figures are exact.
    """
    count = stop - start - 1
    streams = min(streams, max(1, count // PIECE))
    network = Network(model.config, model.parameters)
    length = steps(model.config, streams, min(WINDOW, count))
    sweep = Sweep(ids, start, stop, streams, length, WARMUP)
    network.prepare(length, sweep.streams)
    state = network.initial_state(sweep.streams)
    result = np.zeros(count)
    for n, window in enumerate(sweep):
        network.forward(window.inputs, state)
        state = network.state()
        counts = window.weights > 0
        result[window.at[counts] - start] = network.nats(window.targets)[counts]
        _tell(progress, (n + 1) / sweep.windows)
    return result


@blas_threads(1)
def cold_loss(
    model: CharRNN, ids: Ids, start: int, stop: int, window: int,
    progress: Progress | None = None,
) -> float:  # fmt: skip
    """Return the mean loss of ids[start:stop] in windows that each begin with the initial state.

    nanoGPT estimates the same mean from windows at random places; here each character is the
    target of exactly one window, but for less than a window at the end.
    """
    count = windows_of(start, stop, window)
    network = Network(model.config, model.parameters)
    total = 0.0
    for first in range(0, count, STREAMS):
        size = min(STREAMS, count - first)
        rows = ids.read_rows(start + window * (first + np.arange(size)), window + 1).T
        for _, targets in in_windows(network, rows, network.initial_state(size), window):
            total += float(network.nats(targets).sum(dtype=np.float64))
        _tell(progress, (first + size) / count)
    return total / (count * window)


def windows_of(start: int, stop: int, window: int) -> int:
    """Return how many windows ids[start:stop] hold; raise TextTooShort for none."""
    count = (stop - start - 1) // window
    if count < 1:
        raise TextTooShort(
            f"{stop - start:,} characters hold no window of {window:,} and its next character; "
            "give a smaller window or a longer text"
        )
    return count


class Expected(NamedTuple):
    """What a model expected in the place of each of N characters.

    nats: (N,), −log p of the character itself. ids, shares: (N, count), the likeliest ids and
    their probabilities, the likeliest first.
    """

    nats: Array
    ids: Array
    shares: Array


@blas_threads(1)
def likeliest(model: CharRNN, ids: Ids, start: int, stop: int, count: int = 5) -> Expected:
    """Return what the model expected in the places of ids[start + 1 : stop], read as one stream."""
    network = Network(model.config, model.parameters)
    size, count = stop - start - 1, min(count, model.config.vocab_size)
    found = Expected(
        np.zeros(size), np.zeros((size, count), np.uint32), np.zeros((size, count), np.float32)
    )
    text = ids.read_rows(np.array([start]), size + 1).T
    for at, targets in in_windows(network, text, network.initial_state(1), WINDOW):
        rows, where = np.arange(len(targets)), slice(at, at + len(targets))
        y = np.ascontiguousarray(network.logits.T)
        y -= y.max(axis=1, keepdims=True)
        total = np.exp(y).sum(axis=1, dtype=np.float64)
        found.nats[where] = np.log(total) - y[rows, targets[:, 0]]
        for k in range(count):  # a sort of thousands would take most of the time
            best = y.argmax(axis=1)
            found.ids[where, k] = best
            found.shares[where, k] = np.exp(y[rows, best]) / total
            y[rows, best] = -np.inf
    return found


@blas_threads(1)
def dynamic_surprisals(
    model: CharRNN, ids: Ids, start: int, stop: int, rate: float = RATE, window: int = 20,
    progress: Progress | None = None,
) -> Array:  # fmt: skip
    """Return the surprisals of a model that goes on learning from the text it has just read.

    Each window is scored first and learned from afterwards, so that nothing is told in advance:
    w ← w − rate · g + decay · (w₀ − w), with g of norm 1 at most (Krause et al. 2018, the
    variant with plain gradients). A metric of its own: it measures how quickly a model adapts.
    """
    twin = model.copy()
    network = Network(twin.config, twin.parameters)
    w, kept = twin.parameters.trained, model.parameters.trained
    state, result = network.initial_state(1), np.zeros(stop - start - 1)
    for at in _starts(start, stop, window):
        length = min(window, stop - 1 - at)
        row = ids.read_rows(np.array([at]), length + 1).T.astype(np.intp)
        network.prepare(length, 1)
        network.forward(row[:-1], state)
        state = network.state()
        network.backward(row[1:])
        result[at - start : at - start + length] = network.last_nats[:, 0]
        gradient = network.gradients.trained
        norm = float(np.sqrt(np.dot(gradient, gradient)))
        w -= gradient * (rate * min(1.0, CLIP / max(norm, 1e-12)))
        w += DECAY * (kept - w)
        _tell(progress, (at - start + length) / len(result))
    return result


def _starts(start: int, stop: int, window: int) -> Iterator[int]:
    yield from range(start, stop - 1, window)


def _tell(progress: Progress | None, done: float) -> None:
    if progress is not None:
        progress(done)
