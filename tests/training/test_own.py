"""An own optimiser, schedule and callbacks: they survive divergence, killing and resuming."""

import dataclasses
import json
from dataclasses import dataclass

import numpy as np
import pytest

import char_rnn
from char_rnn import CharRNN, Corpus, TrainConfig, Trainer
from char_rnn.config import ModelConfig
from char_rnn.errors import FileError, RunError, UsageError
from char_rnn.model.parameters import Parameters
from char_rnn.runs.new import NewRun
from char_rnn.runs.run import Run
from char_rnn.storage import load_tensors
from char_rnn.tables import OPTIMIZERS
from char_rnn.training.events import Checkpoint, Divergence, End, Evaluation, Step
from char_rnn.training.optimisers import Adam, Optimizer, make_optimizer
from char_rnn.training.parallel import Workers

TEXT = "the quick brown fox jumps over the lazy dog.\n" * 60
SMALL = TrainConfig(
    seq_length=10, batch_size=4, iterations=40, eval_every=10, sample_every=0, threads=1,
    learning_rate=0.003,
)  # fmt: skip
CORPUS = Corpus.from_text(TEXT)
MODEL = ModelConfig(CORPUS.vocabulary.size, 16, "gru")


@dataclass
class Lion(Optimizer):
    """w ← w − η sign(β₁ m + (1 − β₁) g);  m ← β₂ m + (1 − β₂) g (Chen et al. 2023)."""

    beta1: float = 0.9
    beta2: float = 0.99
    slot_names = ("mean",)

    def update(self, w, g, slots, rate):
        m = slots["mean"]
        w -= rate * np.sign(self.beta1 * m + (1 - self.beta1) * g)
        m[:] = self.beta2 * m + (1 - self.beta2) * g


@dataclass
class Nesterov(Optimizer):
    """Two slots, and a step that depends on how many were taken."""

    momentum: float = 0.8
    slot_names = ("velocity", "largest")

    def update(self, w, g, slots, rate):
        v, largest = slots["velocity"], slots["largest"]
        np.maximum(largest, np.abs(g), out=largest)
        v[:] = self.momentum * v + g / (largest + 1e-8)
        w -= rate * (1 - 0.5**self.steps) * (g + self.momentum * v)


def saw(progress, iteration):
    return (1 - progress) * (1 + iteration % 3)


def make(**own):
    rng = np.random.default_rng(0)
    return Trainer(CharRNN.from_config(MODEL, CORPUS.vocabulary, rng), CORPUS, SMALL, rng, **own)


def test_the_contract_is_a_rule_of_three_lines():
    rng = np.random.default_rng(0)
    parameters = Parameters(ModelConfig(3, 200, dtype="float64"))  # more than a piece
    gradients, mean = parameters.like(), 0.0
    expected = parameters.trained.copy()
    lion = Lion(beta2=0.9)
    for _ in range(4):
        g = gradients.trained[:] = rng.normal(size=expected.size)
        expected -= 0.1 * np.sign(0.9 * mean + 0.1 * g)
        mean = 0.9 * mean + 0.1 * g
        lion.step(parameters, gradients, 0.1)
    np.testing.assert_allclose(parameters.trained, expected, atol=1e-12)
    np.testing.assert_allclose(lion.slots["mean"], mean, atol=1e-12)
    assert lion.described == "Lion(weight_decay=0.0, beta1=0.9, beta2=0.9)"


@pytest.mark.parametrize("optimizer", [Lion, Lion(weight_decay=0.1), Nesterov()])
def test_an_own_optimiser_learns(optimizer):
    trainer = make(optimizer=optimizer, schedule=lambda progress, iteration: 1.0)
    losses = [event.val_loss for event in trainer if isinstance(event, Evaluation)]
    assert losses[-1] < losses[0] - 0.1
    assert trainer.learner.optimizer.steps == 40


def test_the_schedule_is_what_the_rate_is_multiplied_by():
    seen = [event for event in make(schedule=saw) if isinstance(event, Step)]
    for event in seen:
        at = event.iteration - 1
        assert event.learning_rate == pytest.approx(0.003 * saw(at / 40, at))


class Beginner:
    """A callback that wants to know whose events it is told."""

    def begin(self, trainer):
        self.trainer, self.begun = trainer, trainer.iteration

    def __call__(self, event):
        assert self.trainer.model is not None


def test_a_callback_may_ask_for_the_trainer():
    callback = Beginner()
    trainer = make(callbacks=[callback])
    next(iter(trainer))
    assert callback.trainer is trainer and callback.begun == 0


def test_callbacks_see_every_event_before_it_is_yielded():
    seen, order = [], []
    callbacks = (seen.append, lambda event: order.append(("called", event.iteration)))
    for event in make(callbacks=callbacks):
        assert seen[-1] is event
        order.append(("yielded", event.iteration))
    assert isinstance(seen[-1], End) and len(order) == 2 * len(seen)
    assert [name for name, _ in order] == ["called", "yielded"] * len(seen)

    def raises(event):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        list(make(callbacks=[raises]))


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"optimizer": "lion"}, "optimizer is 'lion'; it must be a class derived from"),
        ({"optimizer": dict}, "it must be a class derived from"),
        ({"schedule": 0.5}, "schedule is 0.5; it must be a function"),
        ({"schedule": lambda p, i: float("nan") if i == 3 else 1.0}, "is nan at iteration 3"),
        ({"schedule": lambda p, i: -1}, "is -1.0 at iteration 0"),
    ],
)
def test_what_is_none_is_said(own, said):
    with pytest.raises(UsageError, match=said):
        list(make(**own))


@pytest.mark.filterwarnings("ignore")
def test_they_survive_a_divergence(monkeypatch):
    honest, calls, called = Workers.step, [], []

    def sometimes_bad(self, *arguments):
        calls.append(1)
        loss, state = honest(self, *arguments)
        return (float("nan") if 12 < len(calls) <= 17 else loss), state

    monkeypatch.setattr(Workers, "step", sometimes_bad)
    optimizer, slots = Nesterov(), {}
    trainer = make(optimizer=optimizer, schedule=saw, callbacks=[called.append])
    rates = {}
    for event in trainer:
        slots[type(event), event.iteration] = {n: s.copy() for n, s in optimizer.slots.items()}
        if isinstance(event, Step):
            rates[event.iteration] = event.learning_rate
    for name in ("velocity", "largest"):
        np.testing.assert_array_equal(slots[Divergence, 17][name], slots[Step, 10][name])
        assert not np.array_equal(slots[Step, 12][name], slots[Step, 10][name])
    assert trainer.learner.optimizer is optimizer and optimizer.steps == 35
    assert rates[18] == pytest.approx(0.003 * 0.5 * saw(17 / 40, 17))
    assert sum(isinstance(event, Divergence) for event in called) == 1


def follow(run, stop=None):
    """Train to the end, or until killed after `stop` steps, in a process's own objects."""

    def shrink(event):
        if isinstance(event, Step) and event.iteration % 7 == 0:
            trainer.model.parameters.flat[:] *= 0.9

    trainer = run.trainer(CORPUS, optimizer=Nesterov(), schedule=saw, callbacks=[shrink])
    for event in run.follow(trainer):
        if event.iteration == stop and isinstance(event, Step):
            break  # as a kill: no checkpoint is written
    return trainer.model.parameters.flat


def test_killed_and_resumed_equals_uninterrupted(tmp_path):
    whole = follow(Run.create(tmp_path / "whole", MODEL, SMALL, CORPUS))
    run = Run.create(tmp_path / "parts", MODEL, SMALL, CORPUS)
    for stop in (5, 13, 27, None):
        parts = follow(Run.open(run.folder) if stop != 5 else run, stop)
        run.release()
    np.testing.assert_array_equal(whole, parts)
    best = [CharRNN.load(tmp_path / name) for name in ("whole", "parts")]
    np.testing.assert_array_equal(best[0].parameters.flat, best[1].parameters.flat)
    assert best[0].summary["optimizer"] == "Nesterov"
    plain = list(Trainer(CharRNN.from_config(MODEL, CORPUS.vocabulary), CORPUS, SMALL))
    assert not np.array_equal(plain[-2].tensors["model/out.bias"], best[0].parameters["out.bias"])


def begun(folder, stop, **own):
    """Return the folder of a run that was killed after `stop` steps."""
    run = Run.create(folder, MODEL, SMALL, CORPUS)
    for event in run.follow(run.trainer(CORPUS, **own)):
        last = Step if stop < 10 else Checkpoint
        if isinstance(event, last) and event.iteration == stop:
            break
    run.release()
    return folder


@pytest.mark.parametrize("stop", [3, 10])  # before the first checkpoint, and after it
def test_without_the_same_ones_a_run_does_not_go_on(tmp_path, stop):
    folder = begun(tmp_path / "run", stop, optimizer=Nesterov(), schedule=saw)
    assert (folder / "last.safetensors").is_file() == (stop == 10)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    described = "Nesterov(weight_decay=0.0, momentum=0.8)"
    assert config["own"] == {"optimizer": described, "schedule": "saw"}
    assert config["train"]["optimizer"] == "adam"
    if stop == 10:
        facts = load_tensors(folder / "last.safetensors")[1]
        assert facts["trainer"]["own"] == config["own"]

    def refused(**own):
        with pytest.raises(RunError) as caught:
            char_rnn.resume(folder, progress=False, text=CORPUS, **own)
        message = str(caught.value)
        assert message.startswith(str(folder)) and "\n" not in message
        return message

    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    said = refused(schedule=saw)
    assert f"the optimizer {described}, which no file holds" in said
    assert "char_rnn.resume(run, optimizer=...)" in said
    assert "not Lion(" in refused(optimizer=Lion, schedule=saw)
    assert "not Nesterov(weight_decay=0.0, momentum=0.7)" in refused(optimizer=Nesterov(0.7))
    assert "the schedule saw" in refused(optimizer=Nesterov)
    assert "not max" in refused(optimizer=Nesterov, schedule=max)
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}
    char_rnn.resume(folder, progress=False, text=CORPUS, optimizer=Nesterov, schedule=saw)


def test_a_run_that_began_with_its_config_goes_on_so(tmp_path):
    folder = begun(tmp_path / "run", 10)
    assert "own" not in json.loads((folder / "config.json").read_text("utf-8"))
    assert "own" not in load_tensors(folder / "last.safetensors")[1]["trainer"]
    with pytest.raises(RunError, match="without an own optimizer"):
        char_rnn.resume(folder, progress=False, text=CORPUS, optimizer=Adam)
    with pytest.raises(UsageError, match="optimizer cannot be"):
        char_rnn.resume(folder, progress=False, text=CORPUS, optimizer="sgd")
    with pytest.raises(UsageError, match="schedule cannot be"):
        char_rnn.resume(folder, progress=False, text=CORPUS, schedule="linear")


def trained(out, optimizer, **more):
    settings = {
        name: value for name, value in dataclasses.asdict(SMALL).items()
        if name in ("seq_length", "batch_size", "eval_every", "sample_every", "threads",
                    "learning_rate", "iterations")
    }  # fmt: skip
    return char_rnn.train(
        TEXT, hidden_size=16, out=out, progress=False, optimizer=optimizer, **settings, **more
    )


def test_through_the_front_door(tmp_path):
    """Killed by a callback, resumed by the same call, and the same bits as in one go."""

    class Killed(Exception):
        pass

    def kill(event):
        if isinstance(event, Step) and event.iteration == 23:
            raise Killed

    seen = []
    whole = trained(tmp_path / "whole", Nesterov(), schedule=saw, callbacks=[seen.append])
    assert sum(isinstance(event, Step) for event in seen) == 40
    with pytest.raises(Killed):
        trained(tmp_path / "parts", Nesterov, schedule=saw, callbacks=[kill])
    again = []
    parts = char_rnn.resume(
        tmp_path / "parts", progress=False, optimizer=Nesterov(), schedule=saw,
        callbacks=[again.append],
    )  # fmt: skip
    assert next(event.iteration for event in again if isinstance(event, Step)) == 21
    np.testing.assert_array_equal(whole.model.parameters.flat, parts.model.parameters.flat)


def test_a_run_that_was_killed_before_its_first_step_knows_its_own(tmp_path):
    settings = {"hidden_size": 5, "iterations": 4, "seq_length": 10, "batch_size": 4}
    new = NewRun("the cat sat on the mat.\n" * 40, settings, out=tmp_path / "r")
    new.plan()
    run, _ = new.make(optimizer=Lion, schedule=saw)
    run.release()
    with pytest.raises(RunError, match=r"was made with the optimizer Lion\("):
        char_rnn.resume(tmp_path / "r", progress=False)
    run = char_rnn.resume(tmp_path / "r", optimizer=Lion, schedule=saw, progress=False)
    assert run.model.summary["iteration"] == 4


def test_a_registered_one_goes_by_its_name(tmp_path):
    class Killed(Exception):
        pass

    def kill(event):
        if isinstance(event, Step) and event.iteration == 13:
            raise Killed

    char_rnn.register_optimizer("mine", Lion)
    whole = trained(tmp_path / "whole", "mine")
    with pytest.raises(Killed):
        trained(tmp_path / "parts", "mine", callbacks=[kill])
    parts = char_rnn.resume(tmp_path / "parts", progress=False)
    np.testing.assert_array_equal(whole.model.parameters.flat, parts.model.parameters.flat)
    by_class = trained(None, Lion, save=False)
    np.testing.assert_array_equal(whole.model.parameters.flat, by_class.model.parameters.flat)
    assert parts.model.summary["optimizer"] == "mine" and "own" not in parts.settings
    del OPTIMIZERS["mine"]  # as in another process
    with pytest.raises(FileError) as caught:
        char_rnn.resume(tmp_path / "parts", progress=False, iterations=50)
    message = str(caught.value)
    assert "unknown optimizer 'mine'" in message and "\n" not in message
    assert message.endswith("char_rnn.register_optimizer")
    assert CharRNN.load(tmp_path / "parts").sample("the", 5)  # the model itself needs none


def test_a_registered_one_must_be_an_optimiser():
    char_rnn.register_optimizer("odd", type("Odd", (), {"step": None}))
    with pytest.raises(UsageError, match=r"Odd'>; it must be a class derived"):
        make_optimizer(TrainConfig(optimizer="odd"))


def test_names_are_settings_and_memory_holds_them_too(tmp_path):
    run = trained(tmp_path / "run", "sgd", schedule="linear")
    assert run.train_config.optimizer == "sgd" and run.train_config.schedule == "linear"
    assert "own" not in run.settings
    run = trained(None, Lion, save=False)
    with pytest.raises(RunError, match="with the optimizer Lion"):
        char_rnn.resume(run, progress=False, iterations=50)
    run = char_rnn.resume(run, progress=False, iterations=50, optimizer=Lion)
    assert run.model.summary["iteration"] > 40
