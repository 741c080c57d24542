"""The model that comes with the package."""

import json
from pathlib import Path

import numpy as np
import pytest
from here import call

import char_rnn
from char_rnn import CharRNN, Corpus, TrainConfig, Trainer, Vocabulary
from char_rnn.data.sources import open_source
from char_rnn.storage.models import SHIPPED, model_file


def test_it_is_small_and_says_what_it_is():
    path = model_file(SHIPPED)
    assert path.is_relative_to(Path(char_rnn.__file__).parent)
    assert path.stat().st_size <= 3_000_000
    model = CharRNN.load(SHIPPED)
    assert model.summary["text"] == "shakespeare" and model.summary["val_loss"] < 1.42
    assert 1.05 < model.summary["calibration_temperature"] < 1.15
    assert model.sample("ROMEO:", 20).startswith("ROMEO:")


def test_a_file_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CharRNN(3, 4).save(tmp_path / "own.safetensors")
    (tmp_path / "own.safetensors").rename(tmp_path / SHIPPED)
    assert CharRNN.load(SHIPPED).config.hidden_size == 4


def test_its_loss_is_that_of_the_model_card(tmp_path, shakespeare):
    done = call("evaluate", SHIPPED, shakespeare, "--json", "--no_baselines", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert "not trained on" in found["scored"] and found["characters"] == 111_539
    assert found["loss"]["nats"] == pytest.approx(1.4177, abs=5e-4)


def test_fine_tuning_beats_training_from_nothing():
    """On another text, with characters of its own, for the same number of the same steps."""
    source = open_source("python-docs")
    text = "".join(source.chunks())[:20_000]
    config = TrainConfig(
        iterations=12, batch_size=8, seq_length=32, eval_every=0, sample_every=0, warmup=3,
        optimizer="adamw",
    )  # fmt: skip
    shipped = CharRNN.load(SHIPPED)
    union = Vocabulary("".join(shipped.vocabulary.chars) + text)
    assert union.size > shipped.vocabulary.size
    corpus = Corpus.from_text(text, union)
    tuned = shipped.extended(union, np.random.default_rng(0))
    fresh = CharRNN.from_config(tuned.config, union, np.random.default_rng(0))
    losses = []
    for model in (tuned, fresh):
        trainer = Trainer(model, corpus, config)
        list(trainer)
        losses.append(trainer.validation.loss)
    assert losses[0] < losses[1] - 0.3
