"""Scheduled sampling: what is drawn, when, and that a run with it resumes to the same bits."""

import dataclasses

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, TrainConfig, Trainer
from char_rnn.config import ModelConfig
from char_rnn.errors import UsageError
from char_rnn.runs.run import Run
from char_rnn.training import parallel
from char_rnn.training.events import End, Evaluation, Step
from char_rnn.training.parallel import Workers
from char_rnn.training.scheduled_sampling import ScheduledSampling

TEXT = "the quick brown fox jumps over the lazy dog. " * 60
ALL = TrainConfig(scheduled_sampling=1.0, sampling_schedule="constant")
SMALL = TrainConfig(
    seq_length=10, batch_size=4, iterations=30, eval_every=10, sample_every=0, threads=1,
    warmup=5, scheduled_sampling=0.5,
)  # fmt: skip


def network(cell="gru", layers=1, V=4, **settings):
    model = CharRNN(V, 6, cell, layers, dtype="float64", rng=np.random.default_rng(1), **settings)
    model.parameters["out.weight"] *= 6  # far from uniform, and from independent of the past
    return model


def mix(model, train, inputs, progress=0.5, seed=0, fill=0.0):
    sampling = ScheduledSampling(train, model.parameters, inputs.shape[1])
    states = 2 if model.config.cell == "lstm" else 1
    shape = (states, model.config.layers, inputs.shape[1], model.config.hidden_size)
    state = np.full(shape, fill)
    return sampling.mix(inputs, state, progress, np.random.default_rng(seed))


def make(config=SMALL, **settings):
    corpus = Corpus.from_text(TEXT)
    rng = np.random.default_rng(config.rng_seed)
    size = corpus.vocabulary.size
    model = CharRNN(size, 16, "lstm", 2, vocabulary=corpus.vocabulary, rng=rng, **settings)
    return Trainer(model, corpus, config, rng)


def watch(trainer):
    """Train to the end; return what the workers were given, and the windows of text."""
    step, text = Workers.step, trainer.streams.next
    given, windows = [], []

    def spy(self, inputs, targets, *others):
        given.append((inputs.copy(), targets.copy()))
        return step(self, inputs, targets, *others)

    def read(columns):
        windows.append(text(columns))
        return windows[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workers, "step", spy)
        patch.setattr(trainer.streams, "next", read)
        events = list(trainer)
    return given, windows, events


def test_settings_are_checked():
    for wrong in ({"scheduled_sampling": -0.1}, {"scheduled_sampling": 1.1},
                  {"sampling_schedule": "cubic"}):  # fmt: skip
        with pytest.raises(UsageError, match="sampling"):
            TrainConfig(**wrong)


def test_a_share_of_nothing_changes_nothing_and_spends_no_random_number():
    inputs = np.zeros((5, 3), np.intp)
    model = network()
    sampling = ScheduledSampling(TrainConfig(), model.parameters, 3)
    assert sampling.mix(inputs, None, 0.9, None) is inputs
    off = make(dataclasses.replace(SMALL, scheduled_sampling=0.0))
    given, windows, _ = watch(off)
    for (inputs, _), window in zip(given, windows, strict=True):
        np.testing.assert_array_equal(inputs, window.inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScheduledSampling, "mix", lambda self, inputs, *others: inputs)
        without = make()
        list(without)
    np.testing.assert_array_equal(off.model.parameters.flat, without.model.parameters.flat)
    on = make()
    list(on)
    assert not np.array_equal(on.model.parameters.flat, without.model.parameters.flat)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_share_of_one_replaces_all_but_the_first(cell):
    model = network(cell, 2)
    model.parameters["out.bias"][3] = 1e3
    inputs = np.random.default_rng(0).integers(3, size=(7, 5))
    kept = inputs.copy()
    mixed = mix(model, ALL, inputs)
    np.testing.assert_array_equal(mixed[0], inputs[0])
    assert (mixed[1:] == 3).all()
    np.testing.assert_array_equal(inputs, kept)
    quarter = dataclasses.replace(ALL, scheduled_sampling=0.25)
    inputs = np.zeros((50, 80), np.intp)
    replaced = mix(model, quarter, inputs) == 3
    assert not replaced[0].any() and replaced[1:].mean() == pytest.approx(0.25, abs=0.03)
    linear = TrainConfig(scheduled_sampling=0.5)
    assert (mix(model, linear, inputs, 0.5) == 3)[1:].mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("cell", "layers", "settings"),
    [
        ("rnn", 1, {}),
        ("gru", 1, {}),
        ("gru", 2, {"layer_norm": True}),
        ("gru", 1, {"reset_after": True}),
        ("lstm", 2, {}),
        ("lstm", 1, {"tied": True}),
    ],
)
def test_what_is_drawn_follows_the_model(cell, layers, settings):
    model, V, B = network(cell, layers, **settings), 4, 20_000
    mixed = mix(model, ALL, np.full((3, B), 2))

    def after(ids):
        logits = model.forward(np.array(ids))[0][-1]
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)

    first = after([[2]])[0]
    second = after([[2] * V, list(range(V))])  # after each that may have been drawn
    expected = first[:, None] * second
    assert np.abs(second - second[0]).max() > 0.1
    found = np.zeros((V, V))
    np.add.at(found, (mixed[1], mixed[2]), 1 / B)
    np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(0.25 / B))


def test_draws_follow_the_state_with_which_the_window_begins():
    model, B = network(), 20_000
    mixed = mix(model, ALL, np.full((2, B), 2), fill=0.9)
    (expected,), (other,) = (
        np.exp(logits[0]) / np.exp(logits[0]).sum(axis=1, keepdims=True)
        for logits, _ in (model.forward([2], np.full((1, 1, 6), fill)) for fill in (0.9, 0.0))
    )
    found = np.bincount(mixed[1], minlength=4) / B
    assert np.abs(expected - other).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(0.25 / B))


def test_a_window_of_one_character_stays():
    inputs = np.zeros((1, 3), np.intp)
    np.testing.assert_array_equal(mix(network(), ALL, inputs), inputs)


def test_a_real_character_between_two_drawn_ones_is_read():
    model, B = network(), 20_000
    half = dataclasses.replace(ALL, scheduled_sampling=0.5)
    mixed = mix(model, half, np.full((3, B), 2))
    other = np.argmax(np.bincount(mixed[1][mixed[1] != 2]))
    logits = model.forward(np.array([[2, 2], [2, other]]))[0][-1]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for column, k in enumerate((2, other)):
        chosen = mixed[2, mixed[1] == k]
        found = np.bincount(chosen, minlength=4) / len(chosen)
        expected = 0.5 * p[column] + 0.5 * (np.arange(4) == 2)
        np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(0.25 / len(chosen)))


def test_the_trainer_reads_the_mixed_inputs_and_keeps_the_targets():
    trainer = make(dataclasses.replace(SMALL, input_dropout=0.2, recurrent_dropout=0.2))
    given, windows, events = watch(trainer)
    changed = []
    for (inputs, targets), window in zip(given, windows, strict=True):
        np.testing.assert_array_equal(targets, window.targets)
        np.testing.assert_array_equal(inputs[0], window.inputs[0])
        changed.append((inputs != window.inputs).mean())
    assert changed[0] == 0 and np.mean(changed[-10:]) > 0.3
    evaluations = [event for event in events if isinstance(event, Evaluation)]
    assert len(evaluations) == 3 and isinstance(events[-1], End)


def test_draws_come_from_the_weights_as_they_are_now():
    trainer = make(dataclasses.replace(
        SMALL, scheduled_sampling=1.0, sampling_schedule="constant", average=0.9
    ))  # fmt: skip
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        step = Workers.step

        def spy(self, inputs, *others):
            seen.append(inputs.copy())
            return step(self, inputs, *others)

        patch.setattr(Workers, "step", spy)
        for event in trainer:
            if isinstance(event, Step) and event.iteration == 5:
                trainer.model.parameters["out.weight"] = 0
                trainer.model.parameters["out.bias"][3] = 1e3
            trainer.stop = event.iteration >= 6
    assert not (seen[4][1:] == 3).all() and (seen[5][1:] == 3).all()


@pytest.mark.filterwarnings("ignore")
def test_an_output_that_is_not_finite_is_left_to_the_trainer():
    trainer = make(dataclasses.replace(SMALL, sampling_schedule="constant"))
    for event in trainer:
        if isinstance(event, Step) and event.iteration == 3:
            trainer.model.parameters["out.bias"] = np.nan
        if isinstance(event, Step):
            assert event.skipped == (4 <= event.iteration <= 8)  # then the good weights are back
    assert isinstance(event, End) and np.isfinite(trainer.model.parameters.flat).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_resumed_equals_uninterrupted(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(parallel, "SMALLEST_SLICE", 1)  # so that a worker pays
    config = dataclasses.replace(
        SMALL, threads=threads, sampling_schedule="inverse-sigmoid", scheduled_sampling=0.8,
        layer_dropout=0.2, recurrent_dropout=0.2, reset=0.3, random_offset=True, average=0.9,
    )  # fmt: skip
    corpus = Corpus.from_text(TEXT)
    model = ModelConfig(corpus.vocabulary.size, 16, "lstm", 2, initial_state="random")
    results = []
    for name, stops in (("whole", []), ("parts", [3, 17])):
        run = Run.create(tmp_path / name, model, config, corpus)
        for stop in [*stops, None]:
            trainer = run.trainer(corpus)
            assert trainer.threads == threads
            for event in run.follow(trainer):
                if event.iteration == stop:
                    trainer.stop = True
        results.append((trainer.model.parameters.flat, CharRNN.load(run.folder).parameters.flat))
    for whole, parts in zip(*results, strict=True):
        np.testing.assert_array_equal(whole, parts)


def test_the_number_of_threads_changes_no_draw(monkeypatch):
    monkeypatch.setattr(parallel, "SMALLEST_SLICE", 1)
    found = []
    for threads in (1, 2):
        trainer = make(dataclasses.replace(SMALL, threads=threads, iterations=8), dtype="float64")
        given, _, _ = watch(trainer)
        found.append(np.stack([inputs for inputs, _ in given]))
    np.testing.assert_array_equal(*found)
