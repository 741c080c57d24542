"""Many streams at once, and one."""

import numpy as np
import pytest

from char_rnn import CharRNN, SampleConfig, Vocabulary

CELLS = [("rnn", False), ("gru", False), ("gru", True), ("lstm", False)]


def model(cell="lstm", reset_after=False, layers=2, dtype="float64"):
    vocabulary = Vocabulary("abcdefg\n")
    return CharRNN(
        vocabulary.size, 16, cell, layers, reset_after, dtype, np.random.default_rng(1), vocabulary,
        init="uniform",
    )  # fmt: skip


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_many_greedy_streams_equal_each_alone(cell, reset_after):
    made = model(cell, reset_after)
    seeds = ["a", "bcdefg", "", "gg", "ab"]
    alone = [made.sample(seed, 20, temperature=0) for seed in seeds]
    assert made.sample_many(seeds, 20, temperature=0) == alone
    assert made.sample_many([]) == []


def test_one_stream_is_a_batch_of_one():
    made = model()
    for k in range(5):
        alone = made.sample("ab", 30, rng=np.random.default_rng(k))
        assert made.sample_many(["ab"], 30, rng=np.random.default_rng(k)) == [alone]


def test_the_text_follows_the_probabilities_of_the_model():
    """The first character of many streams, against softmax of the window's logits."""
    made = model("gru")
    logits, _ = made.forward(made.vocabulary.encode("ab"))
    p = np.exp(logits[-1, 0]) / np.exp(logits[-1, 0]).sum()
    texts = made.sample_many(["ab"] * 20_000, 1, 1.0, np.random.default_rng(0))
    found = np.bincount(made.vocabulary.encode("".join(t[2:] for t in texts)), minlength=8)
    np.testing.assert_allclose(found / 20_000, p, atol=0.012)


def test_without_a_newline_the_first_character_is_drawn():
    vocabulary = Vocabulary("abc")
    made = CharRNN(3, 4, vocabulary=vocabulary, rng=np.random.default_rng(0))
    texts = made.sample_many([""] * 30, 5, rng=np.random.default_rng(0))
    assert {len(text) for text in texts} == {5} and len({text[0] for text in texts}) == 3
    assert len(made.sample("", 5)) == 5 and made.sample("", 0) == ""


def test_texts_do_not_depend_on_how_many_threads_write_them():
    made = model("gru", dtype="float32")
    seeds = ["a", "bc", "", "g"] * 20  # three groups
    texts = [
        made.generate_many(seeds, SampleConfig(400), np.random.default_rng(0), threads=threads)
        for threads in (1, 2, 5)
    ]
    assert texts[0] == texts[1] == texts[2] and len(set(texts[0])) == 80
    alone = "".join(made.generate("a", SampleConfig(30), np.random.default_rng(0), threads=2))
    assert alone == "".join(made.generate("a", SampleConfig(30), np.random.default_rng(0)))
