"""The trainer learns, does not disturb itself, survives bad steps, and resumes to the bit."""

import dataclasses
import json

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, TrainConfig, Trainer
from char_rnn.config import ModelConfig
from char_rnn.data.windows import Sweep
from char_rnn.errors import CorruptFile, RunError
from char_rnn.model.network import Network
from char_rnn.runs import record
from char_rnn.runs import run as train_run
from char_rnn.runs.run import Run
from char_rnn.scoring import TRAINING, mean_loss
from char_rnn.training.events import Checkpoint, Divergence, End, Evaluation, Sample, Step
from char_rnn.training.parallel import Workers

TEXT = "the quick brown fox jumps over the lazy dog. " * 60
SMALL = TrainConfig(
    seq_length=10, batch_size=4, iterations=40, eval_every=10, sample_every=20,
    sample_length=20, threads=1, warmup=5,
)  # fmt: skip


def make(config=SMALL, cell="lstm", text=TEXT, **settings):
    corpus = Corpus.from_text(text)
    rng = np.random.default_rng(config.rng_seed)
    size = corpus.vocabulary.size
    model = CharRNN(size, 16, cell, vocabulary=corpus.vocabulary, rng=rng, **settings)
    return Trainer(model, corpus, config, rng)


def test_events_come_in_order():
    events = list(make())
    assert isinstance(events[0], Sample) and isinstance(events[-1], End)
    assert [e.iteration for e in events if isinstance(e, Step)] == list(range(1, 41))
    assert [e.iteration for e in events if isinstance(e, Evaluation)] == [10, 20, 30, 40]
    assert [e.iteration for e in events if isinstance(e, Sample)] == [0, 20, 40]
    assert events[-1].reason == "finished" and isinstance(events[-2], Checkpoint)
    first, last = [e for e in events if isinstance(e, Evaluation)][::3]
    assert last.val_loss < first.val_loss


def test_watching_changes_nothing():
    watched = make()
    list(watched)
    alone = make(dataclasses.replace(SMALL, eval_every=0, sample_every=0))
    list(alone)
    np.testing.assert_array_equal(watched.model.parameters.flat, alone.model.parameters.flat)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_alternation_is_learned(cell):
    trainer = make(
        TrainConfig(iterations=1000, eval_every=0, sample_every=0, seq_length=10, batch_size=1,
                    learning_rate=0.1, optimizer="adagrad", threads=1, schedule="constant"),
        cell, "ab" * 200,
    )  # fmt: skip
    list(trainer)
    assert trainer.loss < 0.05
    assert trainer.model.sample("a", 9, temperature=0) == "ababababab"


def test_hel_becomes_hello():
    trainer = make(
        dataclasses.replace(SMALL, iterations=300, learning_rate=0.01, val_fraction=0.0),
        "rnn", "hello " * 60,
    )  # fmt: skip
    list(trainer)
    assert trainer.model.sample("hel", 2, temperature=0) == "hello"


def test_evaluation_in_pieces_equals_one_stream():
    trainer = make()
    list(trainer)
    corpus, model = trainer.corpus, trainer.model
    pieces = mean_loss(Network(model.parameters), corpus, 0, corpus.length, TRAINING)
    model.forward(corpus.read(0, corpus.length - 1))
    loss, _ = model.backward(corpus.read(1, corpus.length))
    assert pieces == pytest.approx(loss, abs=1e-3)
    assert Sweep(corpus, 0, corpus.length, 5, 100).count == corpus.length - 1


@pytest.mark.filterwarnings("ignore")
def test_bad_steps_are_skipped_and_bring_the_good_weights_back(monkeypatch):
    trainer = make(dataclasses.replace(SMALL, eval_every=5))

    honest, calls = Workers.step, []

    def sometimes_bad(self, *arguments):
        calls.append(1)
        loss, state = honest(self, *arguments)
        return (float("nan") if 12 < len(calls) <= 17 else loss), state

    monkeypatch.setattr(Workers, "step", sometimes_bad)
    events, weights = [], {}
    for event in trainer:
        events.append(event)
        weights[type(event), event.iteration] = trainer.model.parameters.flat.copy()
    np.testing.assert_array_equal(weights[Divergence, 17], weights[Step, 10])
    assert not np.array_equal(weights[Step, 12], weights[Step, 10])
    assert [e.iteration for e in events if isinstance(e, Step) and e.skipped] == [
        13,
        14,
        15,
        16,
        17,
    ]
    (divergence,) = [e for e in events if isinstance(e, Divergence)]
    assert divergence.rate_scale == 0.5
    after = events[events.index(divergence) + 1]
    assert after.learning_rate < 0.002 * 0.51
    assert np.isfinite(trainer.model.parameters.flat).all()


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_step_so_large_that_the_weights_overflow_is_taken_back():
    trainer = make(
        dataclasses.replace(
            SMALL,
            learning_rate=1e40,
            optimizer="sgd",
            schedule="constant",
            eval_every=1,
            average=0.9,
        ),
        "rnn",
    )
    kept = [event for event in trainer if isinstance(event, Checkpoint | Divergence)]
    assert any(isinstance(event, Divergence) for event in kept)
    for event in kept:
        if isinstance(event, Checkpoint):
            assert all(np.isfinite(array).all() for array in event.tensors.values())


def new_run(tmp_path, name, config=SMALL, **settings):
    corpus = Corpus.from_text(TEXT)
    model = ModelConfig(corpus.vocabulary.size, 16, "lstm", **settings)
    return Run.create(tmp_path / name, model, config, corpus), corpus


def finish(run, corpus):
    list(run.follow(run.trainer(corpus)))
    return (run.folder / "model.safetensors").read_bytes(), CharRNN.load(
        run.folder / "last.safetensors"
    ).parameters.flat


@pytest.mark.parametrize("initial_state", ["zeros", "random", "learned"])
@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])
def test_resumed_equals_uninterrupted(tmp_path, initial_state, optimizer):
    config = dataclasses.replace(SMALL, optimizer=optimizer, threads=2)
    run, corpus = new_run(tmp_path, "whole", config, initial_state=initial_state)
    _, whole_last = finish(run, corpus)
    run, corpus = new_run(tmp_path, "parts", config, initial_state=initial_state)
    for stop in (3, 17, 25):
        run = Run.open(run.folder)
        trainer = run.trainer(corpus)
        for event in run.follow(trainer):
            trainer.stop = event.iteration >= stop
    _, parts_last = finish(Run.open(run.folder), corpus)
    np.testing.assert_array_equal(whole_last, parts_last)
    ours, theirs = (CharRNN.load(tmp_path / n).parameters.flat for n in ("whole", "parts"))
    np.testing.assert_array_equal(ours, theirs)
    logs = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert [e["iteration"] for e in logs if e["event"] == "evaluation"] == [10, 20, 30, 40]
    assert {"event", "iteration", "epoch", "loss", "val_loss", "grad_norm", "learning_rate",
            "characters", "seconds"} <= set(logs[0])  # fmt: skip
    samples = (
        (tmp_path / "whole" / "samples.txt").read_text(),
        (run.folder / "samples.txt").read_text(),
    )
    assert samples[0] == samples[1]


def test_a_changed_text_and_foreign_files_are_noticed(tmp_path):
    run, corpus = new_run(tmp_path, "run")
    finish(run, corpus)
    with pytest.raises(RunError, match="changed"):
        Run.open(run.folder).trainer(Corpus.from_text(TEXT + "!"))
    other, _ = new_run(tmp_path, "other", layers=2)
    (other.folder / "last.safetensors").write_bytes((run.folder / "last.safetensors").read_bytes())
    with pytest.raises(CorruptFile):
        other.trainer(corpus)
    with pytest.raises(RunError, match="exists"):
        new_run(tmp_path, "run")
    (other.folder / "config.json").write_text("{}")
    with pytest.raises(CorruptFile):
        Run.open(other.folder)


def test_a_long_sample_does_not_keep_who_wants_to_stop(tmp_path, monkeypatch):
    trainer = make(dataclasses.replace(SMALL, sample_length=10**9))
    honest = trainer.averaged.generate

    def generate(*arguments):
        for n, piece in enumerate(honest(*arguments)):
            trainer.stop = n == 20
            yield piece

    monkeypatch.setattr(trainer.averaged, "generate", generate)
    sample, *_, end = trainer
    assert len(sample.text) == 20 and end.reason == "interrupted"


def test_a_run_has_one_writer(tmp_path):
    run, corpus = new_run(tmp_path, "run")
    with pytest.raises(RunError, match="another process is training in"):
        Run.open(run.folder).hold()
    with pytest.raises(RunError, match="another process is training in"):
        new_run(tmp_path, "run")
    stale = run.trainer(corpus)
    events = run.follow(run.trainer(corpus))
    other = Run.open(run.folder)
    for event in events:
        if isinstance(event, Step):
            with pytest.raises(RunError, match="another process is training in"):
                next(other.follow(other.trainer(corpus)))
            break
    events.close()  # lets it go
    finish(other, corpus)
    with pytest.raises(RunError, match="has been trained since"):
        next(run.follow(stale))
    assert list(other.follow(other.trainer(corpus))) == []  # over: nothing is written
    with pytest.raises(RunError, match="exists already"):
        new_run(tmp_path, "run")


def test_a_run_that_was_never_finished_being_made_can_be_made_again(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    (tmp_path / "run").mkdir()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_run, "write_json", killed)
        new_run(tmp_path, "run")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_run, "write_json", killed)
        new_run(tmp_path, "other")
    assert not (tmp_path / "other").exists()
    finish(*new_run(tmp_path, "run"))


def test_the_model_is_there_before_the_checkpoint_says_so(tmp_path, monkeypatch):
    run, corpus = new_run(tmp_path, "run", dataclasses.replace(SMALL, val_fraction=0.0))

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(record, "save_tensors", killed)
    with pytest.raises(KeyboardInterrupt):
        finish(run, corpus)
    assert (run.folder / "model.safetensors").is_file()


def test_a_quick_last_evaluation_does_not_undo_the_end():
    """Time is kept free for it; what it does not need must not make the run look unfinished."""
    corpus = Corpus.from_text("hello world " * 100)
    config = TrainConfig(
        minutes=0.01, seq_length=8, batch_size=2, eval_every=0, sample_every=0, threads=1
    )
    trainer = Trainer(
        CharRNN(corpus.vocabulary.size, 8, vocabulary=corpus.vocabulary), corpus, config
    )
    trainer.budget.reserve = 0.4  # seconds, as an evaluation on a busy machine has taken
    *_, end = trainer
    assert end.reason == "finished" and trainer.progress == 1
