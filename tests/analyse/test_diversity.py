"""What repeats: n-grams, loops, and samples that are alike."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from char_rnn import CharRNN
from char_rnn.analyse.diversity import LONGEST_PERIOD, distinct, diversity, looped, overlap
from char_rnn.analyse.loops import find_loop

STORY = "Once upon a time there was a king who could not sleep. "


def test_distinct_by_hand():
    assert distinct(["abab"], 1) == 2 / 4
    assert distinct(["abab"], 2) == 2 / 3
    assert distinct(["abab"], 3) == distinct(["abab"], 4) == 1
    assert distinct(["ab", "ab"], 2) == 1 / 2  # none reaches from one into the other
    assert distinct([["to", "be", "or", "to", "be"]], 2) == 3 / 4
    assert distinct(["abc"], 4) == distinct([], 1) == 0


def test_a_report_by_hand():
    found = diversity(["To be, or not to be.", "That is it!"])
    assert (found.samples, found.characters, found.words) == (2, 31, 9)
    assert found.distinct_words == (7 / 9, 6 / 7, 1.0, 1.0)
    assert found.distinct_characters[0] == len(set("To be, or not to be.That is it!")) / 31
    assert found.looped == 0 and found.overlap == 0
    alone = diversity("To be, or not to be.")
    assert alone.samples == 1 and alone.overlap is None
    assert diversity(["To be, or not to be."]) == alone
    json.dumps(alone._asdict())


def test_nothing_is_not_diverse():
    for nothing in ("", [], ["", ""]):
        found = diversity(nothing)
        assert found.characters == 0 and found.looped == 0
        assert set(found.distinct_characters + found.distinct_words) == {0.0}


def test_overlap_by_hand():
    assert overlap(["abcdef", "abcdef"], 3) == 1
    assert overlap(["abcdef", "uvwxyz"], 3) == 0
    # abc and bcd of abc, bcd, cde; all of abcd; none of the third
    assert overlap(["abcde", "abcd", "xyzxyz"], 3) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert overlap(["ababab", "xxxxxx"], 2) == 0  # to repeat oneself is another matter
    assert overlap(["abc", ""], 3) == overlap(["ab", "ab"], 3) == overlap([]) == 0


@given(st.lists(st.text("abc", max_size=20), max_size=4))
def test_shares_are_shares(samples):
    found = diversity(samples)
    shares = [*found.distinct_characters, *found.distinct_words, found.looped, found.overlap or 0]
    assert all(0 <= share <= 1 for share in shares)
    if len(samples) > 1 and min(map(len, samples)) >= 10:
        assert diversity(samples * 2).overlap == 1


def test_loops_are_found_wherever_they_stand():
    text = STORY + "the sea of " * 9 + STORY + "ha" * 40 + "!"
    found = looped(text)
    first, second = text.index("the sea"), text.index("haha")
    for start, stop in ((first, first + 99), (second, second + 80)):
        assert found[start:stop].all()
        found[start - 1 : stop + 1] = False
    assert not found.any()
    assert diversity(text).looped == pytest.approx(179 / len(text), abs=3 / len(text))
    assert not looped(STORY * 4).any() and looped(STORY * 5).all()
    assert not looped("").any() and not looped("-" * 80).any()


@given(st.text("ab ", max_size=20), st.text("ab ", min_size=1, max_size=12), st.integers(1, 60))
def test_a_loop_at_the_end_is_the_one_that_is_found_there(before, passage, times):
    text = before + passage * times
    loop = find_loop(text)
    if loop:
        assert looped(text)[loop.start :].all()
    else:
        assert not looped(text)[-1:].any()


def test_long_periods_are_left_out():
    rng = np.random.default_rng(0)
    for period, expected in ((LONGEST_PERIOD, True), (LONGEST_PERIOD + 1, False)):
        passage = "".join(chr(97 + n) for n in rng.integers(26, size=period))
        assert looped(passage * 6).all() == expected == looped(passage * 6).any()


def test_a_cold_model_repeats_itself():
    model = CharRNN.load("shakespeare")
    with threadpool_limits(1):
        frozen, cold, usual = (
            diversity(model.sample_many(["\n"] * 4, 700, temperature, np.random.default_rng(0)))
            for temperature in (0, 0.05, 0.8)
        )
    assert frozen.looped > 0.5 and frozen.overlap == 1.0 and usual.looped == 0
    assert cold.overlap > 0.7 and usual.overlap < 0.3
    for n in range(4):
        for kind in ("distinct_characters", "distinct_words"):
            values = [getattr(report, kind)[n] for report in (frozen, cold, usual)]
            assert values == sorted(values) and values[0] < values[2]
