"""What the Python names are handed by mistake is a UsageError that says what they expect."""

import copy
import json
import pickle

import numpy as np
import pytest

from char_rnn import (
    ByteVocabulary,
    CharRNN,
    Corpus,
    SampleConfig,
    TrainConfig,
    Trainer,
    Vocabulary,
    cross_entropy,
    one_hot,
)
from char_rnn.errors import UnknownCharacters, UsageError
from char_rnn.training.clipping import clip_by_norm
from char_rnn.training.optimisers import Adam

VOCABULARY = Vocabulary("abc\n")
MODEL = CharRNN(4, 6, "lstm", vocabulary=VOCABULARY, rng=np.random.default_rng(0))

OTHER = CharRNN(5, 3, rng=np.random.default_rng(0))
CORPUS = Corpus.from_text("abc\n" * 50)
BEGUN = Adam()
BEGUN.begin(OTHER.parameters)

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
    "a setting that is none": (
        lambda: MODEL.sample("a", tempratur=1), "'tempratur' .did you mean 'temperature'"),
    "a setting of many": (lambda: MODEL.sample_many(["a"], beam=3), "unknown setting 'beam'"),
    "a number for a file": (lambda: CharRNN.load(3), "path is 3; it must be a path"),
    "nothing for a file": (lambda: MODEL.save(None), "path is None; it must be a path"),
    "a number for many ids": (lambda: MODEL.states(2), r"ids have the shape \(\)"),
    "a number to be surprised at": (lambda: MODEL.surprisal(2), r"ids have the shape \(\)"),
    "a state of another width": (
        lambda: MODEL.forward([1], (np.zeros((1, 1, 5)),) * 2),
        r"shape \(1, 1, 5\), \(1, 1, 5\); expected a pair \(h, c\), each .* \(1, 1, 6\)"),
    "loss and gradients for gradients": (
        lambda: Adam().step(MODEL.parameters, (1.0, MODEL.parameters), 0.1),
        "gradients are tuple; they must be Parameters"),
    "a model for its parameters": (
        lambda: Adam().step(MODEL, MODEL.parameters, 0.1), "parameters are CharRNN"),
    "gradients of another network": (
        lambda: Adam().step(MODEL.parameters, OTHER.parameters, 0.1), "of the same network"),
    "an optimiser of another network": (
        lambda: BEGUN.step(MODEL.parameters, MODEL.parameters, 0.1), "begun with another network"),
    "clipping an array": (
        lambda: clip_by_norm(MODEL.parameters.flat, 1.0), "gradients are ndarray"),
    "a trainer without a corpus": (
        lambda: Trainer(MODEL, "abc", TrainConfig()), "corpus is 'abc'; it must be a Corpus"),
    "a trainer without settings": (
        lambda: Trainer(MODEL, CORPUS, None), "config is None; it must be a TrainConfig"),
    "a trainer of other characters": (
        lambda: Trainer(MODEL, Corpus.from_text("wxyz\n" * 50), TrainConfig(epochs=1)),
        "the model knows other characters"),
    "a trainer's generator": (
        lambda: Trainer(MODEL, CORPUS, TrainConfig(epochs=1), rng=3), "default_rng"),
    "a gradient before there is one": (
        lambda: OTHER.state_gradient, "state_gradient is what a backward leaves"),
    "a corpus of a text for a vocabulary": (
        lambda: Corpus.from_text("abc", "abc"), "vocabulary is 'abc'; it must be a Vocabulary"),
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
    config = TrainConfig(batch_size=np.int64(3), learning_rate=np.float32(0.5))  # as of a sweep
    assert json.dumps(config.to_dict()) == json.dumps(
        TrainConfig(batch_size=3, learning_rate=0.5).to_dict()
    )
    assert len(MODEL.sample_many(("a", "b"), 3)) == 2


def test_a_loss_of_one_stream_takes_its_targets_as_they_are():
    logits, _ = MODEL.forward([1, 2, 3])  # (T, 1, V)
    alone, apart = cross_entropy(logits, [2, 3, 0]), cross_entropy(logits, [[2], [3], [0]])
    assert alone[0] == apart[0] and alone[1].shape == logits.shape
    np.testing.assert_array_equal(alone[1], apart[1])


def test_objects_say_what_they_are():
    assert repr(CORPUS) == "Corpus(text, 200 characters, 4 distinct)"
    assert repr(OTHER.parameters).startswith("Parameters(47 numbers: rnn.weight_ih_l0 (3, 5), ")
    trainer = Trainer(MODEL, CORPUS, TrainConfig(epochs=1, threads=1))
    assert repr(trainer) == f"Trainer({MODEL!r}, {CORPUS!r}, iteration 0)"


@pytest.mark.parametrize(
    "twin",
    [copy.deepcopy, copy.copy, CharRNN.copy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["deepcopy", "copy", "its own copy", "pickle"],
)
def test_a_copy_has_weights_of_its_own_and_they_are_what_it_computes_with(twin):
    model = CharRNN(4, 6, "lstm", vocabulary=VOCABULARY, rng=np.random.default_rng(0))
    before = model.forward([1, 2])[0]
    other = twin(model)
    np.testing.assert_array_equal(other.forward([1, 2])[0], before)
    other.parameters.flat[:] = 0
    assert not other.parameters["out.weight"].any() and not other.forward([1, 2])[0].any()
    np.testing.assert_array_equal(model.forward([1, 2])[0], before)
    assert other.vocabulary == VOCABULARY


def test_copied_parameters_are_views_of_one_array():
    twin = copy.deepcopy(MODEL.parameters)
    twin.flat[:] = 7
    assert (twin["out.bias"] == 7).all() and not (MODEL.parameters["out.bias"] == 7).any()


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
