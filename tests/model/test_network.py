"""The public model: shapes, live parameters, errors, and the loss at extreme logits."""

import itertools

import numpy as np
import pytest

from char_rnn import CharRNN, Vocabulary, cross_entropy
from char_rnn.config import INITS, ModelConfig
from char_rnn.errors import UsageError
from char_rnn.model import layer, memory, network
from char_rnn.model.loss import cross_entropy_gradient_, nats_
from char_rnn.tables import CELLS


def test_shapes_and_the_bare_window():
    model = CharRNN(9, 4, "lstm", 2, rng=np.random.default_rng(0))
    logits, (h, c) = model.forward(np.arange(6))
    assert logits.shape == (6, 1, 9) and h.shape == c.shape == (2, 1, 4)
    assert logits.dtype == np.float32
    loss, gradients = model.backward(np.arange(6))
    assert isinstance(loss, float)
    assert {n: g.shape for n, g in gradients.items()} == {
        n: p.shape for n, p in model.parameters.items()
    }


def test_results_belong_to_the_caller():
    model = CharRNN(9, 4, rng=np.random.default_rng(0))
    logits, state = model.forward([1, 2])
    _, gradients = model.backward([2, 3])
    kept = [logits.copy(), state.copy(), gradients["out.weight"].copy()]
    model.forward([5, 6])
    model.backward([7, 8])
    for now, before in zip([logits, state, gradients["out.weight"]], kept, strict=True):
        np.testing.assert_array_equal(now, before)


def test_parameters_are_live():
    model = CharRNN(5, 3, rng=np.random.default_rng(0))
    before, _ = model.forward([0, 1, 2])
    model.parameters["rnn.weight_hh_l0"][:] *= 2
    model.W_xh[:] += 1
    after, _ = model.forward([0, 1, 2])
    assert not np.allclose(before, after)


def test_held_weights_are_taken_once_and_anew_afterwards():
    model = CharRNN(5, 3, rng=np.random.default_rng(0))
    net = network.Network(model.parameters)
    ids, state = np.array([[0], [1], [2]]), net.initial_state(1)

    def logits():
        return net.forward(ids, state).copy()

    for _ in range(2):
        model.parameters["rnn.weight_hh_l0"][:] *= -0.7
        with net.weights_held():  # a second sweep does not go on with the weights of the first
            before = logits()
            fresh = network.Network(model.parameters).forward(ids, state)
            np.testing.assert_array_equal(before, fresh)
            model.parameters["rnn.weight_hh_l0"][:] *= 2
            np.testing.assert_array_equal(logits(), before)
        after = logits()
        assert not np.allclose(before, after)
        model.parameters["rnn.weight_hh_l0"][:] *= 2
        assert not np.allclose(logits(), after)
        with pytest.raises(ZeroDivisionError), net.weights_held():
            raise ZeroDivisionError


def test_the_exercise_network_has_the_parameters_of_its_shapes():
    model = CharRNN(65, 256)
    assert model.outline == "CharRNN(input=65, hidden=256, output=65)"
    assert model.num_parameters == 99_137
    shapes = [p.shape for p in (model.W_xh, model.W_hh, model.W_hy, model.b_h, model.b_y)]
    assert shapes == [(256, 65), (256, 256), (65, 256), (256, 1), (65, 1)]
    with pytest.raises(AttributeError, match="one-layer rnn"):
        _ = CharRNN(5, 4, "lstm").W_xh


@pytest.mark.parametrize("init", INITS)
def test_initialisation_by_name(init):
    model = CharRNN(50, 64, "lstm", 2, init=init, rng=np.random.default_rng(0))
    same = CharRNN(50, 64, "lstm", 2, init=init, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(model.parameters.flat, same.parameters.flat)
    w = model.parameters["rnn.weight_hh_l1"][:64].astype(np.float64)
    if init == "orthogonal":
        np.testing.assert_allclose(w @ w.T, np.eye(64), atol=1e-5)
    elif init == "uniform":
        assert 0.11 < np.abs(w).max() <= 1 / 8
    else:
        assert 0.009 < w.std() < 0.011
    assert (model.parameters["rnn.bias_ih_l0"][64:128] == 1).all()
    assert not model.parameters["rnn.bias_hh_l0"].any()


def test_loss_at_extreme_logits():
    logits = np.array([[1e4, -1e4, 0.0], [0.0, 0.0, 0.0]]).T  # (V, N)
    targets = np.array([1, 2])
    losses, total = nats_(logits, targets)
    np.testing.assert_allclose(losses, [2e4, np.log(3)])
    cross_entropy_gradient_(logits, total, targets, 2)
    np.testing.assert_allclose(logits[:, 0], [0.5, -0.5, 0], atol=1e-12)
    np.testing.assert_allclose(logits[:, 1], [1 / 6, 1 / 6, -1 / 3], atol=1e-12)


@pytest.mark.parametrize(("V", "N"), [(1, 3), (65, 1600), (8000, 40), (3, 70_000)])
def test_pieces_of_the_logits_give_the_bits_of_the_whole(V, N):
    logits = 9 * np.random.default_rng(0).standard_normal((V, N), np.float32)
    targets = np.arange(N) % V
    y = logits - logits.max(axis=0)
    exps = np.exp(y)
    losses, total = nats_(logits, targets)
    np.testing.assert_array_equal(logits, exps)
    np.testing.assert_array_equal(total, exps.sum(axis=0))
    np.testing.assert_array_equal(losses, np.log(total) - y[targets, np.arange(N)])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_logit_that_is_no_number_is_not_overlooked(bad):
    logits = np.zeros((3, 2))
    logits[1, 0] = bad
    with np.errstate(invalid="ignore"):
        losses, _ = nats_(logits, np.array([0, 0]))
    assert not np.isfinite(losses[0]) and losses[1] == np.log(3)


@pytest.mark.parametrize(("tied", "layer_norm"), [(False, False), (True, False), (True, True)])
def test_gradients_of_a_large_vocabulary_against_differences(tied, layer_norm):
    V, H = 8000, 6
    model = CharRNN(
        V, H, "gru", dtype="float64", tied=tied, layer_norm=layer_norm, rng=np.random.default_rng(0)
    )
    inputs, targets = np.array([[7, 7999], [7, 0], [4000, 7]]), np.array([[7, 1], [2, 7], [0, 3]])

    def loss():
        return cross_entropy(model.forward(inputs)[0], targets)[0]

    model.forward(inputs)
    _, gradients = model.backward(targets)
    there = [0, 7, 4000, 7999]
    for name, array in model.parameters.items():
        flat, slopes = array.reshape(-1), gradients[name].reshape(-1)
        columns = name.startswith("rnn.weight_ih") and not tied
        places = [5 * V + k for k in there] if columns else [0, len(flat) // 2, len(flat) - 1]
        for place in places:
            kept = flat[place]
            flat[place] = kept + 1e-5
            above = loss()
            flat[place] = kept - 1e-5
            difference = (above - loss()) / 2e-5
            flat[place] = kept
            assert slopes[place] == pytest.approx(difference, rel=1e-4, abs=1e-8), name
        if columns:
            assert not np.delete(gradients[name], there, axis=1).any()


@pytest.mark.parametrize("inputs", [[], [[[1]]], [0.5], [-1], [9], ["a"]])
def test_wrong_inputs_are_told(inputs):
    with pytest.raises(UsageError):
        CharRNN(9, 4).forward(inputs)


def test_wrong_order_and_shapes_are_told():
    model = CharRNN(9, 4, "lstm")
    with pytest.raises(UsageError, match="forward"):
        model.forward([1])
        model.backward([1])
        model.backward([1])
    model.forward([1, 2])
    with pytest.raises(UsageError, match="shape"):
        model.backward([1, 2, 3])
    with pytest.raises(UsageError, match="state"):
        model.forward([1], np.zeros((1, 1, 4)))
    for wrong in ({"cell": "lstn"}, {"layers": 0}, {"reset_after": True}, {"init": "zero"}):
        with pytest.raises(UsageError):
            CharRNN(9, 4, **wrong)
    with pytest.raises(UsageError, match="vocabulary"):
        model.sample("a", 3)


@pytest.mark.parametrize("cell", CELLS)
def test_a_gru_is_the_exercises_unless_something_is_said(cell):
    assert ModelConfig(5, cell=cell).to_dict()["reset_after"] is False
    # As files say it, all of which say it.
    said = {"vocab_size": 5, "cell": cell, "reset_after": cell == "gru"}
    assert ModelConfig.from_dict(said).to_dict()["reset_after"] is (cell == "gru")
    assert CharRNN(5, 4, cell).config == ModelConfig(5, 4, cell)


def test_each_seed_character_is_seen_once():
    model = CharRNN(3, 8, "gru", vocabulary=Vocabulary("abc"), rng=np.random.default_rng(1))
    model.parameters.flat[:] += np.random.default_rng(2).standard_normal(model.parameters.flat.size)
    logits, _ = model.forward(model.vocabulary.encode("abca"))
    greedy = model.sample("abca", 1, temperature=0)
    assert greedy == "abca" + model.vocabulary.chars[int(logits[-1, 0].argmax())]


def test_sampling_is_reproducible_and_follows_the_distribution():
    model = CharRNN(3, 4, vocabulary=Vocabulary("abc"), rng=np.random.default_rng(1))
    rngs = [np.random.default_rng(5) for _ in range(2)]
    assert model.sample("a", 50, 1.0, rngs[0]) == model.sample("a", 50, 1.0, rngs[1])
    for temperature in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError):
            model.sample("a", 5, temperature)
    for temperature in (1e-6, 1e6):
        assert len(model.sample("a", 20, temperature)) == 21


def test_a_refused_forward_leaves_the_one_before_to_go_back_from():
    model = CharRNN(4, 3, initial_state="learned", rng=np.random.default_rng(0))
    model.forward([0, 1])
    with pytest.raises(UsageError):
        model.forward([0, 1], np.zeros((1, 1, 4)))
    _, gradients = model.backward([1, 2])
    assert gradients["h0"].any()


@pytest.mark.parametrize("calls", [1, 2, 5, 12, 20])
def test_want_of_memory_in_a_window_is_not_remembered(calls, monkeypatch):
    model = CharRNN(4, 3, "gru", layers=2, rng=np.random.default_rng(0))
    model.forward([0, 1])
    made = itertools.count(1)

    def aligned(*arguments):
        if next(made) == calls:
            raise MemoryError
        return memory.aligned(*arguments)

    for room in (network, layer):
        monkeypatch.setattr(room, "aligned", aligned)
    with pytest.raises(MemoryError):
        model.forward([0, 1, 2])
    logits, _ = model.forward([0, 1, 2])
    assert np.array_equal(logits, model.copy().forward([0, 1, 2])[0])
