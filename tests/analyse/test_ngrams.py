"""n-grams against the slow way to count them, and against what probabilities must be."""

import math

import numpy as np
import pytest
import reference_ngrams
from hypothesis import given, settings
from hypothesis import strategies as st
from traced import traced

from char_rnn.analyse import ngrams, packing
from char_rnn.analyse.ngrams import ngram_nats
from char_rnn.errors import UsageError


def nats_of(train, test, V, order):
    return dict(ngram_nats(train, test, V, order))


def text_of(V, length, rng):
    """Return ids of which some are frequent, with passages that come again."""
    ids = np.minimum(rng.geometric(min(0.4, 8 / V), length) - 1, V - 1)
    for at in rng.integers(length - 12, size=length // 30):
        ids[at : at + 12] = ids[:12]
    return ids.astype(np.min_scalar_type(V - 1))


def check(train, test, V):
    """For windows of six symbols, and of eight where these fit."""
    expected = reference_ngrams.ngram_nats(train, test, V, 8)
    for order in {6, packing.longest(V)}:
        for n, nats in ngram_nats(train, test, V, order):
            np.testing.assert_allclose(nats, expected[n], rtol=0, atol=1e-12)


# From 1,024 symbols on, three have too many bits, from 128 on four, and ranks stand for them;
# from 32,768 on the ranks of four cannot be had.
@pytest.mark.parametrize(
    "V", [1, 2, 15, 127, 128, 255, 256, 1023, 1024, 1500, 32_767, 32_768, 70_000, 1_114_111]
)
@pytest.mark.parametrize("block", [50, 1 << 18])
def test_they_are_those_of_the_slow_way(V, block, monkeypatch):
    monkeypatch.setattr(ngrams, "BLOCK", block)
    monkeypatch.setattr(packing, "_BLOCK", block)
    ids = text_of(V, 3_000, np.random.default_rng(V))
    ids[[5, 2_500]] = V - 1
    check(ids[:2_400], ids[2_400:], V)


@given(st.integers(0, 12), st.integers(1, 9), st.sampled_from([1, 2, 3, 2000]), st.integers(0, 99))
@settings(max_examples=150)
def test_short_texts(N, M, V, seed):
    ids = np.random.default_rng(seed).integers(V, size=N + M)
    check(ids[:N], ids[N:], V)


@pytest.mark.parametrize("order", range(1, 9))
def test_ngram_probabilities_sum_to_one(order):
    rng = np.random.default_rng(order)
    V = 4
    train = rng.choice(V - 1, 300, p=[0.6, 0.3, 0.1])  # one symbol is never seen
    for context in (train[-8:], np.array([3, 3, 0, 1, 2, 0]), rng.integers(V, size=8)):
        total = 0.0
        for symbol in range(V):
            test = np.concatenate([context, [symbol]])
            total += math.exp(-nats_of(train, test, V, order)[order][-1])
        assert total == pytest.approx(1, abs=1e-9)


def test_ngrams_know_what_repeats_and_uniform_does_not():
    ids = np.tile(np.arange(8), 100)
    found = nats_of(ids[:700], ids[700:], 8, 3)
    assert found[1].mean() == pytest.approx(math.log(8), abs=0.05)
    assert found[3].mean() < 0.1
    short = nats_of(ids[:1], ids[1:3], 8, 2)
    np.testing.assert_allclose(short[2], math.log(8))


def test_only_as_long_as_they_can_be():
    ids = np.zeros(9, np.uint8)
    for V, most in ((1, 8), (32_767, 8), (32_768, 6)):
        for order in (0, most + 1):
            with pytest.raises(UsageError, match=f"from 1 to {most}"):
                nats_of(ids, ids, V, order)


def test_the_memory_they_take():
    """Even where no six characters come twice; the text itself has a byte each."""
    ids = np.random.default_rng(0).integers(100, size=1_000_000).astype(np.uint8)
    with traced() as most:
        for _ in ngram_nats(ids, ids[:10_000], 100, 8):
            pass
        assert most() < 50e6
