"""Curves, charts, pictures, and advice that real runs lead to."""

import importlib.util
import json
import sys

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, TrainConfig
from char_rnn.analyse.baselines import unigram_entropy
from char_rnn.analyse.curves import Curve, Curves, advice, chart, read_curves
from char_rnn.config import ModelConfig
from char_rnn.errors import CorruptFile, MissingExtra, RunError, UsageError
from char_rnn.train.events import End
from char_rnn.train.run import Run

RNG = np.random.default_rng(0)
NOISE = "".join(RNG.choice(list("abcdefgh"), 3000))
SENTENCES = "the quick brown fox jumps over the lazy dog. " * 80


def train(tmp_path, text, hidden_size=16, **settings):
    corpus = Corpus.from_text(text)
    config = TrainConfig(**{
        "iterations": 200, "eval_every": 10, "sample_every": 0, "threads": 1, "seq_length": 20,
        "batch_size": 8, "learning_rate": 0.01, **settings,
    })  # fmt: skip
    model = ModelConfig(corpus.vocabulary.size, hidden_size, "gru")
    run = Run.create(tmp_path / "run", model, config, corpus)
    trainer = run.trainer(corpus)
    for event in run.follow(trainer):
        if isinstance(event, End):
            reason = event.reason
    curves = read_curves(run.folder)
    return curves, advice(curves, unigram_entropy(corpus, trainer.val_start), reason)


def test_a_run_that_overfits_is_told_so(tmp_path):
    words = ["stone ", "river ", "cloud ", "tree ", "lamp ", "moon "]
    text = "".join(RNG.choice(words, 300))
    curves, said = train(tmp_path, text, 64, iterations=400, schedule="constant")
    at, lowest = curves.best
    assert said.startswith(f"It overfits from iteration {at:,}") and at < 300
    assert curves.val_loss.y[-1] > lowest + 0.05


def test_rising_validation_names_the_iteration():
    curves = made([2.5, 1.8, 1.6, 1.7, 1.9])
    assert "overfits from iteration 300" in advice(curves, 3.3)
    assert "1.600 to 1.900" in advice(curves, 3.3)


def test_a_run_that_learned_nothing_is_told_so(tmp_path):
    _, said = train(tmp_path, NOISE, iterations=60, learning_rate=1e-5)
    assert "has not left that of single characters" in said


def test_a_run_that_ended_early_is_told_so(tmp_path):
    _, said = train(tmp_path, SENTENCES, iterations=80, schedule="constant")
    assert "still falling" in said


def test_a_run_that_has_levelled_off_is_told_so(tmp_path):
    _, said = train(tmp_path, SENTENCES, 32, iterations=600, eval_every=30)
    assert "levelled off" in said


def test_without_validation(tmp_path):
    _, said = train(tmp_path, SENTENCES, val_fraction=0.0)
    assert "no telling" in said


def made(losses):
    n = [100 * k for k in range(1, len(losses) + 1)]
    curve = Curve(n, n, [float(x) for x in n], losses)
    return Curves("made", curve, curve, curve, curve)


def test_chart():
    drawn = chart(made([4.0, 3.0, 2.5, 2.2, 2.1]), 40, 10)
    rows = [line[9:] for line in drawn.splitlines()[:10]]
    assert "500 iterations" in drawn and max(map(len, rows)) <= 40
    first, last = (min(i for i, row in enumerate(rows) if len(row) > x and row[x] == "o")
                   for x in (8, 39))  # fmt: skip
    assert first < last == 9  # the loss falls to the right
    assert chart(made([1.0])) == "nothing to draw yet"


def test_damaged_and_missing_logs(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        read_curves(tmp_path)
    (tmp_path / "log.jsonl").write_text('{"event": "step"}\n{"event"\n', "utf-8")
    with pytest.raises(CorruptFile, match="line 2"):
        read_curves(tmp_path)
    (tmp_path / "log.jsonl").write_text(json.dumps({"event": "step", "loss": None}) + "\n")
    assert len(read_curves(tmp_path).loss) == 0


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is not there")
@pytest.mark.parametrize("name", ["a.png", "a.svg"])
def test_pictures(tmp_path, name):
    from char_rnn.analyse.plots import check_format, plot_comparison, plot_run  # noqa: PLC0415

    curves = made([3.0, 2.0, 1.5])
    check_format(tmp_path / name)
    for draw in (lambda p: plot_run(curves, p), lambda p: plot_comparison([curves] * 2, p)):
        draw(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        assert len(data) > 5000 and (b"<svg" in data if name == "a.svg" else data[1:4] == b"PNG")
    with pytest.raises(UsageError, match="no picture"):
        check_format(tmp_path / "a.txt")


def test_without_matplotlib_one_line_says_what_to_install(tmp_path, monkeypatch):
    from char_rnn.analyse import plots  # noqa: PLC0415

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'char-rnn\[plots\]'"):
        plots.plot_run(made([3.0, 2.0]), tmp_path / "a.png")


def test_a_model_can_learn_new_characters():
    old = CharRNN(3, 8, "lstm", 2, vocabulary=Corpus.from_text("bdf").vocabulary,
                  rng=np.random.default_rng(0))  # fmt: skip
    wide = old.extended(Corpus.from_text("abcdefg").vocabulary, np.random.default_rng(1))
    ids = np.array([0, 1, 2, 2, 1])
    ours, theirs = old.forward(ids)[0], wide.forward(2 * ids + 1)[0]
    np.testing.assert_allclose(theirs[..., [1, 3, 5]], ours, atol=1e-6)
    assert wide.parameters["rnn.weight_ih_l0"][:, 0].any()
    assert (wide.parameters["out.bias"][[0, 2, 4, 6]] == old.parameters["out.bias"].min()).all()
    again = old.extended(old.vocabulary, np.random.default_rng(1))
    np.testing.assert_array_equal(again.parameters.flat, old.parameters.flat)


def test_half_precision_files(tmp_path):
    model = CharRNN(30, 32, "gru", vocabulary=None, rng=np.random.default_rng(0))
    model.save(tmp_path / "whole.safetensors")
    model.save(tmp_path / "half.safetensors", "float16")
    sizes = [(tmp_path / f"{n}.safetensors").stat().st_size for n in ("whole", "half")]
    assert sizes[1] < 0.7 * sizes[0]
    half = CharRNN.load(tmp_path / "half.safetensors")
    assert half.parameters.flat.dtype == np.float32
    np.testing.assert_allclose(half.parameters.flat, model.parameters.flat, atol=1e-3)
