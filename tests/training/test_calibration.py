"""One temperature, fitted on what was not trained on, kept in the weights, once a run."""

import dataclasses
import json

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, TrainConfig, Trainer, Vocabulary
from char_rnn.config import ModelConfig
from char_rnn.data.windows import calibration_start
from char_rnn.errors import UsageError
from char_rnn.model.network import Network
from char_rnn.recipes import EXERCISE_RECIPE
from char_rnn.runs.record import Record
from char_rnn.runs.run import Run
from char_rnn.scoring import TRAINING, mean_loss
from char_rnn.tables import CELLS
from char_rnn.training.calibration import best_temperature, calibrate

RNG = np.random.default_rng(0)
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "sleeps")
TEXT = " ".join(RNG.choice(WORDS, 10_000))  # 45,000 characters or so
CONFIG = TrainConfig(
    seq_length=10, batch_size=4, iterations=30, eval_every=10, sample_every=0, threads=1, warmup=5,
    learning_rate=0.02,
)  # fmt: skip


def made(cell="gru", sure=3.0, **settings):
    """Return a model that is `sure` of its random guesses."""
    vocabulary = Vocabulary(TEXT)
    settings = {"dtype": "float64", "rng": np.random.default_rng(1), "init": "uniform"} | settings
    model = CharRNN(vocabulary.size, 8, cell, vocabulary=vocabulary, **settings)
    for name in ("out.weight", "out.bias"):
        model.parameters[name] *= sure
    return model


def loss(model, corpus, start, stop):
    return mean_loss(Network(model.parameters), corpus, start, stop, TRAINING)


@pytest.mark.parametrize("sure", [0.8, 2.5])
def test_no_other_temperature_has_a_lower_loss(sure):
    corpus = Corpus.from_text(TEXT)
    model = made()
    trainer = Trainer(model, corpus, CONFIG)
    list(trainer)
    for name in ("out.weight", "out.bias"):
        model.parameters[name] *= sure
    start, stop = trainer.train_stop, trainer.val_start
    T = calibrate(model, corpus, start, stop)
    assert 0.5 < T < 3 and abs(T / sure - 1) < 0.3
    assert best_temperature(model, corpus, start, stop) == pytest.approx(1, abs=2e-3)
    least = loss(model, corpus, start, stop)
    for factor in (0.97, 1.03):
        other = model.copy()
        for name in ("out.weight", "out.bias"):
            other.parameters[name] /= factor
        assert loss(other, corpus, start, stop) > least
    assert model.summary == {
        "calibration_temperature": T, "calibration_characters": stop - start - 1,
    }  # fmt: skip
    again = calibrate(model, corpus, start, stop)
    assert model.summary["calibration_temperature"] == pytest.approx(T * again)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_nothing_changes_but_the_scale_of_the_logits(cell, tied, layer_norm):
    model = made(cell, layers=2, tied=tied, layer_norm=layer_norm)
    corpus = Corpus.from_text(TEXT)
    ids = corpus.read(0, 40)
    before, state = model.forward(ids)
    T = calibrate(model, corpus, 0, 400)
    after, state_after = model.forward(ids)
    assert T > 1.2
    np.testing.assert_allclose(after, before / T, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(state_after, state, rtol=1e-9, atol=1e-9)


def test_it_stays_within_bounds():
    corpus = Corpus.from_text(TEXT)
    assert best_temperature(made(sure=1000), corpus, 0, 400) == pytest.approx(3, rel=0.01)
    right = made(sure=1)  # so well trained that it should be surer than may be
    list(Trainer(right, corpus, dataclasses.replace(CONFIG, iterations=60)))
    for name in ("out.weight", "out.bias"):
        right.parameters[name] /= 10
    assert best_temperature(right, corpus, 0, 400) == pytest.approx(0.5, rel=0.01)


@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_fitted_is_left_as_it_is():
    corpus = Corpus.from_text(TEXT)
    model = made()
    model.parameters["out.bias"][0] = np.nan
    assert calibrate(model, corpus, 0, 2500) == 1
    model = made()
    model.parameters["out.weight"] = 0
    model.parameters["out.bias"] = 0
    assert calibrate(model, corpus, 0, 2500) == 1
    only = CharRNN(1, 4, vocabulary=Vocabulary("a"))
    assert calibrate(only, Corpus.from_text("a" * 3000)) == 1


def test_the_state_is_that_of_the_text_before():
    """The part alone, read from a zero state, would want another temperature."""
    corpus, model = Corpus.from_text(TEXT), made(sure=1)
    list(Trainer(model, corpus, CONFIG))
    for name in ("out.weight", "out.bias"):
        model.parameters[name] *= 2.5
    whole = best_temperature(model, corpus, 900, 1000)
    ids = corpus.read(700, 1000)
    model.forward(ids[:200])
    logits, _ = model.forward(ids[:-1])
    y = logits[200:, 0]  # of the targets 901 … 999
    losses = {}
    for beta in np.linspace(0.4, 1.6, 6001):
        z = beta * y
        losses[beta] = np.log(np.exp(z).sum(axis=1)).sum() - z[np.arange(99), ids[201:]].sum()
    assert whole == pytest.approx(1 / min(losses, key=losses.get), rel=3e-4)
    assert whole != pytest.approx(best_temperature(model, corpus, 700, 1000), rel=3e-4)
    assert whole != pytest.approx(
        best_temperature(model, Corpus.from_text(TEXT[900:1000], model.vocabulary), 0, 100),
        rel=3e-4,
    )


@pytest.mark.parametrize(
    ("length", "share", "characters"),
    [
        (1_000_000, 0.01, 10_000), (100_000_000, 0.01, 50_000), (500_000, 0.01, 5_000),
        (100_000, 0.01, 2_000), (40_000, 0.01, 2_000), (39_999, 0.01, 0), (39_999, 0.1, 3_999),
        (1_000_000, 0.0, 0), (5, 0.5, 0), (0, 0.01, 0),
    ],
)  # fmt: skip
def test_how_much_is_set_aside(length, share, characters):
    assert length - calibration_start(length, share) == characters


def test_what_is_set_aside_is_neither_trained_on_nor_validates(monkeypatch):
    corpus = Corpus.from_text(TEXT)
    trainer = Trainer(made(), corpus, dataclasses.replace(CONFIG, epochs=2, iterations=None))
    assert trainer.val_start - trainer.train_stop == 2000
    assert trainer.val_start == int(0.9 * corpus.length)
    read, honest = np.zeros(corpus.length, bool), corpus.read_rows

    def watched(starts, length):
        for start in starts:
            read[start : start + length] = True
        return honest(starts, length)

    monkeypatch.setattr(corpus, "read_rows", watched)
    trainer.val_stop = trainer.val_start  # no evaluation
    list(trainer)
    assert read[: trainer.train_stop - 50].all() and not read[trainer.train_stop :].any()
    T = calibrate(trainer.averaged, corpus, trainer.train_stop, trainer.val_start)
    assert not read[trainer.val_start + 1 :].any() and T > 0


def test_a_short_text_sets_nothing_aside_without_a_word():
    short = Trainer(made(), Corpus.from_text(TEXT[:9000], made().vocabulary), CONFIG)
    assert short.train_stop == short.val_start and not short.notes
    with pytest.raises(UsageError, match="calibration"):
        TrainConfig(calibration=1.0)
    assert EXERCISE_RECIPE.train.calibration == 0


def begun(folder, config=CONFIG, **settings):
    corpus = Corpus.from_text(TEXT)
    model = ModelConfig(corpus.vocabulary.size, 8, "gru", **settings)
    return Run.create(folder, model, config, corpus), corpus


def test_a_run_ends_with_a_calibrated_model(tmp_path):
    config = dataclasses.replace(CONFIG, average=0.9)
    run, corpus = begun(tmp_path / "run", config)
    trainer = run.trainer(corpus)
    *_, end = run.follow(trainer)
    model = CharRNN.load(run.folder)
    summary = model.summary
    assert summary["calibration_characters"] == 1999
    assert summary["uncalibrated_val_loss"] == pytest.approx(end.best_val_loss)
    assert summary["val_loss"] == pytest.approx(
        loss(model, corpus, trainer.val_start, trainer.val_stop)
    )
    T = summary["calibration_temperature"]
    raw = trainer.averaged.parameters["out.weight"]  # the last was the best
    np.testing.assert_allclose(model.parameters["out.weight"] * T, raw, rtol=1e-5)
    # What is resumed from is as it was trained.
    last = CharRNN.load(run.folder / "last.safetensors")
    assert "calibration_temperature" not in last.summary
    np.testing.assert_array_equal(
        last.parameters["out.weight"], trainer.model.parameters["out.weight"]
    )
    # And it is done once.
    before = run.model_path.read_bytes()
    assert not run.finish(trainer)
    again = Run.open(run.folder)
    assert not again.finish(again.trainer(corpus))
    assert run.model_path.read_bytes() == before


def test_a_run_that_was_killed_before_it_makes_up_for_it(tmp_path, monkeypatch):
    whole, corpus = begun(tmp_path / "whole")
    list(whole.follow(whole.trainer(corpus)))
    parts, _ = begun(tmp_path / "parts")
    trainer = parts.trainer(corpus)
    for event in parts.follow(trainer):
        trainer.stop = event.iteration >= 13
    assert "calibration_temperature" not in CharRNN.load(parts.model_path).summary
    with monkeypatch.context() as killed:
        killed.setattr(Record, "finish", lambda *_: 1 / 0)
        parts = Run.open(parts.folder)
        with pytest.raises(ZeroDivisionError):
            list(parts.follow(parts.trainer(corpus)))
    assert "calibration_temperature" not in CharRNN.load(parts.model_path).summary
    parts = Run.open(parts.folder)
    trainer = parts.trainer(corpus)
    assert trainer.progress >= 1 and parts.finish(trainer)
    ours, theirs = (CharRNN.load(run.model_path) for run in (whole, parts))
    np.testing.assert_array_equal(ours.parameters.flat, theirs.parameters.flat)
    times = {"seconds": 0}
    assert ours.summary | times == theirs.summary | times


def test_a_longer_run_begins_from_what_was_trained(tmp_path):
    whole, corpus = begun(tmp_path / "whole")
    longer = dataclasses.replace(CONFIG, iterations=50, schedule="constant")
    run, _ = begun(tmp_path / "longer", dataclasses.replace(longer, iterations=30))
    list(run.follow(run.trainer(corpus)))
    list(run.follow(run.trainer(corpus, longer)))
    whole, _ = begun(tmp_path / "at once", longer)
    list(whole.follow(whole.trainer(corpus)))
    ours, theirs = (CharRNN.load(r.model_path).parameters.flat for r in (run, whole))
    np.testing.assert_array_equal(ours, theirs)


def test_runs_from_before_go_on_as_they_were(tmp_path):
    run, corpus = begun(tmp_path / "old", dataclasses.replace(CONFIG, calibration=0.0))
    settings = json.loads((run.folder / "config.json").read_text())
    del settings["train"]["calibration"]
    (run.folder / "config.json").write_text(json.dumps(settings))
    run = Run.open(run.folder)
    trainer = run.trainer(corpus)
    list(run.follow(trainer))
    assert trainer.train_stop == trainer.val_start
    assert "calibration_temperature" not in CharRNN.load(run.folder).summary


def test_without_a_validation_part(tmp_path):
    run, corpus = begun(tmp_path / "run", dataclasses.replace(CONFIG, val_fraction=0.0))
    list(run.follow(run.trainer(corpus)))
    summary = CharRNN.load(run.folder).summary
    assert summary["calibration_temperature"] > 0 and summary["val_loss"] is None
    assert "uncalibrated_val_loss" not in summary
