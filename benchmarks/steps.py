"""Training steps of ours, and how steps are timed: in blocks, one after another."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from char_rnn import CharRNN
from char_rnn.training.clipping import clip_by_norm
from char_rnn.training.optimisers import Adam
from char_rnn.training.parallel import Workers

CLIP, RATE = 5.0, 0.002
PAUSE = 0.3  # seconds before a block, in which the threads of what ran before stop spinning
BLOCK = 0.4  # seconds of a block
UNCOUNTED = 2  # steps of a block, in which cores wake up and caches fill
LEAST = 5  # steps of a block

Step = Callable[[np.ndarray, np.ndarray], float]


@contextmanager
def our_step(model: CharRNN, workers: Workers, B: int) -> Iterator[Step]:
    """Yield a function that takes one step of ours on ids and targets (T, B)."""
    optimizer = Adam()
    state = workers.initial_state(B, np.random.default_rng(0))

    def step(inputs: np.ndarray, targets: np.ndarray) -> float:
        nonlocal state
        loss, state = workers.step(inputs, targets, state)
        clip_by_norm(workers.gradients, CLIP)
        optimizer.step(model.parameters, workers.gradients, RATE)
        return loss

    with optimizer.on_threads(workers.count):
        yield step


def block(step: Step, windows: np.ndarray) -> list[float]:
    """Return the seconds of each counted step of a block; windows: (n, 2, T, B), again and again.

    Steps follow one another without a pause, as in training. After a pause a machine that has put
    a core to sleep may run both slices on the other for longer than a short step takes.
    """
    time.sleep(PAUSE)
    seconds: list[float] = []
    began = time.perf_counter()
    while len(seconds) < LEAST or time.perf_counter() - began < BLOCK:
        inputs, targets = windows[len(seconds) % len(windows)]
        start = time.perf_counter()
        step(inputs, targets)
        seconds.append(time.perf_counter() - start)
    return seconds[UNCOUNTED:]
