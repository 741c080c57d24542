"""One character at a time, and many streams at once."""

import numpy as np
import pytest

from char_rnn import CharRNN, Vocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.choose import choose, choose_many
from char_rnn.model.network import Network

CELLS = [("rnn", False), ("gru", False), ("gru", True), ("lstm", False)]


def model(cell="lstm", reset_after=False, layers=2, dtype="float64"):
    vocabulary = Vocabulary("abcdefg\n")
    return CharRNN(
        vocabulary.size, 16, cell, layers, reset_after, dtype, np.random.default_rng(1), vocabulary,
        init="uniform",
    )  # fmt: skip


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
@pytest.mark.parametrize("B", [1, 3, 16])
def test_steps_equal_a_window(cell, reset_after, B):
    made = model(cell, reset_after)
    ids = np.random.default_rng(0).integers(8, size=(6, B))
    window, _ = made.forward(ids)
    network = Network(made.config, made.parameters)
    network.begin(network.initial_state(B))
    for t in range(6):
        np.testing.assert_allclose(network.step(ids[t]), window[t], atol=1e-12)


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_many_greedy_streams_equal_each_alone(cell, reset_after):
    made = model(cell, reset_after)
    seeds = ["a", "bcdefg", "", "gg"]
    alone = [made.sample(seed, 20, temperature=0) for seed in seeds]
    assert made.sample_many(seeds, 20, temperature=0) == alone
    assert made.sample_many([]) == []


def test_many_draws_follow_the_probabilities():
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05]))
    rng = np.random.default_rng(0)
    drawn = choose_many(np.tile(logits, (100_000, 1)), 1.0, rng)
    np.testing.assert_allclose(np.bincount(drawn) / 1e5, np.exp(logits), atol=0.006)
    hot = choose_many(np.tile(logits, (100_000, 1)), 2.0, rng)
    p = np.exp(logits / 2)
    np.testing.assert_allclose(np.bincount(hot) / 1e5, p / p.sum(), atol=0.006)


@pytest.mark.parametrize("temperature", [0, 1e-300, 1e-6, 1.0, 1e6])
def test_one_and_many_choose_alike(temperature):
    logits = np.random.default_rng(2).normal(size=(1, 9)).astype(np.float32) * 100
    for k in range(50):
        one = choose(logits[0], temperature, np.random.default_rng(k))
        assert choose_many(logits, temperature, np.random.default_rng(k)).tolist() == [one]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_diverged_model_is_told(bad):
    logits = np.array([0.0, bad, 1.0])
    rng = np.random.default_rng(0)
    for temperature in (0, 1.0):
        with pytest.raises(UsageError, match="diverged"):
            choose(logits, temperature, rng)
        with pytest.raises(UsageError, match="diverged"):
            choose_many(np.stack([np.zeros(3), logits]), temperature, rng)


def test_no_backward_after_steps():
    made = model()
    network = Network(made.config, made.parameters)
    ids = np.zeros((1, 2), np.int64)
    network.prepare(1, 2)
    network.forward(ids, network.initial_state(2))
    network.begin(network.initial_state(2))
    network.step(ids[0])
    with pytest.raises(UsageError, match="forward"):
        network.backward(ids)
