"""The gradient of the input's weights, against the one-hot product that it replaces."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from char_rnn.model.inputs import FEW_ROWS, CharacterInput, TiedInput
from char_rnn.model.norm import Norm


@pytest.mark.parametrize("rows", [1, 7, FEW_ROWS, FEW_ROWS + 1, 3 * FEW_ROWS])
@pytest.mark.parametrize("V", [1, 9, 2000])
def test_sums_of_rows_equal_a_one_hot_product(rows, V):
    G, H = 3, 5
    rng = np.random.default_rng(0)
    gradient = np.full((G * H, V), np.nan)
    made = CharacterInput(rng.standard_normal((G * H, V)), gradient, np.ones((G, 1, 1)), V, None)
    made.prepare(np.zeros(G * H))
    ids = rng.integers(V, size=(rows, 1))
    d_gates = np.empty((G, rows, H))
    made.forward(ids, d_gates)
    d_gates[:] = rng.standard_normal(d_gates.shape)
    made.backward(d_gates)
    one_hot = np.eye(V)[ids[:, 0]]
    expected = np.concatenate([dz.T @ one_hot for dz in d_gates])
    np.testing.assert_allclose(gradient, expected, atol=1e-12)


def both(kind, normed, x, V):
    """Return gates and gradients of a window, with a table of all symbols and one of its own."""
    G, H = 3, 5
    found = []
    for own in (False, True):
        rng = np.random.default_rng(0)
        weight, vectors = rng.standard_normal((G * H, V if kind == "looked up" else H)), None
        d_weight, d_gain = np.full(weight.shape, np.nan), np.zeros((G, H))
        norm = Norm(rng.standard_normal((G, H)), d_gain) if normed else None
        scale, d_vectors = np.array([0.5, 0.5, 1]).reshape(G, 1, 1), np.ones((V, H))
        if kind == "tied":
            vectors = rng.standard_normal((V, H))
            made = TiedInput(weight, d_weight, scale, norm, vectors, d_vectors)
        else:
            made = CharacterInput(weight, d_weight, scale, V, norm)
        made.prepare(rng.standard_normal(G * H), x if own else None)
        gates = np.empty((G, x.size, H))
        made.forward(x, gates)
        made.backward(rng.standard_normal(gates.shape))
        found.append((gates, d_weight, d_gain, d_vectors))
    return found


LARGE = 120


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.int64, array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.integers(0, LARGE)
    ),
    st.sampled_from(["looked up", "tied"]),
    st.booleans(),
)
def test_the_symbols_of_a_window_do_for_it(x, kind, normed):
    """x: (T, B), with the index past the last symbol, which stands for none."""
    (gates, *gradients), (own_gates, *own_gradients) = both(kind, normed, x, LARGE)
    if kind == "looked up":
        np.testing.assert_array_equal(own_gates, gates)
        np.testing.assert_array_equal(own_gradients[0], gradients[0])
    np.testing.assert_allclose(own_gates, gates, atol=1e-12)
    for own, other in zip(own_gradients, gradients, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-11)


def test_a_window_smaller_than_the_vocabulary_makes_no_table_of_all():
    weight = np.zeros((3 * 8, 5000))
    made = CharacterInput(weight, np.empty_like(weight), np.ones((3, 1, 1)), 5000, None)
    x = np.arange(40).reshape(10, 4)
    made.prepare(np.zeros(24), x)
    made.forward(x, np.empty((3, 40, 8)))
    assert made._memory.size == 3 * 40 * 8
