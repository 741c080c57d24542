"""The training text as arrays: what they hold, and in how many bytes."""

import numpy as np
import pytest

from char_rnn import CharRNN, Vocabulary
from char_rnn.data import sources
from char_rnn.data.given import TextName
from char_rnn.data.sources import open_source
from char_rnn.data.vocabulary import ByteVocabulary
from char_rnn.errors import TextNotFound
from char_rnn.runs.text import symbols_of, training_ids, training_texts
from char_rnn.text_config import TextConfig


@pytest.fixture
def text(tmp_path, monkeypatch):
    """Return the path of a text that is read in several chunks, of which few are wide."""
    monkeypatch.setattr(sources, "CHUNK", 4)
    path = tmp_path / "text.txt"
    path.write_text("abcdé " * 20 + "漢字🎉" + "x" * 20, "utf-8", newline="")
    return path


@pytest.mark.parametrize(("wide", "dtype"), [("", np.uint16), ("漢", np.uint16), ("🎉", np.uint32)])
def test_symbols_are_as_small_as_they_can_be(tmp_path, wide, dtype):
    path = tmp_path / "text.txt"
    path.write_text(f"abé{wide}", "utf-8", newline="")
    symbols = symbols_of(open_source(path), False)
    assert symbols.dtype == dtype and symbols.tolist() == [ord(c) for c in f"abé{wide}"]
    assert symbols_of(open_source(path, TextConfig(True)), True).dtype == np.uint8


def test_symbols_of_a_text_in_chunks(text):
    assert "".join(map(chr, symbols_of(open_source(text), False))) == text.read_text("utf-8")


@pytest.mark.parametrize("chars", ["abcdé ", "ab漢🎉", "z", "".join(map(chr, range(97, 353)))])
def test_ids_and_what_has_none(text, chars):
    vocabulary = Vocabulary(chars)
    model = CharRNN(vocabulary.size, 2, vocabulary=vocabulary, rng=np.random.default_rng(0))
    ids = training_ids("model", model, str(text))
    none = vocabulary.size
    expected = [vocabulary.char_to_idx.get(c, none) for c in text.read_text("utf-8")]
    assert ids.tolist() == expected and ids.dtype == np.min_scalar_type(none)


def test_ids_of_bytes(text):
    model = CharRNN(256, 2, vocabulary=ByteVocabulary(), rng=np.random.default_rng(0))
    assert training_ids("model", model, str(text)).tobytes() == text.read_bytes()


def test_lines_and_bytes_that_are_lines(text):
    text.write_bytes(b"ab\nc\xff")
    model = CharRNN(256, 2, vocabulary=ByteVocabulary(), rng=np.random.default_rng(0))
    assert training_texts("model", model, str(text)) == {b"ab", b"c\xff"}
    vocabulary = Vocabulary("ab\n")
    model = CharRNN(3, 2, vocabulary=vocabulary, rng=np.random.default_rng(0))
    assert training_texts("model", model, "ab\nbca\n") == {"ab", "ba"}
    with pytest.raises(TextNotFound):  # the name of no text is still a name
        training_texts("model", model, TextName(""))
