"""Where a text ends, whatever the pieces are that it comes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn import CharRNN, SampleConfig, Vocabulary
from char_rnn.generate.stop import Stop, cut

TEXTS = st.text(alphabet="ab\n", max_size=40)


def fed(config, pieces):
    stop = Stop(config)
    out = "".join(stop.feed(piece) for piece in pieces)
    return out + stop.finish()


@given(TEXTS, st.lists(st.text(alphabet="ab\n", min_size=1, max_size=4), max_size=3))
def test_a_stop_text_is_never_written(text, stops):
    found = fed(SampleConfig(stop=tuple(stops)), text)
    first = min(((text.find(s) + len(s), text.find(s)) for s in stops if s in text), default=None)
    assert found == (text if first is None else text[: first[1]])
    assert not any(stop in found for stop in stops)


@given(TEXTS, st.integers(1, 4))
def test_lines_are_those_that_are_written(text, lines):
    found, ended = cut(SampleConfig(lines=lines), text)
    assert found.split("\n") == text.split("\n")[:lines] and ended == (text.count("\n") >= lines)


@pytest.mark.parametrize("seed", ["", "a", "a\n", "a\nb\n", "\n"])
def test_a_seed_uses_up_no_line(model, seed):
    """A line that a seed has begun is one of those that the model writes to their end."""
    for made in (
        model.sample(seed, 300, 1.0, np.random.default_rng(0), lines=2),
        *model.sample_many([seed] * 3, 300, 1.0, np.random.default_rng(0), lines=2),
    ):
        assert made.startswith(seed) and made[len(seed) :].count("\n") == 1


@given(TEXTS, st.integers(0, 20))
def test_the_end_of_the_line_is_written_to(text, length):
    found, ended = cut(SampleConfig(length, until_line_end=True), text)
    at = text.find("\n", length)
    assert (found, ended) == ((text[:at], True) if at >= 0 else (text, False))


@given(TEXTS, st.data())
def test_pieces_do_not_matter(text, data):
    config = SampleConfig(5, stop=("ab\n", "bb"), lines=3, until_line_end=True)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert fed(config, pieces) == fed(config, text) == cut(config, text)[0]


@pytest.fixture(scope="module")
def model():
    vocabulary = Vocabulary("abc\n")
    return CharRNN(4, 8, "gru", vocabulary=vocabulary, rng=np.random.default_rng(0))


def test_streams_end_as_one_stream_does(model):
    settings = {"stop": ("ab",), "lines": 4}
    for k in range(20):
        alone = model.sample("c", 200, 1.0, np.random.default_rng(k), **settings)
        assert alone == model.sample_many(["c"], 200, 1.0, np.random.default_rng(k), **settings)[0]
        assert "ab" not in alone and alone.count("\n") < 4


def test_until_line_end(model):
    text = model.sample("a", 30, 1.0, np.random.default_rng(0), until_line_end=True)
    more = model.sample("a", len(text), 1.0, np.random.default_rng(0))
    assert len(text) >= 31 and more.startswith(text) and more[len(text)] == "\n"
