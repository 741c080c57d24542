"""What follows a run of a text, against the slowest way to find it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traced import traced

from char_rnn.data import copies
from char_rnn.data.copies import CopyIndex
from char_rnn.data.vocabulary import code_points
from char_rnn.errors import UsageError


def symbols(letters, most):
    return st.lists(st.sampled_from(letters), max_size=most).map(lambda x: np.array(x, np.uint32))


FEW = symbols([7, 300, 70000], 60)  # three symbols: repeats abound
ALL = symbols([0, 1, 2, 3, 70001], 40)


def plain_followers(context, text, length):
    if len(context) < length - 1:
        return set()
    run = context[len(context) - length + 1 :].tolist()
    places = range(len(text) - length + 1)
    return {int(text[t + length - 1]) for t in places if text[t : t + length - 1].tolist() == run}


def check_followers(text, contexts, length):
    index = CopyIndex(text, length)
    for context in contexts:
        found = index.followers(context).tolist()
        assert len(found) == len(set(found))
        assert set(found) == plain_followers(context, text, length)


@pytest.mark.parametrize("few", [1 << 10, 1])  # 1: nearly all runs stand in many places
@pytest.mark.parametrize("hash_bits", [64, 1])  # 1: nearly all runs collide
@given(text=FEW, other=ALL, length=st.integers(1, 20))
@settings(max_examples=60)
def test_followers(few, hash_bits, text, other, length):
    contexts = [text[:t] for t in range(len(text) + 1)] + [other]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CopyIndex, "hash_bits", hash_bits)
        patch.setattr(copies, "_FEW", few)
        patch.setattr(copies, "_COMPARED", 40)
        check_followers(text, contexts, length)


@pytest.mark.parametrize("hash_bits", [64, 3])
@pytest.mark.parametrize("letters", [1, 2, 100, 300, 70000])
def test_followers_of_few_and_of_many_symbols(letters, hash_bits, monkeypatch):
    monkeypatch.setattr(CopyIndex, "hash_bits", hash_bits)
    rng = np.random.default_rng(letters)
    base = rng.integers(letters, size=40).astype(np.uint32)
    text = np.concatenate([base, base, base[:30], [letters], base[5:35]])
    check_followers(text, [text[:t] for t in range(0, len(text), 3)], 1 + letters % 17)
    check_followers(text, [text[:t] for t in range(0, len(text), 3)], 24)


def test_hashes_are_the_same_in_every_block(monkeypatch):
    text = np.random.default_rng(0).integers(1000, size=500)
    weights = [pow(copies._BASE, k + 1, 2**64) for k in range(7)]
    expected = [
        sum(int(c) * w for c, w in zip(text[t : t + 7], weights, strict=True)) % 2**64
        for t in range(494)
    ]
    for block in (copies._BLOCK, 16):
        monkeypatch.setattr(copies, "_BLOCK", block)
        starts, parts = zip(*copies._hashes(text, 7, 494), strict=True)
        assert starts == tuple(range(0, 494, min(block, 494)))
        assert np.concatenate(parts).tolist() == expected


def test_what_a_hash_keeps_sees_every_symbol_of_a_short_run():
    """Else short runs share their keys, and each look-up compares a good part of the text."""
    text = np.arange(4_000) % 61
    index = CopyIndex(text, 3)
    low_bits = index._low_bits
    assert len(np.unique(index._keys >> np.uint64(low_bits))) == 61


def test_the_memory_of_an_index():
    """8 bytes a symbol, while it is made and after, and blocks."""
    text = np.random.default_rng(0).integers(60, size=3_000_000).astype(np.uint8)
    CopyIndex(text[:100], 30)
    with traced() as most:
        CopyIndex(text, 30)
        assert most() < 8 * len(text) + 20e6


def test_a_length_of_one_and_texts_that_are_too_short():
    text = code_points("banana")
    assert sorted(CopyIndex(text, 1).followers(text[:0])) == sorted(code_points("abn"))
    assert CopyIndex(text, 9).followers(np.tile(text, 3)).size == 0
    assert CopyIndex(text[:0], 1).followers(text).size == 0
    assert CopyIndex(text, 10**15).followers(text).size == 0
    assert CopyIndex(text, 6).followers(code_points("xbanan")).tolist() == [ord("a")]
    with pytest.raises(UsageError, match="at least 1"):
        CopyIndex(text, 0)
