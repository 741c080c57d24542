"""Layer normalisation and tied weights: equal to plain formulas, with exact gradients."""

import numpy as np
import pytest
from reference import CELLS

from char_rnn import CharRNN
from char_rnn.analyse import gradient_check

V, H = 7, 6
WAYS = [{"layer_norm": True}, {"tied": True}, {"layer_norm": True, "tied": True}]


def make(cell, reset_after=False, layers=1, **settings):
    rng = np.random.default_rng(0)
    model = CharRNN(V, H, cell, layers, reset_after, np.float64, rng, **settings)
    for parameter in model.parameters.values():
        parameter += 0.3 * rng.standard_normal(parameter.shape)
    return model


@pytest.mark.parametrize("ways", WAYS)
@pytest.mark.parametrize(("cell", "reset_after"), list(CELLS))
@pytest.mark.parametrize(("layers", "T", "B"), [(1, 1, 1), (1, 4, 2), (2, 4, 2), (2, 3, 9)])
def test_gradients_are_exact(cell, reset_after, layers, T, B, ways):
    model = make(cell, reset_after, layers, initial_state="learned", **ways)
    rng = np.random.default_rng(1)
    ids, targets = rng.integers(V, size=(2, T, B))
    model.forward(ids)  # stale memory hides in the first call
    model.backward(targets)
    for state in (None, tuple(rng.normal(size=(2, layers, B, H)))):
        if state is not None and cell != "lstm":
            state = state[0]
        errors = gradient_check(model, ids, targets, state, samples=8)
        assert max(errors.values()) < 1e-6, errors


def normal(x, gain):
    return gain * (x - x.mean()) / np.sqrt(x.var() + 1e-5)


def plain(model, ids):
    """The LSTM with normalised gates, as its equations read."""
    p, config = dict(model.parameters), model.config
    p |= {name[4 : name.index("_l0")]: p[name] for name in p if name.startswith("rnn.")}
    h, c = np.zeros(H), np.zeros(H)
    logits = []
    for idx in ids:
        x = p["out.weight"][idx] if config.tied else np.eye(V)[idx]
        wx, uh = p["weight_ih"] @ x, p["weight_hh"] @ h
        z = p["bias_ih"] + p["bias_hh"]
        gates = []
        for g in range(4):
            rows = slice(g * H, (g + 1) * H)
            one, other = wx[rows], uh[rows]
            if config.layer_norm:
                one = normal(one, p["norm_ih"][rows])
                other = normal(other, p["norm_hh"][rows])
            gates.append(z[rows] + one + other)
        i, f, o = (1 / (1 + np.exp(-gates[k])) for k in (0, 1, 3))
        c = f * c + i * np.tanh(gates[2])
        h = o * np.tanh(c)
        logits.append(p["out.weight"] @ h + p["out.bias"])
    return np.array(logits)


@pytest.mark.parametrize("ways", WAYS)
def test_equals_the_equations(ways):
    model = make("lstm", **ways)
    ids = np.random.default_rng(2).integers(V, size=9)
    np.testing.assert_allclose(model.forward(ids)[0][:, 0], plain(model, ids), atol=1e-9)


@pytest.mark.parametrize("ways", WAYS)
def test_single_steps_and_files(tmp_path, ways):
    model = make("gru", layers=2, **ways)
    model.save(tmp_path / "a.safetensors")
    again = CharRNN.load(tmp_path / "a.safetensors")
    assert again.config == model.config
    ids = np.random.default_rng(3).integers(V, size=8)
    whole, state = model.forward(ids)[0], None
    for idx, expected in zip(ids, whole, strict=True):
        logits, state = again.forward([idx], state)
        np.testing.assert_allclose(logits[0], expected, atol=1e-12)


def test_tied_models_have_fewer_numbers():
    loose, tied = (make("gru", tied=t) for t in (False, True))
    assert tied.parameters["rnn.weight_ih_l0_reset_before_tied"].shape == (3 * H, H)
    assert loose.parameters["rnn.weight_ih_l0_reset_before"].shape == (3 * H, V)


def test_gains_start_at_one():
    model = CharRNN(V, H, "lstm", 2, layer_norm=True)
    for k in range(2):
        assert (model.parameters[f"rnn.norm_ih_l{k}_layer_norm"] == 1).all()
        assert (model.parameters[f"rnn.norm_hh_l{k}_layer_norm"] == 1).all()
