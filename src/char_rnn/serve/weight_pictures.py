"""A picture of a network's weights while it learns: small enough to be sent every two seconds."""

import base64
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from char_rnn.model.parameters import STATE_NAMES, Parameters
from char_rnn.training.events import Step
from char_rnn.training.trainer import Trainer

Array = np.ndarray

MOST_CELLS = 64
"""Rows of a picture, and columns."""
PAUSE = 2.0
"""Seconds between two pictures."""


class WeightPictures:
    """A callback of training, which tells of the weights where `wanted` says so.

    Two steps are needed for a picture: the first keeps the weights, so that the second can tell how
    far they moved in it.
    """

    def __init__(
        self, tell: Callable[[str, dict[str, Any]], object], wanted: Callable[[], bool]
    ) -> None:
        self._tell, self._wanted = tell, wanted
        self._parameters: Parameters | None = None
        self._before: Array | None = None
        self._last = -PAUSE

    def begin(self, trainer: Trainer) -> None:
        """Keep what the trainer changes."""
        self._parameters = trainer.model.parameters

    def __call__(self, event: object) -> None:
        """Tell of the weights after a step, where it is time."""
        if self._parameters is None or not isinstance(event, Step):
            return
        now = time.monotonic()
        if now - self._last < PAUSE or not self._wanted():
            self._before = None
            return
        if self._before is None:
            self._before = self._parameters.flat.copy()
            return
        self._last = now
        before = Parameters(self._parameters.config, self._before)
        told = {"iteration": event.iteration, "elapsed": event.elapsed}
        self._tell("weights", told | {"matrices": pictures(self._parameters, before)})
        self._before = None


def pictures(parameters: Parameters, before: Parameters) -> list[dict[str, Any]]:
    """Return a picture of each matrix, with the root mean square of its weights and their step."""
    return [
        {
            "name": name,
            "shape": list(matrix.shape),
            **picture(matrix, len(matrix) // parameters.config.hidden_size),
            "rms": _rms(matrix),
            "update_rms": _rms(matrix - before[name]),
        }
        for name, matrix in parameters.items()
        if matrix.ndim == 2 and name not in STATE_NAMES
    ]


def picture(matrix: Array, gates: int = 1) -> dict[str, Any]:
    """Return means of blocks of a matrix as int8, at most MOST_CELLS each way.

    gates: blocks of rows, of which each has as many rows in the picture as the others.
    """
    means = matrix.astype(np.float64)
    gates = gates if 1 <= gates <= MOST_CELLS and len(matrix) % gates == 0 else 1
    for axis, parts in enumerate((gates, 1)):
        size = means.shape[axis]
        edges = _edges(size, MOST_CELLS // parts * parts)
        means = np.add.reduceat(means, edges, axis)
        counts = np.diff(edges, append=size)
        means /= counts[:, None] if axis == 0 else counts
    scale = float(np.abs(means).max(initial=0.0)) / 127
    if not np.isfinite(scale) or scale == 0:
        scale = 1.0
    values = np.nan_to_num(np.rint(means / scale), posinf=127, neginf=-127).clip(-127, 127)
    return {
        "grid": list(values.shape),
        "values": base64.b64encode(values.astype(np.int8).tobytes()).decode("ascii"),
        "scale": scale,
    }


def _edges(size: int, most: int) -> Array:
    """Return where so many parts of `size` begin, one each where there are no more."""
    count = min(size, most)
    return np.arange(count) * size // count


def _rms(values: Array) -> float | None:
    found = float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
    return found if np.isfinite(found) else None
