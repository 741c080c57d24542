"""The memory that is asked for is the memory that is taken, and there is an answer everywhere."""

import itertools
import math

import numpy as np
import pytest
from traced import traced

from char_rnn.config import ModelConfig
from char_rnn.errors import UsageError
from char_rnn.model import room
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters, parameter_shapes

KINDS = [*itertools.product(("rnn", "gru", "lstm"), (1, 2, 5), (False, True), (False, True))]
SIZES = [("rnn", 1, 60), ("lstm", 2, 60), ("gru", 1, 900)]


@pytest.mark.parametrize(("cell", "layers", "layer_norm", "tied"), KINDS)
def test_parameters_are_counted_without_making_them(cell, layers, layer_norm, tied):
    for initial in ("zeros", "learned"):
        config = ModelConfig(
            7, 5, cell, layers, layer_norm=layer_norm, tied=tied, initial_state=initial
        )
        sizes = (math.prod(shape) for shape in parameter_shapes(config).values())
        assert room.parameter_count(config) == sum(sizes)


def test_a_billion_layers_take_no_time():
    assert room.parameter_count(ModelConfig(7, 5, "gru", 10**9)) > 10**11


def taken(config, ids):
    """Return the bytes that one window of `ids` takes at its most, there and back."""
    network = Network(Parameters(config))
    with traced() as most:
        network.forward(ids, network.initial_state(ids.shape[1]))
        network.backward(ids)
        return most()


@pytest.mark.parametrize("end", [None, 0])
@pytest.mark.parametrize(
    ("cell", "layers", "V"), [("rnn", 1, 60), ("lstm", 2, 60), ("gru", 1, 900), ("gru", 1, 8000)]
)
def test_a_window_takes_what_is_asked_for(cell, layers, V, end):
    config = ModelConfig(V, 64, cell, layers, end=end)
    ids = np.zeros((50, 32), np.intp)
    assert 0.6 < room.window_memory(config, 50, 32) / taken(config, ids) < 1.4


@pytest.mark.parametrize("V", [900, 8000])
def test_the_logits_of_a_large_vocabulary_take_their_memory_once(V):
    config = ModelConfig(V, 64, "gru")
    ids = np.random.default_rng(0).integers(V, size=(50, 32))
    assert 0.9 < room.window_memory(config, 50, 32) / taken(config, ids) < 1.1


def test_a_network_asks_before_it_takes(monkeypatch):
    monkeypatch.setattr(room, "available_memory", lambda: 5e8)
    config = ModelConfig(60, 64)
    network = Network(Parameters(config))
    with pytest.raises(UsageError, match=r"windows of 100,000 × 100 .* of memory, and 500 MB"):
        network.forward(np.broadcast_to(0, (100, 100_000)), np.zeros(0))


def test_limits(tmp_path, monkeypatch):
    assert 1e6 < room.available_memory() < 1e15
    for name, text in (("max", 5000), ("current", 3000), ("stat", "anon 1\ninactive_file 500\n")):
        (tmp_path / f"memory.{name}").write_text(str(text))
    assert room._of_group(tmp_path) == 2500
    (tmp_path / "memory.max").write_text("max\n")
    assert room._of_group(tmp_path) == math.inf
    assert [room.amount(size) for size in (7, 4e6, 23.6e9, 1e40)] == [
        "7.0 bytes", "4.0 MB", "24 GB", "thousands of TB",
    ]  # fmt: skip
