"""Dropout, DropConnect, averaged weights, offsets and resets: exact gradients, exact resume."""

import dataclasses

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, TrainConfig, Trainer
from char_rnn.config import ModelConfig
from char_rnn.data.windows import Streams
from char_rnn.model.initialisation import initialise_
from char_rnn.model.parameters import Parameters
from char_rnn.runs.run import Run
from char_rnn.training.average import Average
from char_rnn.training.dropout import Dropout
from char_rnn.training.events import End, Evaluation
from char_rnn.training.parallel import Workers

T, B, V, H = 4, 3, 7, 6
RATES = {
    "input_dropout": 0.3, "layer_dropout": 0.3, "output_dropout": 0.4, "recurrent_dropout": 0.3,
}  # fmt: skip
TEXT = "the quick brown fox jumps over the lazy dog. " * 60


def setup(cell, layers=2, rates=RATES, reset_after=False):
    config = ModelConfig(
        V, H, cell, layers, reset_after=reset_after, initial_state="learned", dtype="float64"
    )
    rng = np.random.default_rng(3)
    parameters = Parameters(config)
    initialise_(parameters, rng)
    ids, targets = rng.integers(V, size=(2, T, B))
    states = 2 if cell == "lstm" else 1
    state = rng.normal(size=(states, layers, B, H))
    noise = Dropout(TrainConfig(**rates), config, B).draw(rng)
    return parameters, ids, targets, state, noise


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("cell", "reset_after"), [("rnn", False), ("lstm", False), ("gru", False), ("gru", True)]
)
def test_gradients_under_noise_are_those_of_central_differences(cell, reset_after, count):
    parameters, ids, targets, state, noise = setup(cell, reset_after=reset_after)
    began = np.array([True, False, True])
    initial = ["h0", "c0"][: len(state)]

    def start():
        for s, name in enumerate(initial):
            state[s][:, began] = parameters[name][:, None]
        return state

    with Workers(parameters, count, T, B) as workers:

        def loss():
            return workers.step(ids, targets, start(), began, noise)[0]

        loss()
        loss()  # stale memory hides in the first call
        exact = {name: array.copy() for name, array in workers.gradients.items()}
        for name, array in parameters.items():
            if name.startswith("rnn.bias_hh") and not reset_after:
                continue
            for i in range(0, array.size, max(1, array.size // 12)):
                kept = array.flat[i]
                array.flat[i] = kept + 1e-5
                above = loss()
                array.flat[i] = kept - 1e-5
                below = loss()
                array.flat[i] = kept
                assert exact[name].flat[i] == pytest.approx((above - below) / 2e-5, abs=1e-9), name


def test_what_is_left_out_has_no_gradient():
    parameters, ids, targets, state, noise = setup("lstm")
    with Workers(parameters, 1, T, B) as workers:
        workers.step(ids, targets, state, np.zeros(B, bool), noise)
        gradients = workers.gradients
        for k in range(2):
            factor = noise.factors[f"rnn.weight_hh_l{k}"]
            assert 0.2 < (factor == 0).mean() < 0.4
            assert not gradients[f"rnn.weight_hh_l{k}"][factor == 0].any()
        unseen = ~np.isin(np.arange(V), noise.hide(ids))
        assert unseen.any()
        assert not gradients["rnn.weight_ih_l0"][:, unseen].any()
        silent = (noise.masks[1] == 0).all(axis=0)
        assert not gradients["out.weight"][:, silent].any()


def test_weights_themselves_are_not_touched():
    parameters, ids, targets, state, noise = setup("gru")
    before = parameters.flat.copy()
    with Workers(parameters, 1, T, B) as workers:
        workers.step(ids, targets, state, np.zeros(B, bool), noise)
    np.testing.assert_array_equal(parameters.flat, before)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_noise_changes_nothing_on_average(rate):
    config = ModelConfig(50, 64, "rnn", 2)
    rates = dict.fromkeys(RATES, rate)
    noise = Dropout(TrainConfig(**rates), config, 200).draw(np.random.default_rng(0))
    assert noise.masks.shape == (2, 200, 64)
    for factors in [*noise.masks, noise.factors["rnn.weight_hh_l1"]]:
        assert factors.dtype == np.float32
        assert set(np.unique(factors)) == {0, np.float32(1 / (1 - round(rate * 65536) / 65536))}
        assert factors.mean() == pytest.approx(1, abs=0.1)
    share = noise.symbols.mean() * noise.factors["rnn.weight_ih_l0"]
    assert share == pytest.approx(1, abs=0.1)


def test_no_rates_no_noise():
    assert Dropout(TrainConfig(layer_dropout=0.5), ModelConfig(5, 4), 2).draw(None) is None
    only_out = Dropout(TrainConfig(output_dropout=0.5), ModelConfig(5, 4, "rnn", 2), 2)
    noise = only_out.draw(np.random.default_rng(0))
    assert (noise.masks[0] == 1).all() and not noise.factors and noise.symbols is None


def test_averages_follow_the_weights():
    rng = np.random.default_rng(0)
    average = Average(np.zeros(5), 0.9)
    expected = np.zeros(5)
    for n in range(1, 200):
        w = rng.normal(size=5)
        average.update(w)
        decay = min(0.9, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * w
    np.testing.assert_allclose(average.mean, expected, atol=1e-12)


def test_each_epoch_has_an_offset_of_its_own():
    corpus = Corpus.from_text("abcdefghij" * 50)
    streams = Streams(corpus, 0, 500, 3, 7, np.random.default_rng(0))
    offsets, ids = set(), corpus.read(0, 500)
    for _ in range(40):
        for w in range(streams.windows_per_epoch):
            window = streams.next()
            assert window.first == (w == 0)
            for b in range(3):
                at = 166 * b + streams.offset + 7 * w
                np.testing.assert_array_equal(window.inputs[:, b], ids[at : at + 7])
                np.testing.assert_array_equal(window.targets[:, b], ids[at + 1 : at + 8])
        offsets.add(streams.offset)
    assert offsets == set(range(7))


CONFIG = TrainConfig(
    seq_length=10, batch_size=4, iterations=40, eval_every=10, sample_every=0, threads=1,
    warmup=5, optimizer="adamw", average=0.9, random_offset=True, reset=0.3, **RATES,
)  # fmt: skip


def make(config=CONFIG, text=TEXT):
    corpus = Corpus.from_text(text)
    rng = np.random.default_rng(config.rng_seed)
    model = CharRNN(corpus.vocabulary.size, 16, "lstm", 2, vocabulary=corpus.vocabulary, rng=rng)
    return Trainer(model, corpus, config, rng)


def test_with_everything_on_resumed_equals_uninterrupted(tmp_path):
    config = dataclasses.replace(CONFIG, schedule="linear", weight_decay=0.1)
    corpus = Corpus.from_text(TEXT)
    model = ModelConfig(corpus.vocabulary.size, 16, "lstm", 2, initial_state="learned")
    results = []
    for name, stops in (("whole", []), ("halves", [3, 17, 38])):
        run = Run.create(tmp_path / name, model, config, corpus)
        for stop in [*stops, None]:
            trainer = run.trainer(corpus)
            for event in run.follow(trainer):
                if event.iteration == stop:
                    trainer.stop = True
        results.append((trainer.model, trainer.averaged, CharRNN.load(run.folder)))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one.parameters.flat, other.parameters.flat)
    model, averaged, _ = results[0]
    assert not np.array_equal(model.parameters.flat, averaged.parameters.flat)


def test_the_averaged_model_is_the_one_that_is_evaluated():
    trainer = make()
    for event in trainer:
        if isinstance(event, Evaluation):
            twin = trainer.averaged.copy()
    again = make(dataclasses.replace(CONFIG, average=0.0))
    list(again)
    # Averaging watches training and does not change it.
    np.testing.assert_array_equal(again.model.parameters.flat, trainer.model.parameters.flat)
    assert again.validation.loss != trainer.validation.loss
    assert not np.array_equal(twin.parameters.flat, trainer.model.parameters.flat)


def test_resets_put_single_streams_back():
    trainer = make(dataclasses.replace(CONFIG, reset=0.5, iterations=30))
    seen = []
    step = Workers.step

    def watch(self, inputs, targets, state, began, noise=None):
        at_zero = ~state.any(axis=(0, 1, 3))
        np.testing.assert_array_equal(at_zero, began)
        seen.append(began.mean())
        return step(self, inputs, targets, state, began, noise)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workers, "step", watch)
        list(trainer)
    assert seen[0] == 1
    assert 0.3 < np.mean(seen[1:]) < 0.7 and len(set(seen)) > 2


def test_patience_ends_a_run_that_no_longer_gets_better():
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("abcdefgh"), 400))
    config = TrainConfig(
        iterations=4000, eval_every=20, patience=3, sample_every=0, threads=1, seq_length=20,
        batch_size=4, learning_rate=0.01,
    )  # fmt: skip
    losses = []
    for event in make(config, text):
        if isinstance(event, Evaluation):
            losses.append(event.val_loss)
    assert isinstance(event, End) and event.reason == "out of patience"
    best = int(np.argmin(losses))
    assert len(losses) == best + 4 and event.best_val_loss == losses[best]


def test_averages_of_many_weights_are_taken_in_pieces():
    rng = np.random.default_rng(0)
    start, w = rng.normal(size=(2, 100_001))
    average = Average(start.copy(), 0.5)
    average.update(w)
    decay = min(0.5, 2 / 11)
    np.testing.assert_allclose(average.mean, decay * start + (1 - decay) * w, atol=1e-12)
