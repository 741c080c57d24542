"""What is written of documents: from where one begins to where one ends, new ones, each once."""

import re

import numpy as np
import pytest

from char_rnn import CharRNN, SampleConfig, Vocabulary
from char_rnn.data.vocabulary import ByteVocabulary
from char_rnn.errors import ConstraintNotMet, UsageError

LETTERS = "abc"


def rng(seed=0):
    return np.random.default_rng(seed)


def model_of(vocabulary, cell="gru"):
    """Return a network of random weights for which every symbol is about as likely."""
    return CharRNN(vocabulary.size, 8, cell, vocabulary=vocabulary, rng=rng())


@pytest.fixture
def model():
    return model_of(Vocabulary(LETTERS, documents="lines"))


def lengths(texts):
    return np.array([len(text) for text in texts])


def test_one_begins_and_ends_as_documents_do(model):
    texts = ["".join(model.generate("", SampleConfig(30), rng(k))) for k in range(200)]
    assert set("".join(texts)) == set(LETTERS)
    found = lengths(texts)
    # One symbol of four ends it: a geometric distribution.
    assert 2 < found.mean() < 4.5 and found.min() == 0
    model.parameters["out.bias"][model.config.end] = -100
    assert (lengths(["".join(model.generate("", SampleConfig(30), rng()))]) == 30).all()


def test_the_first_symbol_is_what_follows_the_beginning_of_a_document(model):
    """Not what follows a line end, which the model does not know."""
    p = np.exp(model.forward(np.array([model.config.end]))[0][0, 0].astype(float))
    p /= p.sum()
    texts = model.sample_many([""] * 4000, 20, 1.0, rng())
    first = [text[:1] for text in texts]
    shares = [first.count(char) / 4000 for char in (*LETTERS, "")]
    np.testing.assert_allclose(shares, p, atol=0.03)


def test_a_batch_is_what_single_texts_are(model):
    config = SampleConfig(25)
    many = model.generate_many(["", "ab", "c"] * 30, config, rng())
    assert 1.5 < lengths(many).mean() < 5 and "\n" not in "".join(many)
    one = model.generate_many(["ab"], config, rng(5))[0]
    assert one == "".join(model.generate("ab", config, rng(5)))


def test_a_conversation_and_a_search_end_too(model):
    session = model.session(SampleConfig(40, 1.0), rng())
    answers = ["".join(session.turn("a")) for _ in range(20)]
    assert lengths(answers).mean() < 10 and "\n" not in session.text
    found = model.search("", SampleConfig(20), width=4, results=4)
    model.parameters["out.bias"][model.config.end] = 100
    assert [f.text for f in model.search("", SampleConfig(20), width=2)] == [""]
    assert all("\n" not in f.text for f in found)


@pytest.mark.parametrize("settings", [{"regex": "[ab]+c"}, {"regex": "a*b{2,5}"}, {"close": True}])
def test_conditions_hold_and_documents_end(settings):
    vocabulary = Vocabulary("abc()", documents="blank")
    model = model_of(vocabulary)
    config = SampleConfig(40, 1.0, **settings)
    texts = ["".join(model.generate("", config, rng(k))) for k in range(40)]
    assert "\n" not in "".join(texts) and lengths(texts).mean() < 20
    for text in texts:
        if "regex" in settings:
            assert re.fullmatch(settings["regex"], text), text
        else:
            assert text.count("(") == text.count(")")


def test_a_condition_is_met_before_a_document_ends():
    model = model_of(Vocabulary("abc ", documents="lines"))
    config = SampleConfig(60, 1.0, words=("ca",))
    texts = ["".join(model.generate("", config, rng(k))) for k in range(10)]
    assert all("ca" in text.split(" ") for text in texts)
    assert any(len(text) < 60 for text in texts)


def test_code_does_not_end_with_a_document():
    model = model_of(Vocabulary("a=1\n", documents="files"))
    model.parameters["out.bias"][model.config.end] = 3
    text = "".join(model.generate("a=1\n", SampleConfig(20, code="python"), rng()))
    compile(text, "t", "exec")


@pytest.mark.parametrize("documents", ["", "lines"])
def test_rare_characters_are_never_written(documents):
    vocabulary = Vocabulary(LETTERS, rare=True, documents=documents)
    model = model_of(vocabulary)
    model.parameters["out.bias"][vocabulary.rare] = 20
    config = SampleConfig(50, 5.0)
    texts = [
        *model.generate_many(["a"] * 40, config, rng()),
        "".join(model.generate("axa", config, rng())),
        "".join(model.session(config, rng()).turn("a")),
        "".join(model.generate("a", SampleConfig(9, regex="[a-z]{5}"), rng())),
        *(found.text for found in model.search("a", SampleConfig(9), width=3, results=3)),
    ]
    assert set("".join(texts)) <= set(LETTERS)


def test_documents_of_bytes():
    model = model_of(ByteVocabulary("files"))
    model.parameters["out.bias"][:] = -5
    model.parameters["out.bias"][[0xC3, 0xA9, 256]] = 5
    whole = b"".join(model.generate(b"\xff", SampleConfig(80, 1.0), rng()))
    assert set(whole) <= {0xC3, 0xA9} and len(whole) < 80
    assert all(isinstance(text, bytes) for text in model.sample_many([b"a"] * 5, rng=rng()))
    text = model.sample("a", 60, rng=rng(1))
    assert text.startswith("a") and "\n" not in text


def test_new_ones_are_new_and_unique_ones_unique(model):
    config = SampleConfig(30, 1.0)
    known = {"a", "b", "ab"}
    texts = list(model.generate_new(300, known, config=config, rng=rng()))
    assert len(texts) == len(set(texts)) == 300 and not {"", *known} & set(texts)
    again = list(model.generate_new(300, known, config=config, rng=rng(), threads=1))
    assert texts == again
    repeated = list(model.generate_new(300, known, config=config, rng=rng(), unique=False))
    assert len(repeated) == 300 > len(set(repeated)) and not known & set(repeated)
    seeded = list(model.generate_new(5, {"ca"}, "c", config, rng()))
    assert all(text.startswith("c") for text in seeded) and "ca" not in seeded


@pytest.mark.parametrize("documents", ["", "lines"])
def test_new_ones_of_bytes(documents):
    model = model_of(ByteVocabulary(documents))
    model.parameters["out.bias"][:] = -50
    model.parameters["out.bias"][[ord("\n") if not documents else 256, 0xC3, 0xA9]] = 5
    config = SampleConfig(6, 1.0, lines=0 if documents else 1)
    some = set(model.generate_new(12, (), b"\xc3", config, rng()))
    assert len(some) == 12 and all(text.startswith(b"\xc3") for text in some)
    seen = [b"\xc3", b"\xc3\xa9"]  # the shortest, which come again and again
    assert some > set(seen)
    new = list(model.generate_new(300, seen, b"\xc3", config, rng(), unique=False))
    assert len(new) == 300 and not {*seen} & {*new}
    # As a text, what is known may be texts or bytes; as bytes, too.
    for known in ({"é"}, {b"\xc3\xa9"}):
        texts = set(model.generate_new(30, known, "", config, rng()))
        assert "é" not in texts and all(isinstance(text, str) for text in texts)
        assert b"\xc3\xa9" not in set(model.generate_new(30, known, b"", config, rng()))
    assert "é" in set(model.generate_new(30, (), "", config, rng()))
    text = next(model.generate_new(1, (), "\ud800", config, rng()))  # of no UTF-8 at all
    assert text.startswith("\ud800")


def test_where_there_are_no_more_it_says_so(model):
    texts = model.generate_new(50, config=SampleConfig(2, 1.0), rng=rng())
    found = []
    with pytest.raises(ConstraintNotMet, match="12 were new"):  # 3 of one letter, 9 of two
        found.extend(text for text in texts)
    assert len(set(found)) == 12
    with pytest.raises(UsageError, match="count"):
        model.generate_new(0)
