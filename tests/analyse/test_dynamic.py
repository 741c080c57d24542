"""Dynamic evaluation learns, tells nothing in advance, and moves weights as its equations say."""

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, TrainConfig, Trainer
from char_rnn.analyse import dynamic
from char_rnn.analyse.dynamic import by_rms, dynamic_surprisals, mean_squares, plain
from char_rnn.errors import UsageError
from char_rnn.model.network import Network
from char_rnn.scoring import surprisals

TEXT = "she sells sea shells by the sea shore. " * 120


@pytest.fixture(scope="module")
def trained():
    corpus = Corpus.from_text(TEXT)
    rng = np.random.default_rng(0)
    model = CharRNN(corpus.vocabulary.size, 24, "gru", 2, vocabulary=corpus.vocabulary, rng=rng)
    config = TrainConfig(iterations=150, eval_every=0, sample_every=0, threads=1, batch_size=8)
    list(Trainer(model, corpus, config, rng))
    return model, corpus


@pytest.fixture(params=["plain", "rms"])
def update(request, trained):
    return plain() if request.param == "plain" else by_rms(mean_squares(*trained, 4000), 5e-3)


def test_it_learns_and_tells_nothing_in_advance(trained, update):
    model, _ = trained
    before = model.parameters.flat.copy()
    text = "hello hello hello " * 40
    other = Corpus.from_text(text.replace("hello", "shelly"), model.vocabulary)
    still = surprisals(model, other, 0, other.length, 1)
    told = []
    learned = dynamic_surprisals(model, other, 0, other.length, update, told.append)
    assert told[-1] == 1 and told == sorted(told)
    np.testing.assert_array_equal(model.parameters.flat, before)
    np.testing.assert_allclose(learned[:20], still[:20], atol=1e-5)
    assert learned[-200:].mean() < 0.8 * still[-200:].mean()
    # What comes later does not change what was said of what came before.
    ids = other.read(0, other.length)
    ids[101:] = ids[101:][::-1]
    changed = Corpus.from_text(model.vocabulary.decode(ids), model.vocabulary)
    again = dynamic_surprisals(model, changed, 0, changed.length, update)
    np.testing.assert_allclose(again[:100], learned[:100], atol=1e-6)
    assert not np.allclose(again[100:], learned[100:], atol=1e-2)


def test_the_steps():
    w, trained = np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 5.0])
    g = np.array([3.0, 0.0, 4.0])  # a norm of 5, that counts as 1
    plain(0.1, 0.5)(w, g, trained)
    np.testing.assert_allclose(w, [0.94 / 2, 2, (2.92 + 5) / 2])

    w = np.array([1.0, 2.0, 3.0])
    r = np.array([1.0, 0.0, 5.0])  # 2 on average
    by_rms(r * r, 0.1, 0.1)(w, g, trained)
    floor = 2 * dynamic.FLOOR
    first, last = 1 - 0.1 * 3 / (1 + floor), 3 - 0.1 * 4 / (5 + floor)
    np.testing.assert_allclose(w, [first * (1 - 0.1 / 2), 2, last + 0.1 * 5 / 2 * (5 - last)])


def test_it_never_goes_back_beyond_what_was_trained():
    w, trained = np.array([1.0, 1.0]), np.zeros(2)
    by_rms(np.array([0.0, 1.0]), 0, 3)(w, np.ones(2), trained)
    np.testing.assert_array_equal(w, [1, 0])


def test_squares_are_those_of_the_text_before(trained, monkeypatch):
    model, corpus = trained
    monkeypatch.setattr(dynamic, "WINDOWS_EACH", 2)
    monkeypatch.setattr(dynamic, "PASSAGES", 3)
    network, expected = Network(model.parameters), 0.0
    for first in (0, 480, 960):  # the last window ends with ids[1000]
        state = network.initial_state(1)
        for at in (first, first + 20):
            ids = corpus.read(at, at + 21).astype(np.intp)[:, None]
            network.forward(ids[:-1], state)
            state = network.state()
            network.backward(ids[1:])
            expected = expected + network.gradients.trained.astype(np.float64) ** 2 / 6
    np.testing.assert_allclose(mean_squares(model, corpus, 1001), expected, rtol=1e-4, atol=1e-12)


def test_too_little_before(trained):
    assert dynamic.passages_of(1001) == 1 and dynamic.passages_of(10**6) == 10
    with pytest.raises(UsageError, match=r"1,001 or more .* there are 1,000"):
        mean_squares(*trained, 1000)
