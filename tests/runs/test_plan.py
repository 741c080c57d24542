"""The plan for a text and a time: it fits, it explains itself, and it leaves the user's choices."""

import dataclasses

import numpy as np
import pytest

from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.lab.min_gru import MinGRU
from char_rnn.runs import plan
from char_rnn.runs.plan import LADDER, TEXT, USUAL_RATE, make_plan, measure, sum_of_products
from char_rnn.tables import CELLS


@pytest.fixture
def machine(monkeypatch):
    """A machine that makes a thousand million multiplications a second."""
    monkeypatch.setattr(
        plan, "measure",
        lambda model, T, B, threads, seconds: 1e9 / sum_of_products(
            model.cell, model.vocab_size,
            LADDER[0]._replace(layers=model.layers, hidden_size=model.hidden_size),
        ),
    )  # fmt: skip


def sizes(minutes, length=1_000_000, **given):
    made = make_plan(length, length / 10, 65, minutes, 2, given)
    TrainConfig(minutes=minutes, **{k: v for k, v in made.train.items() if k not in given})
    ModelConfig(65, **({"hidden_size": 8} | made.model))
    return made


def test_more_time_takes_larger_models(machine):
    plans = [sizes(minutes) for minutes in (0.01, 0.1, 1, 10, 100, 1000, 10_000)]
    weights = [p.model["layers"] * p.model["hidden_size"] for p in plans]
    assert weights == sorted(weights)
    assert weights[0] == 128 and weights[-1] == 1024 and len(set(weights)) >= 4


def test_each_model_reads_what_it_needs(machine):
    for minutes in (0.1, 1, 5, 20, 100, 500):
        model = sizes(minutes).model
        rung = next(r for r in LADDER if r[:2] == (model["layers"], model["hidden_size"]))
        assert 60 * minutes * 1e9 / sum_of_products("gru", 65, rung) >= rung.characters


@pytest.mark.parametrize(
    "where, share", [("layer_dropout", 1), ("output_dropout", 1), ("recurrent_dropout", 0.5)]
)
def test_what_is_seen_more_often_is_hidden_more_often(machine, where, share):
    lengths = (1e8, 1e6, 1e5, 1e4, 1e3)
    rates = [sizes(10, length, layers=2).train[where] for length in lengths]
    assert rates == sorted(rates) and rates[0] == 0
    assert 0.3 * share <= rates[-1] <= 0.5 * share


def test_dropout_on_the_output_comes_last(machine):
    """What calibration takes back is left to it, until the text is known by heart."""
    few, many = (sizes(10, length, layers=2).train for length in (3e5, 1e4))
    assert few["layer_dropout"] > 0 == few["output_dropout"]
    assert many["output_dropout"] == many["layer_dropout"]


def test_larger_networks_take_smaller_steps(machine):
    made = [(256, 1), (64, 1), (256, 4)]
    rates = [sizes(10, hidden_size=H, layers=L).train["learning_rate"] for H, L in made]
    assert rates == [TEXT.learning_rate, 2 * TEXT.learning_rate, TEXT.learning_rate / 2]
    assert TEXT.learning_rate > USUAL_RATE


def test_short_runs_evaluate_twice(machine):
    counts = [iterations(p) / p.train["eval_every"] for p in map(sizes, (0.1, 1, 1000))]
    assert np.allclose(counts, [2.5, 4.5, 20.5], rtol=0.02)


def iterations(made):
    return int(made.reasons[-1].split()[1].replace(",", ""))


def test_what_the_user_sets_is_respected(machine):
    given = {"hidden_size": 96, "layers": 3, "cell": "lstm", "learning_rate": 0.1, "reset": 0.0}
    made = sizes(10, 100_000, **given)
    assert not set(given) & (set(made.model) | set(made.train))
    assert "lstm" in made.reasons[0] and "3 × 96" in made.reasons[1]
    assert made.train["layer_dropout"] > 0  # which belongs to the three layers


def test_speed_is_measured():
    slow = measure(ModelConfig(20, 256, "lstm", 2), 20, 8, 1, 0.05)
    fast = measure(ModelConfig(20, 16, "rnn"), 20, 8, 1, 0.05)
    assert np.isfinite(slow) and 0 < slow < fast / 3


def test_the_form_that_was_asked_for_is_the_one_that_is_timed(monkeypatch):
    timed = []
    monkeypatch.setattr(plan, "measure", lambda model, *_: timed.append(model) or 1e5)
    for given in ({}, {"reset_after": False}, {"cell": "lstm", "layer_norm": True, "tied": True}):
        timed.clear()
        sizes(2, **given)
        model = ModelConfig(65, cell=given.get("cell", "gru"), **{"reset_after": None} | {
            k: v for k, v in given.items() if k != "cell"
        })  # fmt: skip
        for found in timed:
            assert (
                dataclasses.replace(model, hidden_size=found.hidden_size, layers=found.layers)
                == found
            )


def test_the_cell_says_what_it_multiplies(machine):
    CELLS.setdefault("mingru", MinGRU)
    for layers in (1, 3):
        rung = LADDER[0]._replace(layers=layers, hidden_size=32)
        for cell, gates in (("rnn", 1), ("gru", 3), ("lstm", 4)):
            expected = gates * 32**2 * (2 * layers - 1) + 65 * 32
            assert sum_of_products(cell, 65, rung) == expected
        assert sum_of_products("mingru", 65, rung) == 2 * 32**2 * (layers - 1) + 65 * 32


def test_nothing_is_left_out_of_recurrent_weights_that_a_cell_does_not_have(machine):
    CELLS.setdefault("mingru", MinGRU)
    assert sizes(10, 10_000).train["recurrent_dropout"] > 0
    train = sizes(10, 10_000, cell="mingru").train
    assert train["recurrent_dropout"] == 0 < train["output_dropout"]


def test_short_documents_have_a_way_of_their_own(machine):
    def made(documents, minutes=20):
        return make_plan(200_000, 2e4, 27, minutes, 2, {}, documents=documents)

    names, poems, text = made(30_000), made(1_000), made(0)
    assert names.model["layers"] == 2 and names.train["reset"] == 0 == poems.train["reset"]
    assert names.train["output_dropout"] < text.train["output_dropout"]
    assert names.train["learning_rate"] < text.train["learning_rate"]
    differ = {k for k, v in poems.train.items() if v != text.train[k]}
    assert poems.model == text.model and differ == {"reset", "random_offset"}
    assert made(30_000, 1000).model["hidden_size"] > names.model["hidden_size"]
