"""Gradients over characters back: the right norm, ρ^k where it is linear, and what cells keep."""

import math

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, cross_entropy, lab
from char_rnn.lab.gradients import as_array, places, reach, worst

SIZES = {"characters": 40_000, "iterations": 150, "hidden_size": 32, "streams": 8}


@pytest.fixture(scope="module")
def found():
    return lab.run("gradients", seeds=1, processes=1, **SIZES)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_norm_is_that_of_central_differences(cell):
    rng = np.random.default_rng(0)
    model = CharRNN(5, 3, cell, dtype="float64", rng=rng)
    ids = rng.integers(5, size=(9, 1))
    states = as_array(model.states(ids[:-1]))
    for k in (1, 4):
        before = states[:, 7 - k]

        def loss(state, k=k):
            start = state[0] if len(state) == 1 else tuple(state)
            return cross_entropy(model.forward(ids[8 - k : 8], start)[0][-1:], ids[8:])[0]

        gradient = np.zeros_like(before)
        for at in np.ndindex(*before.shape):
            step = np.zeros_like(before)
            step[at] = 1e-6
            gradient[at] = (loss(before + step) - loss(before - step)) / 2e-6
        assert reach(model, ids, [k])[0] == pytest.approx(np.linalg.norm(gradient), rel=1e-6)


def test_of_several_streams_it_is_the_median():
    rng = np.random.default_rng(1)
    model = CharRNN(5, 3, "gru", dtype="float64", rng=rng)
    ids = rng.integers(5, size=(9, 5))
    alone = [reach(model, ids[:, b : b + 1], [2, 6]) for b in range(5)]
    np.testing.assert_allclose(reach(model, ids, [2, 6]), np.median(alone, axis=0), rtol=1e-12)


def test_the_worst_direction_is_the_largest_singular_value():
    model = CharRNN(3, 6, "rnn", dtype="float64", rng=np.random.default_rng(2))
    model.parameters["rnn.weight_ih_l0"][:] = 0
    U = np.random.default_rng(3).standard_normal((6, 6))
    model.parameters["rnn.weight_hh_l0"] = U
    for k in (1, 2, 5):
        power = np.linalg.matrix_power(U, k)
        assert worst(model, k) == pytest.approx(np.linalg.norm(power, 2), rel=1e-12)


def test_the_linear_case_goes_like_the_spectral_radius(found):
    matrices = found.numbers["matrices"]
    for at, radius in enumerate(found.numbers["radii"]):
        # Of a rotation from the first step on: exact in 6 of 6 seeds.
        assert matrices["rotation_slope"][0][at] == pytest.approx(math.log(radius), abs=1e-9)
        # Of a random matrix in the end: at most 4.2 % off in 6 seeds, at ρ = 1 a slope of 0.008.
        assert matrices["slope"][0][at] == pytest.approx(math.log(radius), rel=0.1, abs=0.02)


def test_singular_values_are_not_eigenvalues(found):
    matrices = found.numbers["matrices"]
    # 1.68 to 1.95 in the first step, 1.00 to 1.01 as the hundredth root, in 6 seeds.
    first, *_, last = matrices["worst_a_step"][0]
    assert first > 1.4
    assert last == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(matrices["rotation_a_step"][0], 1, rtol=1e-12)


def test_tanh_holds_an_explosion_back(found):
    # ρ = 1.5 a hundred characters back: 5e16 to 2e17 without inputs, at most 1 in reading, 6 seeds.
    matrices = found.numbers["matrices"]
    assert matrices["linear"][0][-1][-1] > 1e15
    assert matrices["reading"][0][-1][-1] < 1e3


def test_gates_keep_more_of_a_gradient_than_the_rnn_does_after_training(found):
    numbers = found.numbers
    # A hundred back, in 6 seeds: RNN 4e-37 at most, LSTM 1e-11 at least; slopes −0.83 and −0.2.
    assert numbers["lstm"]["after"][0][-1] > 1e10 * numbers["rnn"]["after"][0][-1]
    assert numbers["lstm"]["slope"][0] > numbers["rnn"]["slope"][0] + 0.2
    # Before it, a new GRU, whose gates are half open, keeps least: 1e-13 against 1e-4 and 1e-3.
    before = {cell: numbers[cell]["before"][0][-1] for cell in ("rnn", "gru", "lstm")}
    assert before["gru"] < 1e-6 * min(before["rnn"], before["lstm"])
    # And the RNN is the most saturated: 0.68 to 0.83 of its units, the LSTM's 0.26 to 0.45.
    assert numbers["rnn"]["saturated"][0] > numbers["lstm"]["saturated"][0]
    for cell in before:
        assert sum(numbers[cell]["saturation"][0]) == pytest.approx(1)


def test_what_is_said_is_what_was_found(found):
    slope = math.exp(found.numbers["lstm"]["slope"][0])
    assert f"LSTM {slope:.2f}" in found.found
    assert "0.50 for 0.5" in found.found
    assert len(found.figure.panels) == 6


def test_places_are_in_the_last_tenth():
    corpus = Corpus.from_text("abcde" * 400)
    ids = places(corpus, 11, 50, np.random.default_rng(0))
    assert ids.shape == (11, 50)
    assert (np.diff(ids, axis=0) % 5 == 1).all()
