"""Longest shared runs and what follows them, against the slowest way to find them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from char_rnn.data import copies
from char_rnn.data.copies import CopyIndex, longest_runs
from char_rnn.data.vocabulary import code_points
from char_rnn.errors import UsageError


def symbols(letters, most):
    return st.lists(st.sampled_from(letters), max_size=most).map(lambda x: np.array(x, np.uint32))


FEW = symbols([7, 300, 70000], 60)  # three symbols: repeats abound
ALL = symbols([0, 1, 2, 3, 70001], 40)


def plain_runs(sample, text):
    """Try every length at every place."""
    joined = text.tolist()
    found = []
    for i in range(len(sample)):
        length = 0
        while i + length < len(sample):
            run = sample[i : i + length + 1].tolist()
            if not any(joined[t : t + len(run)] == run for t in range(len(text))):
                break
            length += 1
        found.append(length)
    return found


def check_runs(sample, text):
    lengths, places = longest_runs(sample, text)
    assert lengths.tolist() == plain_runs(sample, text)
    for i, (length, place) in enumerate(zip(lengths, places, strict=True)):
        assert (place >= 0) == (length > 0)
        if length:
            run = sample[i : i + length].tolist()
            assert text[place : place + length].tolist() == run


@given(FEW, FEW)
def test_longest_runs(sample, text):
    check_runs(sample, text)


@given(ALL, symbols([0, 1, 2], 60))
def test_longest_runs_of_a_sample_with_symbols_of_its_own(sample, text):
    check_runs(sample, text)


@given(FEW.filter(len), st.integers(1, 4), st.integers(0, 20))
def test_longest_runs_of_a_text_that_repeats_itself(text, times, start):
    whole = np.tile(text, times)
    check_runs(whole[start : start + 70], whole)


@pytest.mark.parametrize("letters", [1, 2, 12, 300, 70000])
def test_longest_runs_in_words_of_every_width(letters):
    rng = np.random.default_rng(letters)
    text = np.concatenate([np.arange(letters), rng.integers(letters, size=200)]).astype(np.uint32)
    sample = np.concatenate([text[-90:-20], rng.integers(letters + 1, size=20), text[-37:]])
    lengths, places = longest_runs(sample, text)
    assert lengths[0] >= 70 and places[0] + lengths[0] <= len(text)
    if letters < 300:
        assert lengths.tolist() == plain_runs(sample, text)
    else:
        assert lengths[0] == 70 and lengths[-37:].tolist() == list(range(37, 0, -1))


def test_a_run_ends_with_the_text_and_with_the_sample():
    text, sample = code_points("abcabcabd"), code_points("cabdabca")
    lengths, places = longest_runs(sample, text)
    assert lengths.tolist() == [4, 3, 2, 1, 4, 3, 2, 1]
    assert places[0] == 5 and places[4] in (0, 3)
    none = longest_runs(code_points("xyz"), text)
    assert none[0].tolist() == [0, 0, 0] and none[1].tolist() == [-1, -1, -1]
    for empty in ((sample[:0], text), (sample, text[:0])):
        assert longest_runs(*empty)[0].tolist() == [0] * len(empty[0])


def test_bytes_and_long_copies():
    rng = np.random.default_rng(0)
    text = rng.integers(256, size=30_000, dtype=np.uint8)
    told = []
    lengths, places = longest_runs(text[5_000:25_000], text, told.append)
    np.testing.assert_array_equal(lengths, np.arange(20_000, 0, -1))
    assert places[0] == 5_000
    assert told == sorted(told) and told[-1] == 1
    same = np.zeros(3_000, np.uint8)
    assert longest_runs(same[:2_000], same)[0].tolist() == list(range(2_000, 0, -1))


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


@pytest.mark.parametrize("hash_bits", [64, 1])  # 1: nearly all runs collide
@given(text=FEW, other=ALL, length=st.integers(1, 20))
@settings(max_examples=60)
def test_followers(hash_bits, text, other, length):
    contexts = [text[:t] for t in range(len(text) + 1)] + [other]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CopyIndex, "hash_bits", hash_bits)
        check_followers(text, contexts, length)


@pytest.mark.parametrize("hash_bits", [64, 3])
@pytest.mark.parametrize("letters", [1, 2, 100, 300, 70000])
def test_followers_in_words_of_every_width(letters, hash_bits, monkeypatch):
    monkeypatch.setattr(CopyIndex, "hash_bits", hash_bits)
    rng = np.random.default_rng(letters)
    base = rng.integers(letters, size=40).astype(np.uint32)
    text = np.concatenate([base, base, base[:30], [letters], base[5:35]])
    check_followers(text, [text[:t] for t in range(0, len(text), 3)], 1 + letters % 17)
    check_followers(text, [text[:t] for t in range(0, len(text), 3)], 24)


def test_hashes_are_the_same_in_every_block(monkeypatch):
    text = np.random.default_rng(0).integers(1000, size=500)
    whole = copies._hashes(text, 7, 494)
    monkeypatch.setattr(copies, "_BLOCK", 16)
    np.testing.assert_array_equal(copies._hashes(text, 7, 494), whole)
    weights = [pow(copies._BASE, k, 2**64) for k in range(7)]
    expected = sum(int(c) * w for c, w in zip(text[9:16], weights, strict=True)) % 2**64
    assert int(whole[9]) == expected


def test_a_length_of_one_and_texts_that_are_too_short():
    text = code_points("banana")
    assert sorted(CopyIndex(text, 1).followers(text[:0])) == sorted(code_points("abn"))
    assert CopyIndex(text, 9).followers(np.tile(text, 3)).size == 0
    assert CopyIndex(text[:0], 1).followers(text).size == 0
    assert CopyIndex(text, 6).followers(code_points("xbanan")).tolist() == [ord("a")]
    with pytest.raises(UsageError, match="at least 1"):
        CopyIndex(text, 0)
