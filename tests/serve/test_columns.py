"""What a column of a block comes to depends on nothing but what it reads: the root of `seed`."""

import numpy as np
import pytest

from char_rnn import CharRNN
from char_rnn.model.stepper import Stepper
from char_rnn.model.weights import Weights
from char_rnn.serve.columns import Columns, Pool
from char_rnn.serve.engine import FOURS


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize(("V", "H"), [(65, 50), (37, 128), (257, 33)])
def test_a_column_depends_on_no_other(V, H, cell, layer_norm):
    rng = np.random.default_rng(0)
    model = CharRNN(V, H, cell=cell, layers=2, rng=rng, layer_norm=layer_norm)
    mine, weights = rng.integers(V, size=12), Weights(model.parameters)

    def run(B, column):
        others = rng.integers(V, size=(len(mine), B))
        others[:, column] = mine
        stepper = Stepper(weights, B, FOURS)
        stepper.begin(stepper.initial_state())
        seen = []
        for n, ids in enumerate(others):
            if n == 6:  # moved to another stepper, as who joins and leaves is
                state = stepper.state()
                stepper = Stepper(weights, B, FOURS)
                stepper.begin(state)
            seen.append(stepper.step(ids)[column].copy())
        return np.array(seen)

    first = run(FOURS, 0)
    for B in (FOURS, 3 * FOURS):
        for column in range(B):
            assert np.array_equal(run(B, column), first)


class Member:
    def __init__(self, state):
        self.state = state


def test_members_come_and_go():
    rng = np.random.default_rng(0)
    model = CharRNN(9, 16, cell="lstm", layers=2, rng=rng, dtype="float64")
    columns = Columns(Pool(model.parameters), (1, 4, 8))
    alone = {}
    for _ in range(60):
        if len(columns) < 8 and rng.random() < 0.3:
            stepper = Stepper(model.parameters, 1)
            state = 0.1 * rng.standard_normal(stepper.initial_state().shape)
            stepper.begin(state)
            member = Member(state[:, :, 0])
            alone[member] = stepper
            columns.join(member)
        if not columns.settle():
            continue
        assert len(columns.rows) in (1, 4, 8)
        columns.ids[:] = rng.integers(9, size=len(columns.ids))
        ids = columns.ids.copy()
        columns.step()
        for row, member in enumerate(columns.rows):
            if member is not None:
                expected = alone[member].step(ids[row : row + 1])[0]
                np.testing.assert_allclose(columns.logits[row], expected, atol=1e-12)
                if rng.random() < 0.1:
                    np.testing.assert_allclose(
                        columns.state(row), alone[member].state()[:, :, 0], atol=1e-12
                    )
                    columns.leave(row)
