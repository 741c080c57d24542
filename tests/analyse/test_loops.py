"""Loops are recognised, and nothing that ordinary texts do is taken for one."""

import sysconfig
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from char_rnn import CharRNN
from char_rnn.analyse.loops import LETTER, LINE, PASSAGE, REPETITIONS, find_loop, loop_advice

BEFORE = "Once upon a time there was a king who could not sleep. "


def slow(string):
    """The definition, read aloud: every period, from the smallest, by its own comparison."""
    N = len(string)
    for period in range(1, N // REPETITIONS + 1):
        start = N - period
        while start > 0 and string[start - 1] == string[start - 1 + period]:
            start -= 1
        letters = any(c.isalnum() for c in string[start:])
        needed = (LETTER if period == 1 else PASSAGE) if letters else LINE
        if N - start >= max(needed, REPETITIONS * period):
            return period, start
    return None


@given(st.text("ab- ", max_size=30), st.text("ab- ", min_size=1, max_size=30),
       st.integers(1, 60), st.text("ab- ", max_size=3))  # fmt: skip
def test_it_is_the_definition(before, passage, times, after):
    string = before + passage * times + after
    found = find_loop(string)
    assert (found and (found.period, found.start)) == slow(string)
    if found:
        again = string[: found.start] + found.passage * (int(found.repetitions) + 1)
        assert again.startswith(string)
        assert found.period * found.repetitions == pytest.approx(len(string) - found.start)


@pytest.mark.parametrize(
    ("passage", "times"),
    [("the sea of ", 6), ("a", LETTER), ("7", 50), ("-", LINE), ("ha! ", 15), ("+---", 25),
     ("And then the sea of the world,\nThat is the sea. ", REPETITIONS), ("é", 40)],
)  # fmt: skip
def test_loops(passage, times):
    text = BEFORE + "Then: " + passage * times
    found = find_loop(text)
    assert found is not None and found.period == len(passage)
    assert abs(found.start - len(BEFORE + "Then: ")) < len(passage)
    assert found.repetitions == pytest.approx(times, abs=1)
    half = text + passage[: len(passage) // 2]
    assert find_loop(half).period == len(passage)
    assert find_loop(BEFORE + passage * (times // 2 - 1)) is None
    assert find_loop(text + "And so it ended, after all") is None


def test_a_shorter_repetition_inside_the_passage():
    """The end of the passage repeats by itself, with 20, and overlaps its own repetition."""
    passage = "eabcdfghijklmnopabcdeabcdfghijklmnopabcdeabcd"
    assert (passage * 2)[-29:] == (passage * 2)[-49:-20] and find_loop(passage * 6).period == 45


def test_ids_are_as_good_as_characters():
    ids = [5, 1, 2, 9, 9] + [3, 1, 4, 1] * 25
    for given_ in (ids, tuple(ids), np.array(ids)):
        found = find_loop(given_)
        assert found == (4, 25.0, 5, (3, 1, 4, 1))
        assert all(type(idx) is int for idx in found.passage)
    assert find_loop(ids[:104]) is None  # which of them are letters, nobody knows
    assert find_loop([]) is find_loop("") is find_loop("a" * 29) is None


@pytest.mark.parametrize(
    "text",
    [
        BEFORE * 4,
        BEFORE + "\n" + "-" * 80,
        "def f():\n" + " " * 66,
        "=" * 40 + "  " + "=" * 40,
        "+" + "-------+" * 10 + "\n|" + "       |" * 10,
        "#" * 79 + "\n",
        "x = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,",
        "a rose is a rose is a rose is a rose",
        "Never, never, never, never, never!",
    ],
)
def test_what_is_no_loop(text):
    for end in range(len(text)):
        assert find_loop(text[: end + 1]) is None


def no_alarm_in(text, every):
    for end in range(0, len(text), every):
        assert find_loop(text[max(0, end - 2000) : end]) is None, text[end - 200 : end]


def test_no_alarm_in_shakespeare(shakespeare):
    no_alarm_in(shakespeare.read_text("utf-8"), 50)


def test_no_alarm_in_python_code():
    folder = Path(sysconfig.get_paths()["stdlib"])
    for name in ("argparse", "datetime", "decimal", "difflib", "random", "statistics", "turtle"):
        path = folder / f"{name}.py"
        if path.is_file():
            no_alarm_in(path.read_text("utf-8"), 20)


def test_no_alarm_in_a_tune_that_is_played_four_times():
    rng = np.random.default_rng(0)
    for _ in range(20):
        tune = "".join(chr(0x4E00 + n) for n in rng.integers(12, size=48))
        no_alarm_in(tune[40:] + tune * 4 + tune[:15], 1)


@pytest.fixture(scope="module")
def shipped():
    with threadpool_limits(1):  # on a busy machine small products are slow with more
        yield CharRNN.load("shakespeare")


def first_loop(text):
    """Return the first loop that a look every 50 characters finds, or None."""
    ends = range(50, len(text) + 1, 50)
    return next((found for end in ends if (found := find_loop(text[:end]))), None)


def test_the_shipped_model_falls_into_loops_when_it_is_cold(shipped):
    """Already at 0.01 it often finds its way out again."""
    for seed in ("KING:", "ROMEO:", "\n"):
        text = shipped.sample(seed, 900, temperature=0)
        found = first_loop(text)
        assert found is not None and 20 < found.period < 100
        assert found.passage * 4 in text


@pytest.mark.parametrize("rng_seed", range(3))
def test_the_shipped_model_does_not_at_its_usual_temperature(shipped, rng_seed):
    for text in shipped.sample_many(["\n"] * 3, 300, 0.8, np.random.default_rng(rng_seed)):
        assert first_loop(text) is None


def test_advice():
    loop = find_loop(BEFORE + "the world,\nAnd so the sea of " * 7)
    said = loop_advice(loop, 0.05)
    assert "'And so the sea of the world,\\n' stands there 7 times" in said
    assert (
        f"since character {loop.start}" in said
        and "higher temperature than 0.05 (--temperature)" in said
    )
    assert "\n" not in said and "(--repetition_penalty 1.2)" in said and "training longer" in said
    assert "than 2.0:0.1" in loop_advice(loop, "2.0:0.1")
    assert "temperature" not in loop_advice(loop, 1.3)
    assert "a passage of 4 symbols" in loop_advice(find_loop([1, 2, 3, 4] * 30), 0.5)
    long = loop_advice(find_loop("".join(map(chr, range(65, 265))) * 6), 0)
    assert len(long) < 350 and "..." in long
