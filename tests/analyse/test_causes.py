"""Judgements of what was measured, made up to lie on both sides of every limit."""

import pytest

from char_rnn import TrainConfig
from char_rnn.analyse.causes import Case, with_causes
from char_rnn.analyse.collapse import Writing, collapse
from char_rnn.analyse.examination import Examination
from char_rnn.analyse.findings import HINT, ILL, Finding
from char_rnn.analyse.gradient_reach import Reach
from char_rnn.analyse.slow import Speeds, slow, speeds
from char_rnn.config import ModelConfig
from char_rnn.runs.curves import Curve, Curves

LEARNED = [3.0, 2.5, 2.0, 1.8, 1.7, 1.75]  # losses of tables of one to six characters
CURVES = Curves(
    "made",
    Curve([1, 1000], [100, 100_000], [0.1, 100.0], [3.5, 2.4]),
    Curve([1000], [100_000], [100.0], [2.5]),
    *(Curve([], [], [], []) for _ in range(2)),
)


def reached(characters, untrained=50):
    """Return an Examination's gradients that reach so far."""

    def reach(far):
        return Reach((1, far, far + 1), (1.0, 0.01, 0.0))

    return {"reach": reach(characters), "fresh": reach(untrained)}


def causes(seen, found=(), reason="finished", cell="lstm", trend="level", **train):
    measured = {
        "loss": 2.5,
        "grams": LEARNED,
        "length": 50_000,
        "parameters": 60_000,
        "kinds": 9000,
    }
    config = ModelConfig(60, 64, cell, init=train.pop("init", "orthogonal"))
    settings = {"iterations": 1000, "learning_rate": 0.008} | train
    examination = Examination(**(measured | seen))
    case = Case(CURVES, TrainConfig(**settings), config, trend, reason, examination)
    return with_causes(case, list(found))


def first(*args, **more):
    return causes(*args, **more)[0]


def test_how_much_of_a_table_of_three_was_learned():
    assert Examination(loss=2.0, grams=LEARNED).learned == 1.0
    assert Examination(loss=3.0, grams=LEARNED).learned == 0.0
    assert Examination(loss=2.0, grams=[3.0, 2.99, 2.95]).learned is None
    assert Examination(loss=2.0).learned is None


def test_a_run_is_poor_below_nine_tenths_of_it():
    assert causes({"loss": 2.09}) == []
    poor = first({"loss": 2.11})
    assert (poor.name, poor.severity) == ("poor", ILL) and "it learned 89% of that" in poor.evidence
    assert poor.settings == {"hidden_size": 128, "iterations": 2000}
    assert "on text that it trained on" in first({"loss": 2.11, "held_out": False}).evidence


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"learning_rate": 0.033}, {"learning_rate": 0.008}),
        ({"learning_rate": 0.031}, {"hidden_size": 128, "iterations": 2000}),
        ({"learning_rate": 0.0019}, {"learning_rate": 0.008}),
        ({"optimizer": "sgd"}, {"optimizer": "adam", "learning_rate": 0.008}),
        ({"output_dropout": 0.6}, {"output_dropout": 0.15}),
        ({"recurrent_dropout": 0.6}, {"recurrent_dropout": 0.15}),
        ({"seq_length": 9}, {"seq_length": 50}),
    ],
)
def test_what_is_unusual_is_changed(settings, remedy):
    found = (
        first({"kinds": 10**6}, **settings) if "iterations" not in remedy else first({}, **settings)
    )
    assert found.name == "poor" and found.settings == remedy
    assert all(f"--{name} " in found.remedy for name in remedy)


def test_a_gradient_has_vanished_where_it_reaches_fewer_than_four_characters():
    assert first(reached(3.9), cell="rnn").settings == {"cell": "gru"}
    assert first(reached(3.9), cell="rnn", init="normal").settings == {
        "init": "orthogonal", "cell": "gru",
    }  # fmt: skip
    assert first(reached(3.9)).settings == {"learning_rate": 0.008}
    saturated = first(reached(2.0) | {"saturation": 0.51})
    assert saturated.settings == {"learning_rate": 0.0008} and "51%" in saturated.evidence
    assert first(reached(2.0) | {"saturation": 0.49}).settings == {"learning_rate": 0.008}
    assert first(reached(4.0)).name == "poor"
    assert first(reached(3.9, 15)).name == "poor"  # no untrained one reaches much farther
    assert causes(reached(2.0) | {"loss": 2.0}) == []  # what it learned, it learned


def test_where_no_table_knows_more_it_may_lie_farther_back_than_any_gradient_reaches():
    stuck = Finding("poor", ILL, "Stuck.", numbers={"unigram": 3.0})
    unknown = {"loss": 3.0, "grams": [3.0, 3.0, 3.0]}
    assert first(reached(12) | unknown, [stuck]).name == "vanishing"
    poor = first(reached(13) | unknown, [stuck])
    assert poor.name == "poor" and "there may be nothing to learn" in poor.evidence


def test_what_the_curves_say_goes_first_while_they_move():
    def falling(fall):
        return Finding("too short", HINT, "It fell.", numbers={"fall": fall})

    fast, slowly = falling(0.026), falling(0.024)  # of 0.5 that are left
    assert [f.name for f in causes({"kinds": 10**6}, [fast])] == ["too short"]
    assert causes({}, [fast])[0].evidence.startswith("Its loss is 2.500")
    small = causes({"kinds": 10**6}, [slowly])
    assert [(f.name, f.severity) for f in small] == [("too small", ILL), ("too short", HINT)]
    assert [(f.name, f.severity) for f in causes({}, [slowly])] == [("too short", ILL)]
    over = Finding("overfitting", HINT, "It rose.", numbers={"rise": 0.05})
    assert [(f.name, f.severity) for f in causes({}, [over])] == [("overfitting", ILL)]
    assert causes({"loss": 2.0}, [over]) == [over]
    foreign = Finding("foreign", ILL, "Foreign.")
    assert causes({"loss": 3.0}, [foreign]) == [foreign]
    # Saturated units do not learn, whatever still falls.
    assert first(reached(2) | {"saturation": 0.9}, [fast]).name == "vanishing"
    assert first(reached(2), [fast]).name == "too short"


def test_a_small_model_has_few_parameters_and_learns_nothing_by_heart():
    assert first({"kinds": 30_001}).name == "too small"
    assert first({"kinds": 30_000}).name == "poor"
    assert first({"kinds": 30_001, "loss": 2.71}).name == "poor"  # 0.31 above the training loss
    assert first({"kinds": 30_001}).settings == {"hidden_size": 128}
    (hint,) = causes({"loss": 2.0, "length": 10**6}, cell="rnn")
    assert hint.settings == {"hidden_size": 512}  # a parameter for every four characters
    # One that is not poor has a hint, where a longer table knows more and has more to go by.
    (hint,) = causes({"loss": 2.0, "length": 600_001})
    assert (hint.name, hint.severity) == ("too small", HINT) and "five" not in hint.evidence
    assert "a table of 5 characters 1.700" in hint.evidence
    for other in ({"length": 600_000}, {"loss": 1.74}):
        assert causes({"loss": 2.0, "length": 600_001} | other) == []
    assert causes({"loss": 2.0, "length": 600_001}, trend="falling") == []


def test_an_interrupted_run_is_not_asked_why_it_is_poor():
    unseen = Finding("trend", "unseen", "It was stopped on its way.")
    assert causes({}, [unseen], reason="interrupted") == [unseen]
    assert first(reached(2), [unseen], reason="interrupted").name == "vanishing"


def test_a_run_that_has_hardly_begun():
    short = first({"length": 100_001})
    assert short.name == "too short" and short.settings == {"iterations": 2000}
    assert "after 100,000 characters of a text of 100,001" in short.evidence
    assert first({}, warmup=500).name == "too short"
    assert first({}, warmup=499).name == "poor"


REAL = Writing(0.1, 0.6, 1.5)


def test_collapse_is_held_against_the_real_text():
    def found(own, free=REAL, real=REAL, temperature=0.8):
        return list(collapse(temperature, own, free, real))

    assert not found(Writing(0.39, 0.5, 1.0)) and found(Writing(0.4, 0.5, 1.0))
    assert not found(Writing(0.0, 0.3, 1.0)) and found(Writing(0.0, 0.29, 1.0))
    assert not found(Writing(0.29, 0.0, None), real=None)
    (loops,) = found(Writing(0.3, 0.0, None), real=None)
    assert "of the real text" not in loops.evidence
    (loops,) = found(Writing(0.9, 0.1, 0.2))
    assert loops.settings == {"temperature": 1.0} and "0.20 nats" in loops.evidence
    assert found(Writing(0.9, 0.1, 0.2), temperature=0.1)[0].settings == {"temperature": 0.8}
    (both,) = found(Writing(0.9, 0.1, 0.2), Writing(0.8, 0.1, 0.3))
    assert both.settings == {} and "No temperature helps" in both.remedy


@pytest.mark.parametrize(
    ("logged", "now", "possible", "seconds", "severity"),
    [
        (100, 100, 400, 81, ILL), (100, 100, 399, 90, None), (100, 100, 400, 79, None),
        (100, 201, 400, 90, HINT), (100, 199, 199, 900, None), (100, 200, 200, 121, HINT),
        (100, 200, 200, 119, None), (100, 50, 50, 900, None),
    ],
)  # fmt: skip
def test_slow_is_what_a_minute_could_be_saved_of(logged, now, possible, seconds, severity):
    speed = Speeds(logged, now, possible, seconds, 32, 50, 2)
    found = list(slow(TrainConfig(batch_size=1, seq_length=50, threads=1), speed))
    assert [finding.severity for finding in found] == [severity] * (severity is not None)
    if severity == ILL:
        assert found[0].settings == {"batch_size": 32, "threads": 2}


def test_speeds_are_measured_as_far_as_the_text_allows():
    asked = []

    def pace(config, T, B, threads, seconds):
        asked.append((T, B))
        return 7.0 * B

    found = speeds(CURVES, ModelConfig(60, 8), TrainConfig(batch_size=2, seq_length=5), 1000, pace)
    assert asked == [(5, 2), (20, 32)]
    assert found[:4] == (1000.0, 14.0, 224.0, 100.0)
    nothing = Curves("made", *(Curve([], [], [], []) for _ in range(4)))
    assert speeds(nothing, ModelConfig(60, 8), TrainConfig(), 1000, pace) is None
