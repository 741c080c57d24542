"""Runs with known illnesses, made and real, and healthy ones: what is said of each."""

import math
from itertools import pairwise

import numpy as np
import pytest

from char_rnn import Corpus, TrainConfig
from char_rnn.analyse.advice import advice, said_by
from char_rnn.analyse.baselines import unigram_entropy
from char_rnn.config import ModelConfig
from char_rnn.runs.curves import Curve, Curves, read_curves
from char_rnn.runs.run import Run
from char_rnn.training.events import End

V, UNIGRAM = 50, 3.3  # uniform: 3.912
NONE = Curve([], [], [], [])


def curve(losses, last=1000):
    """Return a curve that ends at iteration `last`; None where there was no number."""
    n = [last * (k + 1) // len(losses) for k in range(len(losses))]
    points = [(x, y) for x, y in zip(n, losses, strict=True) if y is not None]
    x, y = ([p[0] for p in points], [p[1] for p in points])
    return Curve(x, x, [float(i) for i in x], y)


def made(training, validation=(), unstable=False, lost=False):
    return Curves("made", curve(training), curve(validation), NONE, NONE, unstable, lost)


FALLING = [3.0, 2.5, 2.1, 1.9, 1.8, 1.7, 1.65, 1.6, 1.55, 1.5]
LEVEL = [3.0, 2.2, 1.8, 1.6, 1.55, 1.52, 1.51, 1.506, 1.504, 1.503]
RISING = [3.0, 2.2, 1.8, 1.6, 1.55, 1.6, 1.7, 1.8, 1.85, 1.9]
LEARNED = [3.9, 2.5, 1.5, 1.45]

ILLNESSES = {
    # name: curves, settings, reason, what must be said, and what must not
    "exploded, no better model": (
        made([3.9, 3.5, 9795.0], [9795.566]), {"learning_rate": 50.0, "clip": 0.0}, "finished",
        ["diverged", "9795.566", "3.912", "--learning_rate than 50", "--learning_rate 5 --clip 1."],
        ["last half"],
    ),
    "exploded after it had learned": (
        made([3.9, 2.0, 800.0], [2.1, 1.9, 600.0, 700.0]), {"learning_rate": 9.0}, "finished",
        ["exploded after iteration 500", "1.900", "kept", "a lower --clip than 5"], ["diverged"],
    ),
    "diverged from the start": (
        made([3.91, 25.0, 22.0, 24.0], [26.0, 24.0, 23.0, 24.0]), {}, "finished",
        ["diverged", "24.000", "--learning_rate"], ["falling", "levelled", "overfits"],
    ),
    "diverged, without validation": (
        made([3.9, 3.0, 12.0]), {}, "finished", ["diverged", "12.000"], ["no telling"],
    ),
    "no step was finite": (
        made([], [3.95], unstable=True), {}, "finished", ["diverged"], ["last half"],
    ),
    "it lost what it had learned": (
        made([3.9, 1.5, 3.2], RISING), {"learning_rate": 0.3}, "finished",
        ["It lost from iteration 500", "1.550 to 1.900", "training loss with it, to 3.200",
         "--learning_rate 0.03", "kept"],
        ["overfits", "dropout", "falling"],
    ),
    "its training loss wavers while it learns by heart": (
        made([3.9, 0.4, 0.7], RISING), {}, "finished", ["overfits"], ["It lost"],
    ),
    "it lost it with dropout": (
        made([3.9, 1.5, 3.2], RISING), {"output_dropout": 0.5}, "finished", ["It lost"], [],
    ),
    "it lost it while its mean of training still fell": (
        made([3.9, 2.5, 1.85], RISING), {}, "finished", ["It lost from"], ["overfits"],
    ),
    "dropout holds the training loss up": (
        made([3.9, 2.5, 1.85], RISING), {"output_dropout": 0.5}, "finished", ["overfits"], ["lost"],
    ),
    "it read more and more of what it drew itself": (
        made([3.9, 1.5, 3.2], RISING), {"scheduled_sampling": 1.0}, "finished",
        ["drew itself", "--scheduled_sampling 0.5"], ["overfits", "It lost"],
    ),
    "never better than guessing": (
        made([3.9, 3.88], [5.5, 5.2, 5.4]), {}, "finished", ["diverged", "5.400"], ["learned"],
    ),
    "put back again and again": (
        made([3.9], [40.0], unstable=True), {}, "finished", ["diverged", "40.000"], [],
    ),
    "the last evaluation is not finite": (
        made([3.9, 90.0], [None], lost=True), {}, "finished", ["diverged", "no finite"], ["nan"],
    ),
    "diverged and interrupted": (made([3.9, 90.0]), {}, "interrupted", ["diverged"], []),
    "stuck at single characters": (
        made([3.9, 3.3, 3.28], [3.31, 3.29, 3.28, 3.28]), {}, "finished",
        ["has not left that of single characters", "3.280", "--learning_rate"], ["levelled"],
    ),
    "hardly trained": (
        made([4.1, 4.05], [4.06]), {}, "finished", ["single characters"], ["diverged"],
    ),
    "hardly begun": (
        made([3.9, 3.5], [3.3]), {"warmup": 600, "iterations": 1000}, "finished",
        ["after 1,000 iterations, of which 600 were the warm-up", "--iterations 2000"], [],
    ),
    "nothing was learned of either part": (
        made([3.9, 3.4], [3.9]), {}, "finished", ["single characters"], ["another kind"],
    ),
    "stuck, without validation": (made([3.9, 3.3]), {}, "finished", ["single characters"], []),
    "one evaluation": (
        made([3.9, 1.6], [1.7]), {}, "finished",
        ["one evaluation in the last half", "--eval_every 100"],
        ["levelled", "falling", "overfits", "gap"],
    ),
    "two evaluations, and risen": (
        made([3.9, 1.6], [1.5, 1.7]), {}, "finished", ["2 evaluations", "--eval_every"],
        ["overfits", "rose"],
    ),
    "one evaluation, and a gap": (
        made([3.9, 0.57], [2.97]), {}, "finished",
        ["one evaluation", "gap", "0.570", "2.970", "dropout (--output_dropout 0.3)"], ["levelled"],
    ),
    "overfits": (
        made([3.9, 0.9, 0.4], RISING), {}, "finished",
        ["overfits from iteration 500", "1.550 to 1.900", "--output_dropout 0.3", "kept"],
        ["gap", "falling"],
    ),
    "overfits with dropout": (
        made([3.9, 0.9], RISING), {"layer_dropout": 0.3, "recurrent_dropout": 0.1}, "finished",
        ["more dropout than 0.3", "--output_dropout 0.5"], [],
    ),
    "overfits, and ends by its patience": (
        made([3.9, 0.9], RISING), {"patience": 5}, "out of patience",
        ["--patience 5", "iteration 500, 1.550", "overfits from iteration 500"], [],
    ),
    "ends by its patience, and has not risen": (
        made(LEARNED, [3.0, 2.2, 1.8, 1.5, 1.504, 1.503, 1.502]), {"patience": 3},
        "out of patience", ["ended early", "levelled off"], ["overfits", "rose"],
    ),
    "a gap, and still falling": (
        made([3.9, 1.0], FALLING), {}, "finished", ["still falling", "train longer", "gap"], [],
    ),
    "a gap, and level": (
        made([3.9, 0.8], LEVEL), {"output_dropout": 0.2}, "finished",
        ["levelled off. From training (0.800)", "more dropout than 0.2"], ["larger model"],
    ),
    "the end is of another kind": (
        made(LEARNED, [4.0, 4.4, 5.0, 6.0]), {}, "finished",
        ["1.450", "4.000", "another kind", "dropout"], ["diverged", "single characters"],
    ),
    "still falling": (
        made([3.9, 1.4], FALLING), {}, "finished",
        ["still falling (1.600 to 1.500 in the last fifth)", "train longer (--iterations 2000)"],
        ["gap"],
    ),
    "still falling, over a time": (
        made([3.9, 1.4], FALLING), {"minutes": 2.5}, "finished", ["longer (--minutes 5)"], [],
    ),
    "still falling, over epochs": (
        made([3.9, 1.4], FALLING), {"epochs": 0.4}, "finished", ["longer (--epochs 0.8)"], [],
    ),
    "no validation": (made(LEARNED), {}, "finished", ["no telling whether it overfits"], ["gap"]),
    "interrupted": (
        made([3.9, 1.4], FALLING), {}, "interrupted", ["stopped on its way"], ["falling"],
    ),
    "interrupted before it had learned anything": (
        made([3.9, 3.3], [3.3] * 6), {}, "interrupted", ["on its way"], ["single characters"],
    ),
    "interrupted when it had risen": (
        made([3.9, 0.9, 0.4], RISING), {}, "interrupted", ["overfits"], ["on its way"],
    ),
    "level": (
        made(LEARNED, LEVEL), {}, "finished", ["levelled off: a larger model"],
        ["gap", "dropout", "overfits", "falling", "diverged"],
    ),
    "level, after a spike that it came back from": (
        made([3.9, 60.0, 1.5], LEVEL, unstable=True), {}, "finished", ["levelled"], ["diverged"],
    ),
}  # fmt: skip
WORTHLESS = {name for name in ILLNESSES if "diverged" in ILLNESSES[name][3]}


@pytest.mark.parametrize("name", ILLNESSES)
def test_illnesses(name):
    curves, settings, reason, said, unsaid = ILLNESSES[name]
    found = advice(curves, TrainConfig(**settings), V, UNIGRAM, reason)
    assert all(words in found.text for words in said), found.text
    assert not [words for words in unsaid if words in found.text], found.text
    assert found.worthless == (name in WORTHLESS)
    assert "\n" not in found.text and "nan" not in found.text and "inf " not in found.text


def test_what_is_said_where_the_text_is_not_there():
    """Without its characters' shares a loss is held against guessing alone."""
    (found,), _ = said_by(made([3.9, 3.85], [3.85] * 3), TrainConfig(), V, None)
    assert "that of guessing (3.912)" in found.evidence and found.name == "poor"
    assert not said_by(made(LEARNED, LEVEL), TrainConfig(), V, None).findings


def test_a_run_that_has_not_read_its_text_once_is_too_short():
    curves, train = made([3.9, 3.3], [3.3, 3.3, 3.3, 3.3]), TrainConfig(schedule="constant")
    for length, name in ((1001, "too short"), (1000, "poor"), (None, "poor")):
        (found,), _ = said_by(curves, train, V, UNIGRAM, length=length)
        assert found.name == name and ("of a text of" in found.evidence) == (length == 1001)


def test_how_serious_it_is():
    """A little that is to be gained is a hint: the model that is kept is a good one."""
    slight = [*RISING[:5], 1.6]
    for losses, training, severity in (
        (RISING, 0.4, "ill"), (slight, 0.4, "hint"), (LEVEL, 1.1, "hint"), (LEVEL, 0.4, "ill"),
    ):  # fmt: skip
        (found,), _ = said_by(made([3.9, 0.9, training], losses), TrainConfig(), V, UNIGRAM)
        assert (found.name, found.severity) == ("overfitting", severity)


def test_three_in_the_last_half_are_enough():
    """The evaluation at the middle belongs to the last half, one before it does not."""
    train = TrainConfig()
    for losses, enough in (([2.0, 1.6, 1.55, 1.5], True), ([2.0, 1.6, 1.5], False)):
        said = advice(made(LEARNED, losses), train, V, UNIGRAM).text
        assert ("falling" in said) == enough and ("--eval_every" in said) != enough


def test_a_single_symbol_and_a_nearly_certain_one():
    assert "nothing to learn" in advice(made([0.1, 0.0], [0.0]), TrainConfig(), 1, 0.0).text
    said = advice(made([0.6, 0.01], [0.01] * 4), TrainConfig(), 2, 0.05).text
    assert "levelled" in said  # 0.05 nats less 0.1 is nothing that a loss could reach


# Real runs.

RNG = np.random.default_rng(0)
NOISE = "".join(RNG.choice(list("abcdefgh"), 3000))
SENTENCES = "the quick brown fox jumps over the lazy dog. " * 80
WORDS = "".join(RNG.choice(["stone ", "river ", "cloud ", "tree ", "lamp ", "moon "], 300))


def train(tmp_path, text, hidden_size=16, cell="gru", **settings):
    corpus = Corpus.from_text(text)
    config = TrainConfig(**{
        "iterations": 200, "eval_every": 10, "sample_every": 0, "threads": 1, "seq_length": 20,
        "batch_size": 8, "learning_rate": 0.01, **settings,
    })  # fmt: skip
    model = ModelConfig(corpus.vocabulary.size, hidden_size, cell)
    run = Run.create(tmp_path / "run", model, config, corpus)
    trainer = run.trainer(corpus)
    *_, end = run.follow(trainer)
    assert isinstance(end, End)
    curves = read_curves(run.folder)
    unigram = unigram_entropy(corpus, trainer.val_start)
    return curves, advice(curves, config, corpus.vocabulary.size, unigram, end.reason)


def test_a_run_that_overfits(tmp_path):
    curves, said = train(tmp_path, WORDS, 64, iterations=400, schedule="constant")
    at, lowest = curves.best
    assert said.text.startswith(f"It overfits from iteration {at:,}") and at < 300
    assert curves.val_loss.y[-1] > lowest + 0.05


def test_a_run_that_learned_nothing(tmp_path):
    _, said = train(tmp_path, NOISE, iterations=60, learning_rate=1e-5)
    assert "has not left that of single characters" in said.text and not said.worthless


def test_a_run_that_ended_early(tmp_path):
    _, said = train(tmp_path, SENTENCES, iterations=80, schedule="constant")
    assert "still falling" in said.text


def test_a_run_that_has_levelled_off(tmp_path):
    _, said = train(tmp_path, SENTENCES, 32, iterations=600, eval_every=30)
    assert said.text == (
        "The curves have levelled off: a larger model or more text is what is left to try."
    )


def test_without_validation(tmp_path):
    _, said = train(tmp_path, SENTENCES, val_fraction=0.0)
    assert "no telling" in said.text


@pytest.mark.parametrize(("rate", "fraction"), [(1e3, 0.1), (1e3, 0.0), (1e9, 0.1), (1e9, 0.0)])
def test_runs_that_diverge(tmp_path, rate, fraction):
    curves, said = train(
        tmp_path, SENTENCES, 64, "rnn", iterations=60, optimizer="sgd", learning_rate=rate,
        clip=0.0, schedule="constant", val_fraction=fraction, eval_every=20,
    )  # fmt: skip
    assert said.worthless and "diverged" in said.text
    assert curves.best is None or curves.best[1] > math.log(len(set(SENTENCES)))


def test_a_plan_evaluates_often_enough(monkeypatch):
    """On any machine and text: three evaluations in the last half, with the one at the end."""
    from char_rnn.runs import plan

    for speed in (1e3, 1e5, 1e7):
        monkeypatch.setattr(plan, "measure", lambda *_, speed=speed: speed)
        made_plan = plan.make_plan(1_000_000, 250_000, 65, 2.0, 2, {})
        rung = {"batch_size": 32, "seq_length": 50} | made_plan.train
        total = speed * 120 / (rung["batch_size"] * rung["seq_length"])
        at = [
            *np.arange(made_plan.train["eval_every"], total, made_plan.train["eval_every"]),
            total,
        ]
        assert sum(2 * x >= total for x in at) >= 3, (speed, at)
        assert all(b > a for a, b in pairwise(at))
