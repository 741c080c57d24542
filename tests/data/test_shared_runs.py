"""Longest shared runs, against the slowest way to find them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traced import traced

from char_rnn.data import shared_runs
from char_rnn.data.shared_runs import longest_runs
from char_rnn.data.vocabulary import code_points


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


@given(FEW, FEW, st.integers(0, 2), st.integers(1, 3))
@settings(max_examples=200)
def test_longest_runs_in_small_blocks(sample, text, repeats, parts):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("BLOCK", 4), ("REACH", 2), ("PARTS", parts)):
            patch.setattr(shared_runs, name, value)
        check_runs(sample, text)
        check_runs(np.concatenate([sample, text[5:50]]), np.tile(text, repeats))


def test_what_is_known_of_a_run_does_not_hide_that_it_is_cut_short(monkeypatch):
    """40 of 60 symbols stand in the first block; all of them do across the end of a later one."""
    for name, value in (("BLOCK", 64), ("REACH", 4)):
        monkeypatch.setattr(shared_runs, name, value)
    rng = np.random.default_rng(0)
    run, text = rng.integers(2, 50, 60), rng.integers(50, 90, 700)
    text[10:50], text[442:502] = run[:40], run
    lengths, places = longest_runs(run, text)
    assert (lengths[0], places[0]) == (60, 442)


def test_what_is_known_of_a_run_does_not_hide_that_it_stands_elsewhere_with_one_more(monkeypatch):
    for name in ("BLOCK", "REACH"):
        monkeypatch.setattr(shared_runs, name, 64)
    rng = np.random.default_rng(0)
    for length in range(1, 40):
        run, text = rng.integers(2, 50, 40), rng.integers(50, 90, 300)
        text[10 : 10 + length], text[200 : 201 + length] = run[:length], run[: length + 1]
        lengths, places = longest_runs(run, text)
        assert (lengths[0], places[0]) == (length + 1, 200)


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


def test_the_memory_is_that_of_a_block(monkeypatch):
    """However long the text is."""
    monkeypatch.setattr(shared_runs, "BLOCK", 1 << 15)
    rng = np.random.default_rng(0)
    text = rng.integers(60, size=1_500_000).astype(np.uint8)
    sample = np.concatenate([text[500_000:510_000], rng.integers(60, size=5_000)])
    with traced() as most:
        lengths, places = longest_runs(sample, text)
        assert most() < 10e6
    assert (lengths[0], places[0]) == (10_000, 500_000)
