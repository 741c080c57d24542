"""Optimisers, clipping and threads, each against its definition."""

import numpy as np
import pytest

from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.errors import NonFiniteGradient, UsageError
from char_rnn.model.initialisation import initialise_
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters
from char_rnn.tables import OPTIMIZERS, find
from char_rnn.training.clipping import clip_by_norm, clip_by_value
from char_rnn.training.optimisers import SGD, Adagrad, Adam, AdamW, RMSProp, make_optimizer
from char_rnn.training.parallel import Workers


def by_definition(name, w, gradients, rate):
    """The update rules one element at a time, as their papers write them."""
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        if name == "sgd":
            v = 0.9 * v + g
            w -= rate * v
        elif name == "adagrad":
            v += g * g
            w -= rate * g / (v**0.5 + 1e-8)
        elif name == "rmsprop":
            v = 0.95 * v + 0.05 * g * g
            w -= rate * g / (v**0.5 + 1e-8)
        elif name in ("adam", "adamw"):
            if name == "adamw":
                w *= 1 - rate * 0.01
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            w -= rate * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)
        else:
            raise AssertionError(f"spell out the rule of {name} here")
    return w


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimisers_follow_their_papers(name):
    parameters = Parameters(ModelConfig(3, 4, dtype="float64"))
    optimizer = make_optimizer(TrainConfig(optimizer=name))
    rng = np.random.default_rng(0)
    w, mean = parameters.trained, parameters.like()
    w[:] = rng.standard_normal(w.size)
    gradients = rng.standard_normal((6, w.size))
    first, last_bias = w[0], w[-1]
    for g in gradients:
        mean.trained[:] = g
        optimizer.step(parameters, mean, 0.01)
    assert w[0] == pytest.approx(by_definition(name, first, gradients[:, 0], 0.01), rel=1e-12)
    bias_rule = "adam" if name == "adamw" else name  # biases do not decay
    assert w[-1] == pytest.approx(
        by_definition(bias_rule, last_bias, gradients[:, -1], 0.01), rel=1e-12
    )
    assert not parameters["rnn.bias_hh_l0"].any()


def test_settings_reach_the_constants_that_have_them():
    config = TrainConfig(optimizer="sgd", momentum=0.5)
    assert make_optimizer(config) == SGD(momentum=0.5)
    config = TrainConfig(optimizer="adamw", weight_decay=0.3)
    assert make_optimizer(config) == AdamW(weight_decay=0.3)
    assert make_optimizer(config, Adam) == Adam(weight_decay=0.0)
    own = RMSProp(0.9)
    assert make_optimizer(config, own) is own
    for odd in ("adam", 3, lambda w: w, dict):
        with pytest.raises(UsageError, match="must be a class derived from"):
            make_optimizer(config, odd)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_can_decay_the_matrices(name):
    parameters = Parameters(ModelConfig(3, 4))
    parameters.flat[:] = 1
    optimizer = find(OPTIMIZERS, "optimizer", name)(weight_decay=0.5)
    optimizer.step(parameters, parameters.like(), 0.1)
    assert (parameters.matrices == np.float32(0.95)).all()
    assert (parameters.flat[parameters.matrices.size :] == 1).all()
    assert optimizer.steps == 1 and "weight_decay=0.5" in optimizer.described


def test_constants_are_fields():
    parameters = Parameters(ModelConfig(3, 4, dtype="float64"))
    gradients = parameters.like()
    gradients.trained[:] = 2
    Adagrad(epsilon=2.0).step(parameters, gradients, 0.1)
    assert parameters.trained == pytest.approx(-0.1 * 2 / (2 + 2))
    parameters.flat[:] = 0
    optimizer = Adam(beta1=0.0, beta2=0.0, epsilon=2.0)
    optimizer.step(parameters, gradients, 0.1)
    assert parameters.trained == pytest.approx(-0.1 * 2 / (2 + 2))
    optimizer.begin(parameters)
    assert optimizer.steps == 0 and not any(slot.any() for slot in optimizer.slots.values())


def gradients_of(*values, dtype="float64"):
    gradients = Parameters(ModelConfig(1, 1, dtype=dtype))
    gradients.trained[: len(values)] = values
    return gradients


def test_clipping():
    g = gradients_of(3, 4)
    assert clip_by_norm(g, 10) == 5 and g.trained[:2].tolist() == [3, 4]
    assert clip_by_norm(g, 1) == 5
    np.testing.assert_allclose(g.trained[:2], [0.6, 0.8])
    g = gradients_of(3, -4)
    assert clip_by_value(g, 3.5) == 5 and g.trained[:2].tolist() == [3, -3.5]
    for bad in (np.nan, np.inf):
        g = gradients_of(1, bad)
        for clip in (clip_by_norm, clip_by_value):
            with pytest.raises(NonFiniteGradient):
                clip(g, 1)
        assert g.trained[0] == 1


@pytest.mark.filterwarnings("ignore:overflow")
def test_clipping_when_squares_overflow():
    g = gradients_of(1e30, 1e30, 1e30, 1e30, dtype="float32")
    assert clip_by_norm(g, 1) == pytest.approx(2e30)
    np.testing.assert_allclose(g.trained[:4], 0.5, rtol=1e-6)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_workers_compute_what_one_network_does(cell):
    config = ModelConfig(9, 8, cell, 2, initial_state="learned", dtype="float64")
    parameters = Parameters(config)
    rng = np.random.default_rng(0)
    initialise_(parameters, rng)
    ids, targets = rng.integers(9, size=(2, 5, 7))
    whole = Network(parameters)
    state = whole.initial_state(7)
    whole.forward(ids, state)
    loss = whole.backward(targets, began=np.ones(7, bool)) / ids.size
    with Workers(parameters, 3, 5, 7) as workers:
        sliced, after = workers.step(ids, targets, state, np.ones(7, bool))
        assert sliced == pytest.approx(loss, rel=1e-12)
        np.testing.assert_allclose(after, whole.state(), atol=1e-12)
        np.testing.assert_allclose(workers.gradients.flat, whole.gradients.flat, atol=1e-12)
