"""A network running on its own output."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from char_rnn.generate.choose import Chooser
from char_rnn.model.parameters import Parameters
from char_rnn.model.stepper import Stepper

Array = np.ndarray


def after_reading(
    parameters: Parameters,
    seeds: Sequence[Array],
    stopped: Callable[[], bool] = lambda: False,
    helped: bool = True,
) -> Stepper:
    """Return a stepper of B streams, each of which has read its own one of B `seeds`.

    Seeds are ids, at least one each; those of the same length are read as one batch.
    stopped: asked at each step; where it says so nothing more is read. helped: see Stepper.
    """
    sizes = np.array([len(seed) for seed in seeds])
    stepper = Stepper(parameters, len(seeds), helped=helped)
    state = stepper.initial_state()
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size).tolist()
        reader = stepper if len(rows) == len(seeds) else Stepper(parameters, len(rows))
        reader.begin(reader.initial_state())
        for ids in np.stack([seeds[row] for row in rows], axis=1).astype(np.intp):
            if stopped():
                break
            reader.step(ids)
        state[:, :, rows] = reader.state()
    stepper.begin(state)
    return stepper


def sample(stepper: Stepper, length: int, chooser: Chooser) -> Iterator[Array]:
    """Yield `length` times an id for each stream, (B,): what follows what the stepper has read.

    The stepper does not read the last one.
    """
    looks_back = chooser.looks_back
    written = np.zeros((stepper.B, length if looks_back else 0), np.intp)
    logits = stepper.logits()
    for at in range(length):
        ids = chooser(logits, at, written[:, :at])
        if looks_back:
            written[:, at] = ids
        yield ids
        if at + 1 < length:
            logits = stepper.step(ids)
