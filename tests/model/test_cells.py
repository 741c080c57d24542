"""Every cell passes this: equal to the slow reference, exact gradients, at T = 1 and T > 1."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import CELLS, plain_name, reference_network

from char_rnn import CharRNN, tables
from char_rnn.analyse import gradient_check
from char_rnn.model.layer import FEW_UNITS

V, H = 7, 5
EVERY_CELL = pytest.mark.parametrize(("cell", "reset_after"), list(CELLS))


def test_every_cell_has_a_reference():
    assert {cell for cell, _ in CELLS} == set(tables.CELLS)


def make(cell, reset_after, layers=1, seed=0, **settings):
    """Return a float64 model whose every parameter is well away from zero."""
    rng = np.random.default_rng(seed)
    model = CharRNN(V, H, cell, layers, reset_after, np.float64, rng, **settings)
    for parameter in model.parameters.values():
        parameter += 0.3 * rng.standard_normal(parameter.shape)
    return model


def make_state(cell, layers, B, rng):
    parts = [0.5 * rng.standard_normal((layers, B, H)) for _ in range(2 if cell == "lstm" else 1)]
    return tuple(parts) if len(parts) == 2 else parts[0]


def as_parts(state):
    return state if isinstance(state, tuple) else (state,)


@EVERY_CELL
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("T", "B"), [(1, 1), (1, 3), (6, 1), (6, 16)])
def test_equals_the_slow_reference(cell, reset_after, layers, T, B):
    rng = np.random.default_rng(1)
    model = make(cell, reset_after, layers)
    for _ in range(2):  # stale buffers hide in the first call
        ids, targets = rng.integers(V, size=(2, T, B))
        state = make_state(cell, layers, B, rng)
        slow = reference_network(
            dict(model.parameters), cell, reset_after, layers, ids, targets, as_parts(state)
        )
        logits, after = model.forward(ids, state)
        loss, gradients = model.backward(targets)
        np.testing.assert_allclose(logits, slow.logits, rtol=0, atol=1e-12)
        np.testing.assert_allclose(loss, slow.loss, rtol=1e-12)
        for fast_part, slow_part in zip(as_parts(after), slow.state, strict=True):
            np.testing.assert_allclose(fast_part, slow_part, rtol=0, atol=1e-12)
        assert gradients.keys() == model.parameters.keys()
        for name, gradient in gradients.items():
            expected = slow.gradients[plain_name(name)]
            np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-12)
        for name, part in zip(("h0", "c0"), as_parts(model.state_gradient), strict=False):
            np.testing.assert_allclose(part, slow.gradients[name], rtol=0, atol=1e-12)


@EVERY_CELL
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("T", [1, 4])
def test_gradients_are_exact(cell, reset_after, layers, T):
    rng = np.random.default_rng(2)
    model = make(cell, reset_after, layers)
    ids, targets = rng.integers(V, size=(2, T, 2))
    errors = gradient_check(model, ids, targets, make_state(cell, layers, 2, rng))
    assert set(errors) > set(model.parameters)
    assert max(errors.values()) < 1e-6, errors


@EVERY_CELL
def test_the_learned_initial_state_has_an_exact_gradient(cell, reset_after):
    rng = np.random.default_rng(3)
    model = make(cell, reset_after, 2, initial_state="learned")
    errors = gradient_check(model, *rng.integers(V, size=(2, 4, 2)))
    assert "h0" in errors and ("c0" in errors) == (cell == "lstm")
    assert max(errors.values()) < 1e-6, errors
    # A window that goes on from another one says nothing about the initial state.
    _, state = model.forward(rng.integers(V, size=(4, 2)))
    model.forward(rng.integers(V, size=(4, 2)), state)
    _, gradients = model.backward(rng.integers(V, size=(4, 2)))
    assert not gradients["h0"].any()


@EVERY_CELL
@pytest.mark.parametrize(("size", "B"), [(64, 16), (48, 16), (37, 16), (72, 60)])
def test_blocked_products_and_many_symbols_equal_the_reference(cell, reset_after, size, B):
    assert (size * B > FEW_UNITS) == (B == 60)
    rng = np.random.default_rng(4)
    model = CharRNN(200, size, cell, 2, reset_after, np.float64, rng)
    ids, targets = rng.integers(200, size=(2, 2, B))
    slow = reference_network(dict(model.parameters), cell, reset_after, 2, ids, targets)
    logits, _ = model.forward(ids)
    _, gradients = model.backward(targets)
    np.testing.assert_allclose(logits, slow.logits, rtol=0, atol=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, slow.gradients[plain_name(name)], rtol=0, atol=1e-12)


@EVERY_CELL
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), T=st.integers(2, 8), B=st.integers(1, 4))
def test_one_window_equals_two_halves(cell, reset_after, seed, T, B):
    rng = np.random.default_rng(seed)
    model = make(cell, reset_after, 2)
    ids = rng.integers(V, size=(T, B))
    cut = int(rng.integers(1, T))
    whole, end = model.forward(ids)
    first, state = model.forward(ids[:cut])
    second, end_of_two = model.forward(ids[cut:], state)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=0, atol=1e-12)
    for a, b in zip(as_parts(end), as_parts(end_of_two), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@EVERY_CELL
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), B=st.integers(2, 12))
def test_streams_do_not_see_each_other(cell, reset_after, seed, B):
    rng = np.random.default_rng(seed)
    model = make(cell, reset_after, 2)
    ids = rng.integers(V, size=(5, B))
    together, _ = model.forward(ids)
    b = int(rng.integers(B))
    alone, _ = model.forward(ids[:, b])
    np.testing.assert_allclose(together[:, b], alone[:, 0], rtol=0, atol=1e-12)
