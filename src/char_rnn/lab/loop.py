"""The bare loop of training, for experiments that look at each step: forward, backward, clip, step.

Nothing protects it, as in the trainer, where a step that is not finite is left out or taken back.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from char_rnn import CharRNN, Corpus
from char_rnn.errors import NonFiniteGradient
from char_rnn.training.clipping import clip_by_norm
from char_rnn.training.optimisers import Optimizer

LOST = 1e3
"""What a loss that is not finite counts as, in nats: it has no mean and no place in a picture."""


class Taken(NamedTuple):
    """A step: the loss of its window, nats a character, and the norm of its gradient."""

    loss: float
    norm: float


def steps(
    model: CharRNN,
    corpus: Corpus,
    optimizer: Optimizer,
    rate: float,
    iterations: int,
    seed: int,
    limit: float = math.inf,
    batch_size: int = 16,
    seq_length: int = 50,
) -> Iterator[Taken]:
    """Train `model` on the first nine tenths of `corpus`; yield each step once it is taken.

    limit: of the norm. After a loss or a gradient that is not finite the weights stay as they are,
    and every step yields LOST. seed: cuts the windows elsewhere.
    """
    rng = np.random.default_rng(seed)
    streams = corpus.streams(corpus.parts(0.1).train_stop, batch_size, seq_length, seed, rng)
    state = None
    for done in range(iterations):
        inputs, targets, first = streams.next()
        with np.errstate(over="ignore", invalid="ignore"):
            _, state = model.forward(inputs, None if first else state)
            loss, gradients = model.backward(targets)
            try:
                norm = clip_by_norm(gradients, limit)
            except NonFiniteGradient:
                yield from [Taken(LOST, LOST)] * (iterations - done)
                return
            optimizer.step(model.parameters, gradients, rate)
        yield Taken(min(loss, LOST), norm)


def of_ten(function: Callable[[Sequence[float]], float], values: Sequence[float]) -> list[float]:
    """Return what `function` makes of every ten of `values`, of an `ends_of_ten` each."""
    return [float(function(values[at : at + 10])) for at in range(0, len(values), 10)]


def ends_of_ten(iterations: int) -> list[int]:
    """Return after which iteration each of them stands."""
    return [min(at + 10, iterations) for at in range(0, iterations, 10)]
