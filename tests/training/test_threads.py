"""Optimisers on threads: the bits are those of one, and no thread stays."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, ModelConfig, TrainConfig, Trainer
from char_rnn.model.parameters import Parameters
from char_rnn.tables import OPTIMIZERS, find
from char_rnn.training import optimisers
from char_rnn.training.optimisers import Adam


def threads():
    return [t for t in threading.enumerate() if t.name.startswith("optimizer")]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(optimisers, "PIECE", 70)
    monkeypatch.setattr(optimisers, "WIDE_PIECE", 100)
    monkeypatch.setattr(optimisers, "MANY", 200)


def stepped(optimizer, count, seen=None):
    """Return weights and slots after three steps on `count` threads."""
    rng = np.random.default_rng(0)
    parameters = Parameters(ModelConfig(11, 13, "lstm"))
    gradients = parameters.like()
    parameters.flat[:] = rng.normal(size=parameters.flat.size)
    with optimizer.on_threads(count):
        for _ in range(3):
            gradients.flat[:] = rng.normal(size=gradients.flat.size)
            optimizer.step(parameters, gradients, 0.01)
        if seen is not None:
            seen += threads()
    assert not threads()
    return [parameters.flat, *optimizer.slots.values()]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_any_number_of_threads_gives_the_same_bits(name):
    kind = find(OPTIMIZERS, "optimizer", name)
    one = stepped(kind(weight_decay=0.1), 1)
    for count in (2, 3, 50):
        seen = []
        for before, now in zip(one, stepped(kind(weight_decay=0.1), count, seen), strict=True):
            np.testing.assert_array_equal(before, now)
        assert seen


def test_what_a_thread_raises_is_raised(monkeypatch):
    main = threading.current_thread()

    def fails(self, w, g, slots, rate):
        if threading.current_thread() is not main:
            raise ValueError("in a thread")

    monkeypatch.setattr(Adam, "update", fails)
    with pytest.raises(ValueError, match="in a thread"):
        stepped(Adam(), 2)
    assert not threads()


@dataclass
class Counting(Adam):
    """A rule that keeps something in itself."""

    def update(self, w, g, slots, rate):
        self.calls = getattr(self, "calls", 0) + 1
        assert threading.current_thread() is threading.main_thread()
        super().update(w, g, slots, rate)


def test_own_rules_stay_on_one_thread():
    own = Counting()
    one = stepped(own, 3)
    np.testing.assert_array_equal(one[0], stepped(Adam(), 1)[0])
    assert own.calls == 3 * -(-Parameters(ModelConfig(11, 13, "lstm")).trained.size // 70)


@pytest.mark.parametrize("stops_early", [False, True])
def test_a_run_leaves_no_threads(monkeypatch, stops_early):
    corpus = Corpus.from_text("the quick brown fox jumps over the lazy dog. " * 20)
    settings = TrainConfig(
        batch_size=4, seq_length=8, iterations=6, average=0.9, clip=0.1, sample_every=0,
        eval_every=0, threads=2,
    )  # fmt: skip

    def trained(count):
        model = CharRNN(corpus.vocabulary.size, 16, "gru", rng=np.random.default_rng(0))
        trainer = Trainer(model, corpus, settings)
        # The slices of the batch stay one, whose bits their number does change.
        own = trainer.learner.optimizer.on_threads
        monkeypatch.setattr(trainer.learner.optimizer, "on_threads", lambda _: own(count))
        trainer.threads = 1
        events, most = iter(trainer), 0
        for event in events:
            most = max(most, len(threads()))
            if stops_early and event.iteration == 3:
                events.close()
                break
        assert not threads()
        return most, [trainer.model.parameters.flat, trainer.averaged.parameters.flat]

    none, one = trained(1)
    some, two = trained(3)
    assert none == 0 and some > 0
    for before, now in zip(one, two, strict=True):
        np.testing.assert_array_equal(before, now)
