"""The rooms beside the trainer, each by itself: budget, recovery, validation, progress."""

import dataclasses

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus, TrainConfig
from char_rnn.training import budget as budget_module
from char_rnn.training import validation as validation_module
from char_rnn.training.budget import Budget
from char_rnn.training.events import Checkpoint, Divergence, End, Evaluation, Sample, Step
from char_rnn.training.progress import LOGGED, Progress
from char_rnn.training.recovery import BAD_STEPS, Recovery, all_finite
from char_rnn.training.validation import Validation


def test_iterations_and_epochs_are_counted():
    budget = Budget(TrainConfig(iterations=8), windows_per_epoch=5)
    assert [budget.progress(n) for n in (0, 2, 8, 9)] == [0, 0.25, 1, 1]
    assert Budget(TrainConfig(iterations=None, epochs=0.5), 9).iterations == round(4.5)
    assert Budget(TrainConfig(iterations=None, epochs=0.001), 9).iterations == 1
    assert Budget(TrainConfig(iterations=None), 9).iterations == 90


def test_of_minutes_the_last_evaluation_is_kept_free():
    budget = Budget(TrainConfig(minutes=1), 5)
    budget.elapsed = 30.0
    assert budget.iterations is None and budget.progress(1000) == 0.5
    budget.reserve = 20.0
    assert budget.progress(0) == 0.75
    budget.reserve = 100.0
    assert budget.progress(0) == 1


def test_time_counts_from_tick_to_tick(set_clock):
    times = iter([100.0, 103.0, 110.0])
    set_clock(budget_module, perf_counter=lambda: next(times))
    budget = Budget(TrainConfig(minutes=1), 5)
    budget.elapsed = 5.0  # of planning
    budget.start()
    budget.tick()
    assert budget.elapsed == 8
    budget.tick()
    assert budget.elapsed == 15


def test_recovery_goes_back_after_several_bad_steps_in_a_row():
    arrays = {"w": np.ones(3), "slot": np.zeros(2)}
    recovery = Recovery(lambda: arrays)
    live = dict(arrays)
    arrays["w"][:], arrays["slot"][:] = 2, 3
    for _ in range(BAD_STEPS - 1):
        recovery.bad_step()
    recovery.good_step()
    recovery.bad_step()
    assert not recovery.diverged and recovery.skipped == BAD_STEPS
    recovery.bad_step(weights=True)
    assert recovery.diverged
    recovery.go_back()
    assert not recovery.diverged and recovery.rate_scale == 0.5
    assert arrays["w"].tolist() == [1, 1, 1] and not arrays["slot"].any()
    assert arrays["w"] is live["w"]  # changed in place
    arrays["w"][:] = 4
    recovery.keep()
    arrays["w"][:] = 5
    twin = Recovery(lambda: arrays)
    twin.restore(recovery.good, recovery.facts())
    twin.go_back()
    assert arrays["w"].tolist() == [4, 4, 4] and twin.rate_scale == 0.25
    assert twin.skipped == recovery.skipped


@pytest.mark.parametrize(("last", "said"), [(1.0, True), (np.nan, False), (np.inf, False)])
def test_weights_are_looked_at_as_a_whole(last, said):
    assert all_finite(np.array([1.0, -1e30, last])) == said


def test_patience_is_remembered(monkeypatch):
    corpus = Corpus.from_text("abcab" * 20)
    model = CharRNN(3, 4, vocabulary=corpus.vocabulary)
    losses = iter([3.0, 2.0, float("nan"), 2.0, 2.5, 1.0])
    monkeypatch.setattr(validation_module, "mean_loss", lambda *_: next(losses))
    first = Validation(model, corpus, patience=3)
    assert [first.measure(0, 50)[1] for _ in range(4)] == [True, True, False, False]
    assert first.best == 2 and not first.out_of_patience
    second = Validation(model, corpus, patience=3)
    second.restore(first.facts())
    assert second.measure(0, 50) == (2.5, False) and second.out_of_patience
    assert second.measure(0, 50) == (1.0, True) and not second.out_of_patience


def test_every_event_is_progress_and_more():
    names = [field.name for field in dataclasses.fields(Progress)]
    for kind in (Step, Evaluation, Sample, Checkpoint, Divergence, End):
        assert issubclass(kind, Progress)
        assert [field.name for field in dataclasses.fields(kind)][: len(names)] == names
    step = Step(**dict.fromkeys(names, 1), skipped=True)
    assert list(step.by_name()) == names and list(step.log_line()) == list(LOGGED)
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.loss = 2
