"""What the Python names are handed by mistake is a UsageError that says what they expect."""

import numpy as np
import pytest

from char_rnn import ByteVocabulary, CharRNN, Corpus, SampleConfig, Vocabulary, one_hot
from char_rnn.errors import UnknownCharacters, UsageError

VOCABULARY = Vocabulary("abc\n")
MODEL = CharRNN(4, 6, "lstm", vocabulary=VOCABULARY, rng=np.random.default_rng(0))

MISTAKES = {
    "one text for many": (lambda: MODEL.sample_many("abc"), r"seeds.*\['abc'\]"),
    "one text for many, again": (lambda: MODEL.generate_many("abc"), r"\['abc'\]"),
    "many that are no texts": (lambda: MODEL.sample_many([1]), "list of texts"),
    "a seed that is none": (lambda: MODEL.sample(5), "seed is 5"),
    "no seed": (lambda: MODEL.sample(None), "seed is None"),
    "a number for settings": (lambda: MODEL.generate("a", 100), "SampleConfig"),
    "a number for a generator": (lambda: MODEL.sample("a", rng=1), "default_rng"),
    "a session's": (lambda: MODEL.session(rng=1), "default_rng"),
    "a search's seed": (lambda: MODEL.search(3), "seed is 3"),
    "a search's width": (lambda: MODEL.search("a", width=2.0), "width is 2.0"),
    "what is said": (lambda: MODEL.session().turn(5), "text is expected"),
    "ragged inputs": (lambda: MODEL.forward([[1, 2], [3]]), "different lengths"),
    "inputs with fractions": (lambda: MODEL.forward([1.5]), "whole"),
    "a state that is none": (lambda: MODEL.forward([1], 5), "state is 5"),
    "a state of other things": (lambda: MODEL.forward([1], ("x", "y")), "state is"),
    "half a state": (lambda: MODEL.forward([1], (np.zeros((1, 1, 6)),)), "state has the shape"),
    "sizes with fractions": (lambda: CharRNN(3.5), "vocab_size is 3.5"),
    "layers of words": (lambda: CharRNN(3, layers="two"), "layers is 'two'"),
    "a dtype that is none": (lambda: CharRNN(3, dtype="float99"), "float32"),
    "a file's dtype": (lambda: MODEL.save("x", dtype="float99"), "float16"),
    "a vocabulary that is none": (lambda: CharRNN(3, vocabulary="abc"), "Vocabulary"),
    "fed a fraction": (lambda: VOCABULARY.decoder().feed(1.5), "1.5 is no id"),
    "fed a letter": (lambda: VOCABULARY.decoder().feed("a"), "'a' is no id"),
    "fed what is not there": (lambda: VOCABULARY.decoder().feed(-1), "-1 is no id"),
    "fed a list": (lambda: VOCABULARY.decoder().feed([1]), "no id"),
    "fed no byte": (lambda: ByteVocabulary().decoder().feed(300), "300 is no id.*255"),
    "fed half a byte": (lambda: ByteVocabulary().decoder().feed(1.5), "1.5 is no id"),
    "one hot, and a half": (lambda: one_hot(1.5, 3), "whole"),
    "one hot of letters": (lambda: one_hot("a", 3), "whole"),
    "one hot of half a vocabulary": (lambda: one_hot(0, 2.5), "whole"),
    "one hot of nothing": (lambda: one_hot(0, 0), "no place"),
    "ids with fractions": (lambda: VOCABULARY.decode([1.5]), "float64"),
    "ids of letters": (lambda: VOCABULARY.decode("ab"), "whole"),
    "no ids": (lambda: VOCABULARY.decode(5), "sequence"),
    "bytes for a text": (lambda: VOCABULARY.encode(b"ab"), "text is expected"),
    "a number for a text": (lambda: ByteVocabulary().encode(5), "text is expected"),
    "a vocabulary of bytes": (lambda: Vocabulary(b"ab"), "text is expected"),
    "a corpus of nothing": (lambda: Corpus.from_text(None), "text is expected"),
    "one stop text": (lambda: SampleConfig(stop="\n\n"), "stop.*tuple"),
    "one word": (lambda: SampleConfig(words="sword"), "words.*tuple"),
    "one strategy": (lambda: SampleConfig(order="top_k"), "order.*tuple"),
    "stops that are no texts": (lambda: SampleConfig(stop=(1,)), "texts"),
    "a bias in a mapping": (lambda: SampleConfig(bias={"e": 1}), "pairs"),
    "a bias in a text": (lambda: SampleConfig(bias="e=1"), "pairs"),
    "a bias of two characters": (lambda: SampleConfig(bias=(("ee", 1),)), "character"),
    "a bias without a limit": (lambda: SampleConfig(bias=(("e", np.inf),)), "inf"),
    "a list of what is forbidden": (lambda: SampleConfig(forbid=["a"]), "forbid"),
    "an expression that is none": (lambda: SampleConfig(regex=5), "regex"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    call, said = MISTAKES[name]
    with pytest.raises(UsageError, match=said) as error:
        call()
    assert "\n" not in str(error.value)


def test_what_is_right_goes_through():
    assert SampleConfig(stop=["a"], bias=[["e", 1]]).bias == (("e", 1),)
    assert one_hot(np.int64(1), np.int64(3)).ravel().tolist() == [0, 1, 0]
    assert VOCABULARY.decode(np.array([1, 2], np.uint8)) == "ab"
    assert VOCABULARY.decode([]) == VOCABULARY.decode(np.zeros(0)) == ""
    assert VOCABULARY.decoder().feed(np.int64(1)) == "a"
    assert CharRNN(np.int64(4), layers=np.int32(2)).config.layers == 2
    assert len(MODEL.sample_many(("a", "b"), 3)) == 2


def test_backward_needs_a_forward_before_it():
    model = CharRNN(4, 6, rng=np.random.default_rng(0))
    for _ in range(2):
        with pytest.raises(UsageError, match=r"call forward\(inputs\) first"):
            model.backward([1, 2])
        model.forward([1, 2])
        model.backward([2, 3])


def test_letters_that_look_the_same_are_told_apart():
    """é is one code point, or e and another one."""
    decomposed, composed = "cafe\u0301", "caf\u00e9"
    for known, other, form in ((decomposed, composed, "NFD"), (composed, decomposed, "NFC")):
        vocabulary = Vocabulary(known)
        assert vocabulary.best_form(other) == (form, known)
        assert vocabulary.best_form(known) == ("", known)
        with pytest.raises(UnknownCharacters, match=rf"U\+.*form {form}.*normalize\('{form}'"):
            vocabulary.encode(other)
    with pytest.raises(UnknownCharacters) as error:
        Vocabulary("abc").encode(composed)
    assert "NF" not in str(error.value) and "'f', 'é' (U+00E9)" in str(error.value)
    assert ByteVocabulary().best_form(composed) == ("", composed)
