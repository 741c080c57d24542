import numpy as np
import pytest
from drawings import assert_nothing_overlaps

from char_rnn import ByteVocabulary, CharRNN, Vocabulary, cross_entropy, lab
from char_rnn.errors import UnknownCharacters, UsageError
from char_rnn.lab.words import exact

ODD = "a \n\t\x07字😀é́mW"  # a mark that joins the letter before it among them


def model_of(cell="rnn", layers=1, text=ODD, hidden_size=16, documents="", **more):
    vocabulary = Vocabulary(text, documents=documents)
    rng = np.random.default_rng(0)
    size = (vocabulary.size, hidden_size)
    return CharRNN(*size, cell=cell, layers=layers, vocabulary=vocabulary, rng=rng, **more)


@pytest.mark.parametrize("cell, layers", [("rnn", 1), ("gru", 2), ("lstm", 1), ("lstm", 2)])
def test_the_gradients_are_those_of_the_losses_by_the_states(cell, layers):
    """All of them, by central differences from the states themselves.

    Measured over 5 seeds of each: the norms differ by less than a part in 10⁸.
    """
    model = exact(model_of(cell, layers, "abc\n", 5))
    model.parameters.flat[:] *= 2
    word = "abcca"
    found = lab.run("unroll", model=model, word=word).numbers
    ids = model.vocabulary.encode("\n" + word)
    inputs, targets = ids[:-1], ids[1:]

    def losses(state, t):
        logits, _ = model.forward(inputs[t:], tuple(state) if cell == "lstm" else state)
        each = [cross_entropy(y, [k])[0] for y, k in zip(logits, targets[t:], strict=True)]
        return np.array([sum(each), each[-1]])

    state = None
    for t in range(1, len(inputs)):
        _, state = model.forward(inputs[t - 1 : t], state)
        flat = np.array(state)
        slopes = []
        for at in np.ndindex(flat.shape):
            step = np.zeros_like(flat)
            step[at] = 1e-5
            slopes.append((losses(flat + step, t) - losses(flat - step, t)) / 2e-5)
        norms = np.linalg.norm(slopes, axis=0)
        assert found["gradient_of_all_later"][t - 1] == pytest.approx(norms[0], rel=1e-6)
        assert found["gradient_of_the_last"][t - 1] == pytest.approx(norms[1], rel=1e-6)


@pytest.mark.parametrize("cell, layers", [("rnn", 1), ("gru", 2), ("lstm", 2)])
def test_losses_and_states_are_those_of_the_model(cell, layers):
    model = model_of(cell, layers)
    columns = lab.run("unroll", model=model, word="a \n\té").numbers["columns"]
    losses = [column["loss"] for column in columns]
    assert losses == pytest.approx(model.surprisal("a \n\té").tolist(), rel=1e-5)
    states = model.states("\na \n\t")
    h = (states[0] if cell == "lstm" else states)[:, -1, 0]
    norms = [column["norm"] for column in columns]
    assert norms == pytest.approx(np.linalg.norm(h, axis=-1).tolist(), rel=1e-5)
    for column in columns:
        (_, first), (_, second), (_, third) = column["likeliest"]
        assert first >= second >= third > 0
        if column["comes"] == column["likeliest"][0][0]:
            assert column["loss"] == pytest.approx(-np.log(first))


@pytest.mark.parametrize("length", range(1, 13))
def test_nothing_overlaps_and_odd_characters_have_names(length):
    cell, layers = [("rnn", 1), ("gru", 2), ("lstm", 3)][length % 3]
    word = (ODD + "WW")[:length]
    found = lab.run("unroll", model=model_of(cell, layers), word=word)
    assert_nothing_overlaps(found.figure.canvas())
    chart = found.figure.chart()
    assert chart.replace("\n", "").isprintable()
    names = {" ": "space", "\n": "line end", "\t": "tab", "\x07": "U+0007", "字": "U+5B57"}
    names |= {"😀": "U+1F600", "\u0301": "U+0301"}
    for char, name in names.items():
        assert (char in word) <= (name in chart)
    assert len(found.numbers["columns"]) == length


def test_a_word_begins_as_a_text_of_the_model_begins():
    names = model_of(documents="lines", text="abc")
    found = lab.run("unroll", model=names, word="ab").numbers
    assert [column["reads"] for column in found["columns"]] == ["start", "a"]
    bare = model_of(text="abc")
    found = lab.run("unroll", model=bare, word="ab").numbers
    assert [column["reads"] for column in found["columns"]] == ["a"]
    of_bytes = CharRNN(256, 4, vocabulary=ByteVocabulary())
    found = lab.run("unroll", model=of_bytes, word="é").numbers
    assert [column["comes"] for column in found["columns"]] == ["0xC3", "0xA9"]


def test_the_same_numbers_every_time_even_where_states_begin_at_random():
    model = model_of("lstm", initial_state="random")
    first, second = (lab.run("unroll", model=model, word="aWm").numbers for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "given, error, told",
    [
        ({"word": ""}, UsageError, "has 0 characters; it must have 1 to 12"),
        ({"word": "a" * 13}, UsageError, "has 13 characters; it must have 1 to 12"),
        ({"word": "xy", "model": model_of()}, UnknownCharacters, "'x', 'y'"),
        ({"word": "a", "model": model_of(text="abc")}, UsageError, "the model knows no line end"),
        ({"model": CharRNN(3, 2)}, UsageError, "no vocabulary"),
    ],
)
def test_what_cannot_be_unrolled_is_told(given, error, told):
    with pytest.raises(error, match=told):
        lab.run("unroll", **given)


def test_a_model_that_does_not_know_the_usual_word_reads_its_own():
    found = lab.run("unroll", model=model_of(text="xyz\n"))
    assert len(found.settings["word"]) == 8 and set(found.settings["word"]) <= set("xyz\n")


def test_the_shipped_model_reads_the_default_word():
    found = lab.run("unroll")
    assert len(found.numbers["columns"]) == 8
    assert "top one of 2 layers" in found.figure.chart()
