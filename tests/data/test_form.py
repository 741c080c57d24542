"""The form of characters: the same for a text whole and in pieces."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.data.form import Form
from char_rnn.data.vocabulary import Vocabulary, vocabulary_from_dict
from char_rnn.text_config import NORMAL_FORMS

ODD = "aéeE\u0301\u0327 \n<\u0338Σσς.İIかが\u3099中文ﬁ㎒한\u1112\u1161\u11abK\u00b4"
FORMS = [Form(name, lower) for name in ("", *NORMAL_FORMS) for lower in (False, True)]


@given(
    st.text(st.sampled_from(ODD) | st.characters(codec="utf-8"), max_size=60),
    st.integers(1, 9),
    st.sampled_from(FORMS),
)
def test_pieces_make_no_difference(text, size, form):
    pieces = [text[k : k + size] for k in range(0, len(text), size)]
    assert "".join(form.chunks(iter(pieces))) == form(text)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_form_is_one(form):
    text = form(ODD)
    assert form(text) == text
    if form.normalize:
        assert unicodedata.is_normalized(form.normalize, text)
    assert not form.lowercase or not any(char.isupper() for char in text)


def test_a_vocabulary_takes_every_text_in_its_form():
    vocabulary = Vocabulary("acéf\n", normalize="NFC", lowercase=True)
    assert vocabulary.decode(vocabulary.encode("CAFE\u0301\r\n")) == "café\n"
    assert vocabulary.unknown("CAFE\u0301 x") == [" ", "x"]
    assert vocabulary.without_unknown("CAF-E\u0301") == "café"
    assert vocabulary_from_dict(vocabulary.to_dict()) == vocabulary


def test_a_vocabulary_with_cr_leaves_line_ends():
    assert Vocabulary("\r\n").decode(Vocabulary("\r\n").encode("\r\n\r")) == "\r\n\r"
    assert Vocabulary("\n").decode(Vocabulary("\n").encode("\r\n\r")) == "\n\n"


def test_rare_and_end_come_after_all_characters():
    vocabulary = Vocabulary("ab", rare=True, documents="lines")
    assert (vocabulary.size, vocabulary.rare, vocabulary.end) == (4, 2, 3)
    assert vocabulary.chars == ["a", "b"] and len(vocabulary.idx_to_char) == 4
    assert vocabulary.encode("axb").tolist() == [0, 2, 1]
    assert vocabulary.decode([0, 2, 3]) == "a\ufffd\n"
    assert vocabulary.beginning("b").tolist() == [3, 1] and vocabulary.beginning().tolist() == [3]
    assert vocabulary_from_dict(vocabulary.to_dict()) == vocabulary != Vocabulary("ab", rare=True)
    assert Vocabulary("ab\n").beginning().tolist() == [0] and not len(Vocabulary("ab").beginning())
