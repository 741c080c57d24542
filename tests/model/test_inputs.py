"""The gradient of the input's weights, against the one-hot product that it replaces."""

import numpy as np
import pytest

from char_rnn.model.inputs import FEW_ROWS, CharacterInput


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
