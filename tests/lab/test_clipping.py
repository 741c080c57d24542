"""Clipping: without it every run diverges where with it none does, and the bare loop itself."""

import math

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, cross_entropy, lab
from char_rnn.lab.loop import LOST, ends_of_ten, of_ten, steps
from char_rnn.training.optimisers import SGD


def test_five_of_five_diverge_without_and_none_of_five_with():
    sizes = {"iterations": 150, "rates": (1.75,), "limits": (math.inf, 1.0)}
    found = lab.run("clipping", seeds=5, processes=1, **sizes)
    rate = found.numbers["rates"]["1.75"]
    # Guessing costs 4.61; 12 seeds end without at 6.5 to 31.9, with a limit of 1 at 2.8 to 3.5.
    assert rate["none"]["diverged"] == 5
    assert rate["1"]["diverged"] == 0
    assert min(rate["none"]["end"]) > found.numbers["guessing"] > max(rate["1"]["end"])
    assert found.numbers["guessing"] == pytest.approx(4.6, abs=0.1)
    # The usual step passes: 17 to 58 % of these first ones were clipped, and none without a limit.
    assert 0.05 < np.median(rate["1"]["clipped"]) < 0.8
    assert rate["none"]["clipped"] == [0] * 5
    assert "diverged, by the limit: 5 (none), 0 (1)." in found.found


@pytest.fixture
def corpus():
    return Corpus.from_text("the cat sat on the mat. " * 100)


def taken(corpus, limit, rate=0.5, optimizer=None, iterations=25):
    model = CharRNN(corpus.vocabulary.size, 8, "rnn", rng=np.random.default_rng(0))
    before = model.parameters.flat.copy()
    sgd = SGD(momentum=0.0) if optimizer is None else optimizer
    found = list(steps(model, corpus, sgd, rate, iterations, 0, limit, batch_size=2, seq_length=10))
    return model, before, found


def test_a_step_is_as_long_as_the_limit_lets_it(corpus):
    for limit, most in ((math.inf, math.inf), (0.05, 0.05)):
        model, before, (step,) = taken(corpus, limit, iterations=1)
        length = np.linalg.norm(model.parameters.flat - before)
        assert length == pytest.approx(0.5 * min(step.norm, most), rel=1e-4)
        assert step.norm > 0.05


def test_the_loop_learns_and_a_step_that_is_not_finite_ends_it(corpus):
    losses = [step.loss for step in taken(corpus, 1.0, iterations=60)[2]]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.5

    class Spoiler(SGD):
        """Makes the weights too large to go on with, at its third step."""

        def update(self, w, g, slots, rate):
            if self.steps == 3:
                w[:] = np.float32(3e38)

    found = taken(corpus, math.inf, optimizer=Spoiler())[2]
    assert len(found) == 25
    assert [step.loss == LOST for step in found] == [False] * 3 + [True] * 22


def test_steps_are_told_in_tens():
    assert of_ten(max, list(range(25))) == [9, 19, 24]
    assert ends_of_ten(25) == [10, 20, 25]


def test_the_state_is_carried_from_window_to_window(corpus):
    model, _, found = taken(corpus, math.inf, rate=1e-30, iterations=2)
    part = corpus.parts(0.1).train_stop
    streams = corpus.streams(part, 2, 10, 0, np.random.default_rng(0))
    windows = [streams.next() for _ in range(2)]
    logits, _ = model.forward(np.concatenate([window.inputs for window in windows]))
    for k, (window, step) in enumerate(zip(windows, found, strict=True)):
        loss, _ = cross_entropy(logits[10 * k : 10 * k + 10], window.targets)
        assert step.loss == pytest.approx(loss, rel=1e-6)
