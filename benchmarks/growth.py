"""How the speed of training changes as the work grows, one setting at a time."""

import statistics

import numpy as np
from threadpoolctl import ThreadpoolController

from benchmarks.steps import block, our_step
from char_rnn import CharRNN
from char_rnn.training.parallel import Workers, worker_count

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
    """Return characters per second of whole training steps: the median of a block."""
    rng = np.random.default_rng(0)
    model = CharRNN(V, hidden, cell, layers, reset_after=cell == "gru", rng=rng)
    windows = rng.integers(V, size=(8, 2, window, batch))
    count = worker_count(threads, window, batch, model.num_parameters, model.config.cell)
    with (
        ThreadpoolController().limit(limits=1, user_api="blas"),
        Workers(model.parameters, count, window, batch) as workers,
        our_step(model, workers, batch) as step,
    ):
        step(*windows[0])
        return window * batch / statistics.median(block(step, windows))


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
