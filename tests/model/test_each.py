"""Texts that are scored on their own: what each is worth, whatever stands beside it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traced import traced

from char_rnn import ByteVocabulary, CharRNN, Vocabulary
from char_rnn.errors import UsageError
from char_rnn.model import each as module
from char_rnn.model import room
from char_rnn.model.each import each
from char_rnn.model.network import Network
from char_rnn.model.states import surprisals

LINES = st.lists(st.text("abc ", max_size=30), min_size=1, max_size=12)


def model_of(vocabulary, cell="gru", **more):
    rng = np.random.default_rng(0)
    model = CharRNN(
        vocabulary.size, 6, cell, 2, dtype="float64", vocabulary=vocabulary, rng=rng, **more
    )
    model.parameters.flat[:] = 0.5 * rng.standard_normal(model.parameters.flat.size)
    return model


MODEL = model_of(Vocabulary("abc \n"), "lstm", initial_state="learned")
WITHOUT_END = model_of(Vocabulary("abc "))
BYTES = model_of(ByteVocabulary(), "rnn")


@settings(max_examples=60, deadline=None)
@given(LINES, st.randoms(), st.integers(1, 5), st.integers(1, 12))
def test_each_is_what_surprisal_says_in_any_order_and_batch(lines, random, streams, window):
    expected = {line: float(MODEL.surprisal(line + "\n").sum()) for line in lines}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STREAMS", streams)
        patch.setattr(module, "WINDOW", window)
        random.shuffle(lines)
        found = MODEL.score_each(lines)
    assert [score.text for score in found] == lines
    for place, score in enumerate(found, 1):
        assert score.place == place and score.left_out == 0
        assert score.characters == len(score.text) + 1
        assert score.nats == pytest.approx(expected[score.text], rel=1e-9)
        assert score.loss == pytest.approx(score.nats / score.characters)
        assert score.bits == pytest.approx(math.log2(score.perplexity))


@settings(max_examples=30, deadline=None)
@given(LINES)
def test_without_a_line_end_in_the_vocabulary_the_first_may_be_any(lines):
    for line, score in zip(lines, WITHOUT_END.score_each(lines), strict=True):
        assert score.characters == len(line)
        if line:
            expected = WITHOUT_END.surprisal(line).sum()
            assert score.nats == pytest.approx(expected, rel=1e-9)
        else:
            assert score.nats == 0 and math.isnan(score.loss)


@pytest.mark.parametrize("k", [0, 1, 3, 7])
@pytest.mark.parametrize("window", [2, 100])
def test_what_is_read_before_does_not_count(k, window, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", window)
    rng = np.random.default_rng(k)
    begin = rng.integers(5, size=k)
    texts = [rng.integers(5, size=n).astype(np.uint8) for n in (3, 0, 11, 1, 4)]
    found = each(Network(MODEL.parameters), texts, begin)
    for text, nats in zip(texts, found, strict=True):
        if k + len(text):
            whole = surprisals(MODEL.parameters, np.concatenate([begin, text])[:, None], None)
            assert nats == pytest.approx(whole[k:].sum(), rel=1e-9)


def test_unknown_characters_are_left_out_and_counted():
    found = MODEL.score_each(["abc", "axbyyc", "zz", "ab\nca"])
    assert [score.left_out for score in found] == [0, 3, 2, 0]
    assert [score.characters for score in found] == [4, 4, 1, 6]
    assert found[0].nats == pytest.approx(found[1].nats)
    assert found[2].nats == pytest.approx(MODEL.surprisal("\n").sum())
    assert found[3].nats == pytest.approx(MODEL.surprisal("ab\nca\n").sum())
    assert found[1].text == "axbyyc"


def test_a_line_end_that_comes_along_is_the_one(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("ab\ncc\n")
    with path.open() as file:
        assert MODEL.score_each(file) == MODEL.score_each(["ab", "cc"])
    assert MODEL.score_each([]) == []


def test_bytes():
    lines = ["é", b"a b", b"\xff\xfe", "\n"]
    found = BYTES.score_each(lines)
    assert [score.characters for score in found] == [3, 4, 3, 1]
    assert [score.text for score in found] == ["é", "a b", "\ufffd\ufffd", ""]
    for line, score in zip((b"\xc3\xa9", b"a b", b"\xff\xfe", b""), found, strict=True):
        assert score.nats == pytest.approx(BYTES.surprisal(line + b"\n").sum())


@pytest.mark.parametrize("wrong", ["abc", b"abc", [1, 2], [b"abc"]])
def test_what_are_no_texts_is_told(wrong):
    with pytest.raises(UsageError, match="text"):
        MODEL.score_each(wrong)
    with pytest.raises(UsageError, match="no vocabulary"):
        CharRNN(4, 4).score_each(["a"])


def test_progress_and_the_users_forward():
    told = []
    logits, _ = MODEL.forward([[0, 1]])
    MODEL.score_each(["abc"] * 300, told.append)
    assert told[-1] == 1 and told == sorted(told) and len(told) > 1
    MODEL.backward(np.ones_like(logits))  # which waited


def test_the_memory_is_bounded_by_the_longest_line_only(monkeypatch):
    """A long line among short ones: as a rectangle, they would be 128 times as long as it."""
    monkeypatch.setattr(room, "MOST_VALUES", 1 << 18)
    lines = ["abc" * 8_000] + ["ab"] * 300
    MODEL.score_each(lines[1:])
    with traced() as most:
        found = MODEL.score_each(lines)
        assert len(found) == 301 and most() < 8e6  # 24 MB as a rectangle of ids


def test_texts_that_have_ended_cost_little(monkeypatch):
    """Of a rectangle of 128 times the longest, less than a tenth is read."""
    read, forward = [], Network.forward

    def counted(self, ids, state):
        read.append(ids.size)
        return forward(self, ids, state)

    monkeypatch.setattr(Network, "forward", counted)
    MODEL.score_each(["abc" * 1_000] + ["ab"] * 127)
    assert 3_000 < sum(read) < 0.1 * 3_000 * 128
