"""Characters to ids and back."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn import ByteVocabulary, Vocabulary, one_hot
from char_rnn.data.vocabulary import vocabulary_from_dict
from char_rnn.errors import CorruptFile, UnknownCharacters, UsageError

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too


@given(ANY_TEXT)
def test_round_trip(text):
    vocabulary = Vocabulary(text)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text and len(ids) == len(text)
    assert vocabulary.chars == sorted(set(text)) and vocabulary.size == len(set(text))
    saved = json.loads(json.dumps(vocabulary.to_dict()))
    assert vocabulary_from_dict(saved) == vocabulary
    decoder = vocabulary.decoder()
    assert "".join(map(decoder.feed, ids.tolist())) + decoder.finish() == text


def test_surrogates_stay_apart_in_json():
    vocabulary = Vocabulary("\ud800\udc00")
    assert vocabulary_from_dict(json.loads(json.dumps(vocabulary.to_dict()))) == vocabulary
    assert ByteVocabulary().encode("\udcff").tolist() == [0xFF]


@given(st.text())
def test_byte_round_trip(text):
    vocabulary = vocabulary_from_dict(ByteVocabulary().to_dict())
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text and vocabulary.decode_bytes(ids) == text.encode()
    decoder = vocabulary.decoder()
    assert "".join(map(decoder.feed, ids.tolist())) + decoder.finish() == text


def test_hello():
    vocabulary = Vocabulary("hello")
    assert vocabulary.char_to_idx == {"e": 0, "h": 1, "l": 2, "o": 3}
    assert vocabulary.idx_to_char[3] == "o" and "h" in vocabulary and len(vocabulary) == 4
    assert vocabulary.encode("hello").tolist() == [1, 0, 2, 2, 3]
    assert vocabulary.decode([1, 0, 2, 2, 3]) == "hello"


@pytest.mark.parametrize(("size", "dtype"), [(256, "uint8"), (257, "uint16"), (65537, "uint32")])
def test_the_smallest_type_that_holds_the_ids(size, dtype):
    chars = "".join(map(chr, range(0xE000, 0xE000 + size)))
    assert Vocabulary(chars).encode(chars).dtype == dtype
    assert Vocabulary(chars).encode(chars).tolist() == list(range(size))


def test_unknown_characters_are_named():
    vocabulary = Vocabulary("abc")
    with pytest.raises(UnknownCharacters, match=r"'Z', 'é' \(U\+00E9\)"):
        vocabulary.encode("aéZ")
    with pytest.raises(UnknownCharacters, match="and 90 more"):
        vocabulary.encode("".join(map(chr, range(1000, 1100))))
    assert vocabulary.unknown("aéZ") == ["Z", "é"] and vocabulary.without_unknown("aéZb") == "ab"
    for ids in ([3], [-1], np.array([0, 9])):
        with pytest.raises(UsageError):
            vocabulary.decode(ids)


def test_bytes_that_are_not_text():
    vocabulary = ByteVocabulary()
    assert vocabulary.decode([0xC3]) == "\ufffd"
    decoder = vocabulary.decoder()
    assert [decoder.feed(0xC3), decoder.feed(0xA9), decoder.feed(0xC3)] == ["", "é", ""]
    assert decoder.finish() == "\udcc3"  # as surrogateescape has it: nothing is lost


@pytest.mark.parametrize(
    "saved",
    [None, {}, {"kind": "words"}, {"kind": "characters"}, {"kind": "characters", "characters": 1},
     {"kind": "characters", "characters": ["b", "a"]},
     {"kind": "characters", "characters": ["a", "a"]}],
)  # fmt: skip
def test_damaged_vocabularies_are_refused(saved):
    with pytest.raises(CorruptFile):
        vocabulary_from_dict(saved)


def test_one_hot():
    assert one_hot(3, 10).shape == (10, 1)
    assert one_hot(3, 10).ravel().tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    for wrong in (-1, 10):
        with pytest.raises(UsageError):
            one_hot(wrong, 10)
