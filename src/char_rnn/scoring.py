"""How well a model knows a text: −log p of its characters, in nats. One sweep for all who ask.

The text is cut into pieces that are read side by side, each after some characters before it, which
set its state and do not count (data/windows.py). How many there are is the rule of the sweep, and
all that one figure can differ from another by: a thousandth of a nat at most (docs/measuring.md).
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.windows import Ids, ScoredWindow, Sweep
from char_rnn.errors import TextTooShort
from char_rnn.model import states
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network
from char_rnn.model.room import steps

Array = np.ndarray
Tell = Callable[[float], None]
"""Is told which share is done, from 0 to 1."""

STREAMS, WINDOW = 64, 100


class Rule(NamedTuple):
    """How a text is cut into pieces to be read side by side.

    warmup: characters before each piece that set its state.
    piece: characters that a piece has at least; a shorter text is read in fewer than 64.
    bounded: whether a window's memory is (model/room.py).
    """

    warmup: int = 1000
    piece: int = 2000
    bounded: bool = True


EVALUATION = Rule()
TRAINING = Rule(200, 500, bounded=False)
"""Of validation and calibration, which come often and must be quick."""


def sweep(
    network: Network,
    ids: Ids,
    start: int,
    stop: int,
    rule: Rule = EVALUATION,
    streams: int = STREAMS,
    progress: Tell | None = None,
) -> Iterator[ScoredWindow]:
    """Let `network` read ids[start:stop]; yield each window while its logits are there.

    Every one of ids[start + 1 : stop] counts in just one of them. With one stream it is exact.
    """
    count = stop - start - 1
    streams, length = min(streams, max(1, count // rule.piece)), min(WINDOW, count)
    if rule.bounded:
        length = steps(network.config, streams, length)
    windows = Sweep(ids, start, stop, streams, length, rule.warmup)
    state = network.initial_state(windows.streams)
    with network.weights_held():
        for n, window in enumerate(windows, 1):
            network.forward(window.inputs, state)
            state = network.state()
            yield window
            _tell(progress, n / windows.windows)


@blas_threads(1)
def mean_loss(network: Network, ids: Ids, start: int, stop: int, rule: Rule = EVALUATION) -> float:
    """Return the mean loss of ids[start + 1 : stop] in nats a character.

    Nothing but the network's own memory changes: training goes on as if it had not been.
    """
    total = 0.0
    for window in sweep(network, ids, start, stop, rule):
        total += float(np.sum(network.nats(window.targets) * window.weights))
    return total / (stop - start - 1)


@blas_threads(1)
def surprisals(
    model: CharRNN,
    ids: Ids,
    start: int,
    stop: int,
    streams: int = STREAMS,
    progress: Tell | None = None,
) -> Array:
    """Return −log p of each of ids[start + 1 : stop], (stop − start − 1,), in nats.

    Read from `start`, in up to `streams` pieces; with one stream the figures are exact.
    """
    network = Network(model.parameters)
    result = np.zeros(stop - start - 1)
    for window in sweep(network, ids, start, stop, EVALUATION, streams, progress):
        counts = window.weights > 0
        result[window.at[counts] - start] = network.nats(window.targets)[counts]
    return result


def in_windows(
    network: Network, text: Array, state: Array, most: int = WINDOW
) -> Iterator[tuple[int, Array]]:
    """Let `network` read text (T + 1, B) from `state` on, in windows of at most `most` steps.

    Yields where each begins and its targets (≤ most, B), while its logits are in the network.
    """
    length = steps(network.config, text.shape[1], most)
    inputs, targets = text[:-1], text[1:]
    for part in states.in_windows(network, inputs, state, length):
        yield part.start, targets[part].astype(np.intp)


@blas_threads(1)
def cold_loss(
    model: CharRNN, ids: Ids, start: int, stop: int, window: int, progress: Tell | None = None
) -> float:
    """Return the mean loss of ids[start:stop] in windows that each begin with the initial state.

    nanoGPT estimates the same mean from windows at random places; here each character is the
    target of exactly one window, but for less than a window at the end.
    """
    count = windows_of(start, stop, window)
    network = Network(model.parameters)
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


def _tell(progress: Tell | None, done: float) -> None:
    if progress is not None:
        progress(done)
