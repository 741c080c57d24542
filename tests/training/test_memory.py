"""What a step allocates, and what it keeps."""

import tracemalloc

import numpy as np
import pytest
from traced import traced

from char_rnn.config import ModelConfig
from char_rnn.model.initialisation import initialise_
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters
from char_rnn.training.parallel import Workers

NUMPYS_BUFFER = 40_000
"""Bytes: NumPy passes some operands through a buffer of 8,192 elements, whatever their size."""

CELLS = [("rnn", False), ("gru", False), ("gru", True), ("lstm", False)]


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_the_time_loop_allocates_nothing(cell, reset_after, monkeypatch):
    T, B, H = 10, 192, 192
    config = ModelConfig(20, H, cell, 1, reset_after)
    parameters = Parameters(config)
    initialise_(parameters, np.random.default_rng(0))
    network = Network(parameters)
    network.forward(np.zeros((T, B), np.intp), network.initial_state(B))  # makes the memory
    (layer,) = network.layers
    monkeypatch.setattr(layer, "_weight_gradients", lambda: None)
    ids = np.random.default_rng(0).integers(20, size=(T, B))
    state, dh = network.initial_state(B)[:, 0], np.ones((T, B, H), np.float32)
    assert B * H * 4 > 3 * NUMPYS_BUFFER
    with traced() as most:
        layer.forward(ids, state)
        assert most() < NUMPYS_BUFFER
    with traced() as most:
        layer.backward(dh)
        # The gradient of the state is handed out as a copy, after the loop.
        assert most() < NUMPYS_BUFFER + state.nbytes


@pytest.mark.parametrize("count", [1, 2])
def test_memory_does_not_grow(count):
    config = ModelConfig(20, 8, "lstm")
    parameters = Parameters(config)
    ids = np.random.default_rng(0).integers(20, size=(5, 4))
    with Workers(parameters, count, 5, 4) as workers:
        state = workers.initial_state(4, np.random.default_rng(0))

        def steps(n):
            for _ in range(n):
                workers.step(ids, ids, state)

        tracemalloc.start()
        try:
            steps(500)  # NumPy keeps some small blocks for later, which fills up
            before, _ = tracemalloc.get_traced_memory()
            steps(1000)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert after - before < 2000
