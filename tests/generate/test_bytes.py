"""A model of bytes: what it makes is bytes, and comes out as them, or as a text."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn import CharRNN, SampleConfig, Vocabulary
from char_rnn.data.vocabulary import ByteVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.choose import Chooser
from char_rnn.generate.door import door, from_bytes, to_bytes
from char_rnn.generate.sampler import after_reading, sample

VOCABULARY = ByteVocabulary()
CHARACTERS = CharRNN(4, 8, vocabulary=Vocabulary("abc\n"), rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def model():
    return CharRNN(256, 8, vocabulary=VOCABULARY, rng=np.random.default_rng(0))


def plain(model, seed, length, rng):
    """Return the bytes that the network draws, with nothing between them and their ids."""
    stepper = after_reading(model.parameters, [VOCABULARY.encode(seed or b"\n")])
    chooser = Chooser(SampleConfig(length), 256, 1, rng)
    return VOCABULARY.decode_bytes([int(ids[0]) for ids in sample(stepper, length, chooser)])


@given(st.binary(max_size=6), st.integers(0, 2**32))
def test_bytes_come_out_as_they_were_drawn(model, seed, k):
    drawn = plain(model, seed, 40, np.random.default_rng(k))

    def rng():
        return np.random.default_rng(k)

    pieces = list(model.generate(seed, SampleConfig(40), rng()))
    assert all(type(piece) is bytes for piece in pieces) and b"".join(pieces) == drawn
    assert model.sample(seed, 40, rng=rng()) == seed + drawn
    assert model.sample_many([seed], 40, rng=rng()) == [seed + drawn]
    assert model.generate_many([seed], SampleConfig(40), rng()) == [drawn]
    session = model.session(SampleConfig(40), rng())
    assert b"".join(session.turn(seed)) and session.text.encode("utf-8")


@given(st.integers(0, 2**32))
def test_a_text_comes_out_as_one(model, k):
    """For a text: the same, with U+FFFD for what is not UTF-8, whatever its pieces are."""
    made = model.sample(b"", 60, rng=np.random.default_rng(k))
    text = model.sample("", 60, rng=np.random.default_rng(k))
    assert text == made.decode("utf-8", "replace")
    assert [text] == model.sample_many([""], 60, rng=np.random.default_rng(k))
    (found,) = model.search("a", SampleConfig(8), 2)
    (same,) = model.search(b"a", SampleConfig(8), 2)
    assert found.text == same.text.decode("utf-8", "replace") and found[1:] == same[1:]


@given(st.binary(max_size=30), st.lists(st.integers(0, 30), max_size=4))
def test_nothing_is_lost_inside(data, cuts):
    assert to_bytes(from_bytes(data)) == data
    decoder = VOCABULARY.decoder()
    pieces = [decoder.feed(idx) for idx in data] + [decoder.finish()]
    assert b"".join(map(to_bytes, pieces)) == data
    leave = door(VOCABULARY, "").leave
    assert "".join(map(leave, pieces)) == data.decode("utf-8", "replace")
    places = [0, *sorted(cuts), 30]
    text = from_bytes(data)
    assert b"".join(to_bytes(text[a:b]) for a, b in pairwise(places)) == data


def test_stops_and_turns_of_bytes(model):
    stop = from_bytes(b"\xff")
    for k in range(20):
        free = model.sample(b"", 600, rng=np.random.default_rng(k))
        made = model.sample(b"", 600, rng=np.random.default_rng(k), stop=(stop,))
        assert made == free.partition(b"\xff")[0]
    session = model.session(SampleConfig(30, 0))
    answer = b"".join(session.turn(b"\x89PNG"))
    assert session.text == (b"\x89PNG" + answer).decode("utf-8", "replace")
    assert model.sample(b"\n\x89PNG", 30, 0) == b"\n\x89PNG" + answer
    pieces = session.turn(b"\xc3")
    shown = next(pieces)
    pieces.close()
    after = b"\n\x89PNG" + answer + b"\xc3" + shown
    session.config = SampleConfig(9, 0)
    assert model.sample(after + b"a", 9, 0) == after + b"a" + b"".join(session.turn(b"a"))


def test_texts_that_are_interrupted_are_bytes_too(model):
    texts = model.generate_each([b"\xff"] * 80, SampleConfig(50), np.random.default_rng(0))
    first = next(texts)
    texts.close()
    rest = [written.text for _, written in texts.rest()]
    assert all(type(text) is bytes for text in [first, *rest])
    pieces = model.generate(b"", SampleConfig(40, words=("a",)), np.random.default_rng(0))
    assert b"a" in b"".join(pieces) and pieces.unit == "characters"


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.sample(b"ab", 3),
        lambda model: list(model.generate(b"ab")),
        lambda model: model.sample_many([b"ab"]),
        lambda model: model.search(b"ab", width=2),
        lambda model: model.session().turn(b"ab"),
    ],
)
def test_bytes_are_not_for_characters(call):
    with pytest.raises(UsageError, match="bytes are for a model of bytes"):
        call(CHARACTERS)


def test_texts_and_bytes_do_not_mix(model):
    with pytest.raises(UsageError, match="list of texts"):
        model.sample_many(["a", b"b"])
    with pytest.raises(UsageError, match="it must be a list"):
        model.sample_many(b"ab")
