"""How the learning rate moves: a factor of the highest rate, from the progress of the run."""

import math

from char_rnn.config import TrainConfig


def rate_factor(config: TrainConfig, iteration: int, progress: float) -> float:
    """Return the factor for the step after `iteration` finished ones.

    progress: how much of the run is done, from 0 to 1.
    constant: 1. exponential: final_rate ** progress. cosine: a linear warm-up over `warmup`
    iterations, and half a cosine over the whole run from 1 to final_rate (Loshchilov 2017).
    linear: the same with a straight line.
    """
    progress = min(max(progress, 0.0), 1.0)
    if config.schedule == "constant":
        return 1.0
    if config.schedule == "exponential":
        return float(max(config.final_rate, 1e-12) ** progress)
    warm = min(1.0, (iteration + 1) / config.warmup) if config.warmup else 1.0
    left = 1 - progress if config.schedule == "linear" else (1 + math.cos(math.pi * progress)) / 2
    return warm * (config.final_rate + (1 - config.final_rate) * left)
