"""A conversation is one text, whatever turns it came in."""

import dataclasses

import numpy as np
import pytest

from char_rnn import CharRNN, SampleConfig, Vocabulary
from char_rnn.data.vocabulary import ByteVocabulary
from char_rnn.errors import UnknownCharacters, UsageError

VOCABULARY = Vocabulary("abc\n")


@pytest.fixture(params=[("rnn", False), ("gru", False), ("gru", True), ("lstm", False)])
def model(request):
    cell, after = request.param
    made = CharRNN(
        4, 16, cell, 2, after, "float64", np.random.default_rng(0), VOCABULARY, init="uniform"
    )  # fmt: skip
    # Large weights, so that what was read long ago decides what is written.
    made.parameters.flat[:] = 1.5 * np.random.default_rng(1).standard_normal(
        made.parameters.flat.size
    )
    return made


def test_the_state_is_kept(model):
    """Greedy: what the second turn says is what the model says after the whole text so far."""
    session = model.session(SampleConfig(12, 0))
    first = "".join(session.turn("ab"))
    second = "".join(session.turn("ca"))
    assert session.text == "ab" + first + "ca" + second
    before = "\n" + "ab" + first + "ca"
    assert model.sample(before, 12, 0) == before + second


def test_undo_takes_the_last_turn_back(model):
    session = model.session(SampleConfig(12, 0))
    first = "".join(session.turn("ab"))
    second = "".join(session.turn("c"))
    assert session.undo()
    assert session.text == "ab" + first
    assert "".join(session.turn("c")) == second
    assert session.undo() and session.undo() and not session.undo()
    assert session.text == "" and "".join(session.turn("ab")) == first


def test_settings_change_in_between(model):
    session = model.session(SampleConfig(5, 0), np.random.default_rng(0))
    list(session.turn("a"))
    session.config = dataclasses.replace(session.config, length=30, temperature=5.0)
    hot = "".join(session.turn("b"))
    assert len(hot) == 30 and len(set(hot)) == 4


@pytest.mark.parametrize("stop", [(), ("ab",), ("\n",)])
def test_an_answer_that_ends_early_is_remembered_as_it_was_shown(model, stop):
    session = model.session(SampleConfig(40, 1.0, stop=stop), np.random.default_rng(3))
    pieces = session.turn("a")
    shown = next(pieces, "") + next(pieces, "")
    pieces.close()
    assert session.text == "a" + shown
    session.config = SampleConfig(10, 0)
    went_on = "".join(session.turn("c"))
    before = "\na" + shown + "c"
    assert model.sample(before, 10, 0) == before + went_on


def test_what_cannot_be_read_changes_nothing(model):
    session = model.session(SampleConfig(5, 0))
    with pytest.raises(UnknownCharacters):
        session.turn("xyz")
    assert session.text == "" and not session.undo()
    with pytest.raises(UsageError, match="conversation"):
        model.session(SampleConfig(regex="a+"))


def test_bytes():
    model = CharRNN(256, 8, vocabulary=ByteVocabulary(), rng=np.random.default_rng(0))
    session = model.session(SampleConfig(9, 1.0), np.random.default_rng(0))
    "".join(session.turn("é"))
    assert session.text.startswith("é") and session.undo() and session.text == ""
