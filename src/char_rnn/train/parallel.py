"""One training step on several threads: each takes a slice of the batch.

NumPy lets other threads run while it multiplies, so two threads over half the streams each are
nearly twice as fast, with one BLAS thread each. Every slice has a network of its own on shared
parameters; the slices' gradients are added in a fixed order, so that the same number of threads
gives the same bits.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Self

import numpy as np

from char_rnn.config import ModelConfig
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters

Array = np.ndarray


def available_threads() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Networks over slices of the batch, and the threads that run them."""

    def __init__(self, config: ModelConfig, parameters: Parameters, threads: int, B: int) -> None:
        threads = max(1, min(threads, B))
        self._networks = [Network(config, parameters) for _ in range(threads)]
        bounds = np.linspace(0, B, threads + 1).astype(int)
        self._slices = [slice(a, b) for a, b in pairwise(bounds)]
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    @property
    def gradients(self) -> Parameters:
        """The gradients of the last step, of the whole batch."""
        return self._networks[0].gradients

    def initial_state(self, B: int, rng: np.random.Generator) -> Array:
        """Return the state (S, L, B, H) with which an epoch begins."""
        return self._networks[0].initial_state(B, rng)

    def step(
        self, inputs: Array, targets: Array, state: Array, learn_state: bool
    ) -> tuple[float, Array]:
        """Return the mean loss of a window (T, B) and the state (S, L, B, H) after it."""
        jobs = [
            (network, inputs[:, cut], targets[:, cut], state[:, :, cut], inputs.size, learn_state)
            for network, cut in zip(self._networks, self._slices, strict=True)
        ]
        if self._pool is None:
            totals = [_work(*jobs[0])]
        else:
            futures = [self._pool.submit(_work, *job) for job in jobs[1:]]
            totals = [_work(*jobs[0])] + [future.result() for future in futures]
        first, *others = self._networks
        for network in others:
            np.add(first.gradients.flat, network.gradients.flat, out=first.gradients.flat)
        after = np.concatenate([network.state() for network in self._networks], axis=2)
        return sum(totals) / inputs.size, after

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _work(
    network: Network, inputs: Array, targets: Array, state: Array, count: int, learn_state: bool
) -> float:
    network.prepare(*inputs.shape)
    network.forward(inputs, state)
    return network.backward(targets, count, learn_state)
