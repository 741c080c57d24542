"""A model mixed with n-grams: weights that are best, fitted where nothing was learned or scored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn import Corpus
from char_rnn.analyse import mixture
from char_rnn.analyse.mixture import Mixture, best_weight, fitting_from
from char_rnn.analyse.ngrams import ngram_nats
from char_rnn.errors import UsageError

P = st.floats(1e-6, 1)


@given(st.lists(st.tuples(P, P), min_size=1, max_size=20))
def test_no_weight_is_better(pairs):
    p, q = np.array(pairs).T

    def loss(weight):
        return -np.mean(np.log(weight * p + (1 - weight) * q))

    best = best_weight(p, q)
    assert 0 <= best <= 1
    for other in np.linspace(0, 1, 41):
        assert loss(best) <= loss(other) + 1e-7


def test_of_a_perfect_one_and_a_bad_one_it_takes_the_perfect_one():
    good, bad = np.full(5, 0.9), np.full(5, 0.1)
    assert best_weight(good, bad) == pytest.approx(1, abs=1e-6)
    assert best_weight(bad, good) == pytest.approx(0, abs=1e-6)
    assert best_weight(np.array([0.9, 0.1]), np.array([0.1, 0.9])) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("start", "unseen", "expected"),
    [
        (20_000, 0, 18_000),  # a tenth
        (20_000, 19_000, 19_000),
        (20_000, 5_000, 18_000),
        (2_000_000, 0, 1_950_000),  # 50,000
    ],
)
def test_where_a_weight_is_fitted(start, unseen, expected):
    assert fitting_from(start, unseen) == expected


@pytest.mark.parametrize(("start", "unseen"), [(0, 0), (4_999, 0), (9_000, 8_501), (100, 9_000)])
def test_too_little_to_fit_one(start, unseen):
    with pytest.raises(UsageError, match="500 or more characters before"):
        fitting_from(start, unseen)


def text(length, rng):
    words = ["the ", "cat ", "sat ", "on ", "a ", "mat. ", "and ", "ran "]
    return "".join(rng.choice(words, length))


def test_what_learns_from_what():
    """What is scored has no part in the weight, and what fits the weight none in its n-grams."""
    rng = np.random.default_rng(0)
    corpus = Corpus.from_text(text(4_000, rng))
    start, V = corpus.length - 2_000, corpus.vocabulary.size
    found = Mixture(corpus, start, start - 700)
    assert (found.first, found.fitted, found.order) == (start - 700, 700, 8)

    ids = corpus.read(0, corpus.length)
    before = dict(ngram_nats(ids[: start - 699], ids[start - 699 : start + 1], V, 8))[8]
    scored = dict(ngram_nats(ids[: start + 1], ids[start + 1 :], V, 8))[8]
    ours = rng.random(700) * 3
    weight = found.weight(ours)
    assert weight == best_weight(np.exp(-ours), np.exp(-before)) and 0 < weight < 1
    ours = rng.random(1_999) * 3
    expected = -np.log(0.3 * np.exp(-ours) + 0.7 * np.exp(-scored))
    np.testing.assert_allclose(found.nats(0.3, ours), expected)


def test_orders_of_large_alphabets(monkeypatch):
    monkeypatch.setattr(mixture, "longest", lambda V: 6)
    corpus = Corpus.from_text(text(3_000, np.random.default_rng(0)))
    assert Mixture(corpus, 8_000).order == 6


def test_only_the_last_characters_teach(monkeypatch):
    rng = np.random.default_rng(0)
    corpus = Corpus.from_text(text(3_000, rng))
    start, nats = 8_000, rng.random(corpus.length - 8_001)
    whole = Mixture(corpus, start).nats(0.5, nats)
    monkeypatch.setattr(mixture, "MOST_TRAINING", 8_001)
    np.testing.assert_array_equal(Mixture(corpus, start).nats(0.5, nats), whole)
    monkeypatch.setattr(mixture, "MOST_TRAINING", 1_000)
    assert Mixture(corpus, start).nats(0.5, nats).mean() > whole.mean()
