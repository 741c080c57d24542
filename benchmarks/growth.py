"""How the speed of training changes as the work grows, one setting at a time."""

import statistics
import time

import numpy as np
from threadpoolctl import ThreadpoolController

from char_rnn import CharRNN
from char_rnn.train.clipping import clip_by_norm
from char_rnn.train.optimisers import Adam
from char_rnn.train.parallel import Workers, worker_count

BASE = {"hidden": 256, "batch": 64, "window": 50, "layers": 1, "threads": 2}
GRID = {
    "hidden": [64, 128, 256, 512, 1024],
    "batch": [1, 2, 4, 8, 16, 32, 64, 128, 256],
    "window": [25, 50, 100, 200, 400],
    "layers": [1, 2, 3, 4],
    "threads": [1, 2],
}
V = 65


def speed(cell: str, hidden: int, batch: int, window: int, layers: int, threads: int) -> float:
    """Return characters per second of whole training steps: the median of five."""
    rng = np.random.default_rng(0)
    model = CharRNN(V, hidden, cell, layers, reset_after=cell == "gru", rng=rng)
    trained = model.parameters.trained
    optimizer = Adam(trained.size, np.float32)
    seconds = []
    count = worker_count(threads, window, batch, model.num_parameters)
    with (
        ThreadpoolController().limit(limits=1, user_api="blas"),
        Workers(model.config, model.parameters, count, window, batch) as workers,
    ):
        state = workers.initial_state(batch, rng)
        for _ in range(7):
            inputs, targets = rng.integers(V, size=(2, window, batch))
            began = time.perf_counter()
            _, state = workers.step(inputs, targets, state)
            clip_by_norm(workers.gradients.trained, 5.0)
            optimizer.step(trained, workers.gradients.trained, 0.002)
            seconds.append(time.perf_counter() - began)
    return window * batch / statistics.median(seconds[2:])


def curves(cell: str) -> list[dict[str, object]]:
    """Return every point of the grid."""
    return [
        {
            "cell": cell,
            "setting": setting,
            "value": value,
            "speed": speed(cell, **BASE | {setting: value}),
        }
        for setting, values in GRID.items()
        for value in values
    ]
