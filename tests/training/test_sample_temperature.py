"""The samples of a run are as warm as its schedule says."""

import dataclasses

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, TrainConfig, Trainer
from char_rnn.training import budget
from char_rnn.training.events import Sample

CONFIG = TrainConfig(
    iterations=40, sample_every=10, sample_length=12, eval_every=0, threads=1, seq_length=8,
    batch_size=2,
)  # fmt: skip


def temperatures(config, monkeypatch):
    """Return what each sample's temperature was, by iteration, and the trainer."""
    corpus = Corpus.from_text("a rose is a rose is a rose. " * 30)
    rng = np.random.default_rng(0)
    model = CharRNN(corpus.vocabulary.size, 8, "gru", vocabulary=corpus.vocabulary, rng=rng)
    trainer = Trainer(model, corpus, config, rng)
    asked = []
    generate = CharRNN.generate

    def listen(self, seed, settings, rng):
        asked.append(settings.temperature)
        return generate(self, seed, settings, rng)

    monkeypatch.setattr(CharRNN, "generate", listen)
    iterations = [event.iteration for event in trainer if isinstance(event, Sample)]
    return dict(zip(iterations, asked, strict=True)), trainer


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (0.3, [0.3] * 5),
        ("2.0:0.4", [2.0, 1.6, 1.2, 0.8, 0.4]),
        ("linear:2.0:0.5:20", [2.0, 1.25, 0.5, 0.5, 0.5]),
        ("cosine:2.0:1.0:20", [2.0, 1.5, 2.0, 1.5, 2.0]),
    ],
)
def test_iterations(spec, expected, monkeypatch):
    found, _ = temperatures(dataclasses.replace(CONFIG, temperature=spec), monkeypatch)
    assert found == pytest.approx(dict(zip(range(0, 41, 10), expected, strict=True)))


def test_epochs(monkeypatch):
    config = dataclasses.replace(CONFIG, iterations=None, epochs=1.0, temperature="1.0:0")
    found, trainer = temperatures(config, monkeypatch)
    total = trainer.budget.iterations
    assert len(found) > 2 and found == pytest.approx({i: 1 - i / total for i in found})


def test_minutes(monkeypatch, set_clock):
    """Where time decides, the share of the time that is over does."""
    ticks = iter(range(10**9))
    config = dataclasses.replace(
        CONFIG, iterations=None, minutes=5.0, temperature="2.0:0.5", val_fraction=0
    )
    progress = {}
    original = Trainer.sample

    def note(self):
        progress[self.iteration] = self.progress
        return original(self)

    monkeypatch.setattr(Trainer, "sample", note)
    set_clock(budget, perf_counter=lambda: float(next(ticks)))
    found, _ = temperatures(config, monkeypatch)
    assert found[0] == 2.0 and len(found) > 5
    assert found == pytest.approx({i: 2.0 - 1.5 * done for i, done in progress.items()})
    assert min(found.values()) < 0.8
