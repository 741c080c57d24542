import dataclasses
import re

import numpy as np
import pytest
from drawings import assert_nothing_overlaps

from char_rnn import CharRNN, Vocabulary, lab
from char_rnn.errors import CharRNNError, UsageError
from char_rnn.lab import by_hand, trace
from char_rnn.lab.words import exact


def rnn(text="ab\n\t字é cd", hidden_size=20, seed=0, **more):
    vocabulary = Vocabulary(text)
    rng = np.random.default_rng(seed)
    return CharRNN(vocabulary.size, hidden_size, vocabulary=vocabulary, rng=rng, **more)


def test_the_exercises_example_has_its_numbers_where_they_are_right_and_the_right_ones_elsewhere():
    found = lab.run("trace")
    assert found.settings == {"model": "the exercise's example", "word": "ab "}
    first = found.numbers["steps"][0]
    assert np.round(first["h"], 4).tolist() == [0.0997, 0.3799]
    assert np.round(first["y"], 3).tolist() == [0.086, 0.182, 0.278]
    assert np.round(first["p"], 3).tolist() == [0.302, 0.332, 0.366]  # the exercise: 0.28 0.31 0.41
    assert round(first["loss"], 3) == 1.102  # the exercise: 1.17
    assert np.round(first["dy"], 3).tolist() == [0.302, -0.668, 0.366]
    assert found.numbers["largest_difference"] <= 1e-12
    chart = found.figure.chart()
    for shown in ("0.0997 0.3799", "0.0860 0.1819 0.2778", "0.3019 0.3323 0.3658", "1.1017 nats"):
        assert shown in chart
    assert "1.102 and not 1.17" in chart and "1.102 and not 1.17" in found.means


def test_every_number_follows_from_the_ones_before():
    found = lab.run("trace", model=rnn(), word="ab\t cd")
    W = trace.weights_of(exact(rnn()))
    later = np.zeros(20)
    for step in reversed([{k: np.array(v) for k, v in s.items()} for s in found.numbers["steps"]]):
        assert np.allclose(step["z"], step["from_input"] + step["from_state"] + W["b_h"])
        assert np.allclose(step["from_state"], W["W_hh"] @ step["h_before"])
        assert np.allclose(step["dh"], step["from_output"] + step["from_next"])
        assert np.allclose(step["from_next"], later)
        later = W["W_hh"].T @ step["dz"]


CELLS = [("rnn", {}), ("gru", {}), ("gru", {"reset_after": True}), ("lstm", {})]


# Measured over 20 models of each, of 1 to 256 units: the largest difference was 1.2e-14.
@pytest.mark.parametrize("cell, form", CELLS)
@pytest.mark.parametrize("hidden_size, seed", [(1, 0), (2, 1), (64, 2)])
def test_it_agrees_with_the_engine(cell, form, hidden_size, seed):
    """With a state to begin with, and both biases, as a model of PyTorch has them."""
    model = rnn(hidden_size=hidden_size, seed=seed, initial_state="learned", cell=cell, **form)
    rng = np.random.default_rng(seed)
    model.parameters.flat[:] += rng.normal(0, 0.3, model.parameters.flat.size)
    found = lab.run("trace", model=model, word="ab\n字é")
    assert found.numbers["largest_difference"] < 1e-13
    assert found.numbers["loss"] == pytest.approx(
        sum(step["loss"] for step in found.numbers["steps"])
    )
    assert_nothing_overlaps(found.figure.canvas())


@pytest.mark.parametrize(
    "cell, form, name",
    [
        (cell, form, name)
        for cell, form in CELLS
        for name in trace.weights_of(rnn(cell=cell, **form))
    ],
)
def test_a_gradient_that_is_wrong_is_found(monkeypatch, cell, form, name):
    right = by_hand.PAGES[cell]

    def wrong(*given):
        steps, gradients, before = right(*given)
        gradients[name].flat[0] += 1e-9
        return steps, gradients, before

    monkeypatch.setitem(by_hand.PAGES, cell, wrong)
    with pytest.raises(CharRNNError, match=r"differ by 1.0e-09"):
        lab.run("trace", model=rnn(cell=cell, **form))


def as_python(equation):
    """Return an equation, as it is printed, as Python."""
    for sign, code in {"·": "*", "−": "-", "σ": "sigmoid", "b'_n": "b2_n"}.items():
        equation = equation.replace(sign, code)
    equation = re.sub(r"tanh² (\w+)", r"tanh(\1)**2", equation)
    equation = re.sub(r"(tanh|softmax) (\w+)", r"\1(\2)", equation)
    equation = re.sub(r"([WU]_\w+ᵀ?) (?=[\w(])", r"\1 @ ", equation)
    return equation.replace("ᵀ", ".T").replace("²", "**2")


@pytest.mark.parametrize("cell, form", CELLS)
def test_the_equations_that_are_printed_give_the_numbers(cell, form):
    model = rnn(cell=cell, initial_state="learned", **form)
    model.parameters.flat[:] += np.random.default_rng(0).normal(0, 0.3, model.parameters.flat.size)
    steps = [
        {name: np.array(value) for name, value in step.items()}
        for step in lab.run("trace", model=model, word="ab cd").numbers["steps"]
    ]
    known = {"tanh": np.tanh, "sigmoid": by_hand.sigmoid}
    known["softmax"] = lambda y: np.exp(y) / np.exp(y).sum()
    known |= trace.weights_of(exact(model))
    known["b2_n"] = known.get("b'_n")
    known |= {f"{name}_0": steps[0].get(f"{name}_before") for name in "hc"}
    known |= {f"{name}_{t}": v for t, step in enumerate(steps, 1) for name, v in step.items()}
    rows = trace.KINDS[cell, bool(form)][1]
    done = set()
    for t, step in enumerate(steps, 1):
        for key, _, equation in (*rows.forward, *rows.backward):
            said = equation.format(t=t, b=t - 1, n=t + 1, target="")
            said = said.replace("that of the next step", f"dc_next_{t}")
            of_next, later = f" of step {t + 1}" in said, key.endswith("_next")
            if "one-hot" in said or said in ("", "their sum") or "through" in said:
                continue
            if later and t == len(steps):
                continue
            unmarked = steps[t if of_next else t - 1]
            here = known | {name: unmarked[name] for name in unmarked if name.startswith("da_")}
            value = eval(as_python(said.replace(f" of step {t + 1}", "")), {}, here)
            assert np.allclose(value, step[key]), (key, said)
            done.add(key)
    assert len(done) == {"rnn": 7, "gru": 14, "lstm": 20}[cell]


def test_gates_are_those_of_the_model():
    model = exact(rnn(cell="lstm"))
    states, gates = model.states("ab", gates=True)
    for t, step in enumerate(lab.run("trace", model=model, word="abc").numbers["steps"]):
        for name in "ifgo":
            assert np.allclose(step[name], gates[name][t, 0, 0])
        assert np.allclose(step["h"], states[0][t, 0, 0])
        assert np.allclose(step["c"], states[1][t, 0, 0])


@pytest.mark.parametrize("word", ["ab", "ab\n\t字é", "ab cd "])
@pytest.mark.parametrize("hidden_size", [2, 100])
def test_nothing_overlaps_and_odd_characters_have_names(word, hidden_size):
    found = lab.run("trace", model=rnn(hidden_size=hidden_size), word=word)
    assert_nothing_overlaps(found.figure.canvas())
    chart = found.figure.chart()
    assert chart.replace("\n", "").isprintable()
    for char, name in (("\n", "line end"), ("\t", "tab"), ("字", "U+5B57"), (" ", "space")):
        assert (char in word) <= (name in chart)


def test_large_arrays_are_shown_by_their_first_numbers():
    found = lab.run("trace", model=rnn(hidden_size=100), word="ab")
    assert "… (100)" in found.figure.chart() and "… (100 × 100)" in found.figure.chart()
    assert found.numbers["gradients"]["W_hh"]["shape"] == [100, 100]


@pytest.mark.parametrize(
    "given, told",
    [
        ({"word": "abc"}, r"knows a, b and space only; name a model"),
        ({"word": "a"}, r"must have 2 to 6"),
        ({"word": ""}, r"must have 2 to 6"),
        ({"word": "ab" * 4}, r"has 8 characters; it must have 2 to 6"),
        ({"word": "xy", "model": rnn()}, r"does not know the characters 'x', 'y'"),
        ({"model": rnn(cell="lstm", layers=2)}, r"the model is 2 × lstm; .* see .* unroll"),
        ({"model": rnn(layers=2)}, r"the model is 2 × rnn"),
        ({"model": rnn(layer_norm=True)}, r"the model is 1 × rnn, layer_norm"),
        ({"model": rnn(tied=True, hidden_size=9)}, r"the model is 1 × rnn, tied"),
        ({"model": CharRNN(3, 2)}, r"no vocabulary"),
    ],
)
def test_what_cannot_be_traced_is_told(given, told):
    with pytest.raises(UsageError, match=told):
        lab.run("trace", **given)


def test_a_model_that_does_not_know_the_usual_word_is_traced_over_its_own():
    found = lab.run("trace", model=rnn("xyz\n"))
    assert len(found.settings["word"]) == 3 and set(found.settings["word"]) <= set("xyz\n")


def test_the_model_is_left_as_it_is():
    model = rnn()
    before = model.parameters.flat.copy()
    lab.run("trace", model=model)
    assert dataclasses.asdict(model.config)["dtype"] == "float32"
    assert np.array_equal(model.parameters.flat, before)
