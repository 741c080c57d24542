"""One character at a time equals a window, for every cell and everything that a layer can have."""

from itertools import product

import numpy as np
import pytest
from reference import CELLS

from char_rnn import CharRNN
from char_rnn.errors import UsageError
from char_rnn.model.stepper import Stepper
from char_rnn.model.weights import Weights

V, T = 11, 9


def made(cell, reset_after, layers, **settings):
    model = CharRNN(
        V, 8, cell, layers, reset_after, "float64", np.random.default_rng(1), **settings
    )
    model.parameters.flat[:] += 0.3 * np.random.default_rng(2).standard_normal(
        model.parameters.flat.size
    )
    return model


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
@pytest.mark.parametrize("B", [1, 3])
def test_steps_equal_a_window(cell, reset_after, B):
    for layers, norm, tied in product((1, 2, 3), (False, True), (False, True)):
        model = made(cell, reset_after, layers, layer_norm=norm, tied=tied, initial_state="learned")
        ids = np.random.default_rng(3).integers(V, size=(T, B))
        window, _ = model.forward(ids)
        stepper = Stepper(model.parameters, B)
        stepper.begin(stepper.initial_state())
        for t in range(T):
            np.testing.assert_allclose(stepper.step(ids[t]), window[t], atol=1e-12)


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
@pytest.mark.parametrize(("H", "B"), [(128, 5), (128, 10), (40, 33), (200, 9)])
def test_blocks_change_nothing(cell, reset_after, H, B):
    model = CharRNN(V, H, cell, 2, reset_after, "float64", np.random.default_rng(1))
    ids = np.random.default_rng(3).integers(V, size=(4, B))
    window, _ = model.forward(ids)
    stepper = Stepper(model.parameters, B)
    stepper.begin(stepper.initial_state())
    for t in range(4):
        np.testing.assert_allclose(stepper.step(ids[t]), window[t], atol=1e-12)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_steppers_share_weights(cell, reset_after, norm):
    """In turns, in any order, and with parameters that change; and the memory is shared."""
    model = CharRNN(
        V, 64, cell, 2, reset_after, "float64", np.random.default_rng(1), layer_norm=norm
    )
    weights = Weights(model.parameters)
    sizes = [(1, None), (4, None), (8, 4), (9, 3), (8, None)]
    steppers = [Stepper(weights, B, together) for B, together in sizes]
    ids = np.random.default_rng(3).integers(V, size=(4, 9))
    for _ in range(2):
        window, _ = model.forward(ids)
        for stepper in steppers:
            stepper.begin(stepper.initial_state(), fresh=True)
        for t in range(4):
            for stepper in steppers:
                logits = stepper.step(ids[t, : stepper.B])
                np.testing.assert_allclose(logits, window[t, : stepper.B], atol=1e-12)
        model.parameters.flat[:] *= 1.5
    assert weights.of(0, 4) is weights.of(0, 8) is not weights.of(0, 1)


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_bits_depend_on_how_many_stand_in_a_product(cell, reset_after):
    """And on nothing else: neither on how many products there are, nor on the place in one."""
    model = CharRNN(V, 200, cell, 2, reset_after, rng=np.random.default_rng(1))
    ids = np.random.default_rng(3).integers(V, size=(T, 12))
    few, many = Stepper(model.parameters, 4), Stepper(model.parameters, 12, together=4)
    for stepper in (few, many):
        stepper.begin(stepper.initial_state())
    rows = np.array([7, 2, 9, 0])
    for t in range(T):
        assert np.array_equal(few.step(ids[t, rows]), many.step(ids[t])[rows])
    with pytest.raises(UsageError, match="6 streams do not come out even in products of 4"):
        Stepper(model.parameters, 6, together=4)


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_a_state_that_was_kept_goes_on_as_if_nothing_had_been(cell, reset_after):
    model = made(cell, reset_after, 2)
    ids = np.random.default_rng(3).integers(V, size=(T, 2))
    stepper = Stepper(model.parameters, 2)
    stepper.begin(stepper.initial_state())
    for t in range(4):
        stepper.step(ids[t])
    kept, expected = stepper.state(), stepper.logits().copy()
    after = stepper.step(ids[4]).copy()
    stepper.step(ids[5])
    stepper.begin(kept)
    np.testing.assert_allclose(stepper.logits(), expected, atol=1e-12)
    np.testing.assert_allclose(stepper.step(ids[4]), after, atol=1e-12)


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_selected_streams_go_on_in_their_new_places(cell, reset_after):
    model = made(cell, reset_after, 2)
    ids = np.random.default_rng(3).integers(V, size=(T, 3))
    stepper = Stepper(model.parameters, 3)
    stepper.begin(stepper.initial_state())
    for t in range(4):
        stepper.step(ids[t])
    rows = np.array([2, 0, 2])
    stepper.select(rows)
    moved = stepper.step(ids[4][rows])
    window, _ = model.forward(ids[:5])
    np.testing.assert_allclose(moved, window[4][rows], atol=1e-12)


def test_it_takes_changed_parameters_when_it_is_told():
    model = made("gru", False, 2)
    stepper = Stepper(model.parameters)
    stepper.begin(stepper.initial_state())
    before = stepper.step(np.array([3])).copy()
    model.parameters.flat[:] *= 1.5
    stepper.begin(stepper.initial_state())
    np.testing.assert_array_equal(stepper.step(np.array([3])), before)
    stepper.begin(stepper.initial_state(), fresh=True)
    np.testing.assert_allclose(stepper.step(np.array([3]))[0], model.forward([3])[0][0, 0])
