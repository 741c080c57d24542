"""One job of a sweep: a model is trained in this process, and the store is told how it does."""

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from char_rnn.data.corpus import Corpus
from char_rnn.errors import CharRNNError, SweepError
from char_rnn.runs.new import NewRun
from char_rnn.sweeps.jobs import Job, Jobs
from char_rnn.sweeps.spec import Spec, read_fields
from char_rnn.training.events import End, Evaluation

if TYPE_CHECKING:
    from optuna import Trial

    from char_rnn.runs.run import Run
    from char_rnn.training.trainer import Trainer

USED, ERROR = "used", "error"
"""Attributes of a trial: what it was trained with and came to; why it came to nothing."""
TENTHS = 10


def do(jobs: Jobs, job: Job, spec: Spec, corpus: Corpus, stopped: Callable[[], bool]) -> bool:
    """Do a job to its end, and return True; or, `stopped`, give it back and return False."""
    settings = {n: v for n, v in spec.settings.items() if n not in read_fields(spec.settings)}
    try:
        with jobs.alive(job):
            new = NewRun(corpus, settings | job.point | {"rng_seed": job.seed}, save=False)
            new.plan()
            run, trainer = new.make()
            end = _train(run, trainer, job.trial, stopped)
    except (CharRNNError, MemoryError) as error:
        _failed(jobs, job, str(error) or "there is not enough memory")
        return True
    except BaseException:
        jobs.give_back(job)
        raise
    if end is None:
        jobs.give_back(job)
        return False
    pruned = end.reason == "interrupted"
    loss = end.best_val_loss
    if not pruned and (loss is None or not math.isfinite(loss)):
        _failed(jobs, job, f"its validation loss is {loss}")
        return True
    used = used_by(run, trainer, end)
    if not pruned:
        used["val_loss"] = run.model.summary["val_loss"]
    job.trial.set_user_attr(USED, json.dumps(used))
    _tell(jobs, job, None if pruned else used["val_loss"])
    return True


def _train(
    run: "Run", trainer: "Trainer", trial: "Trial", stopped: Callable[[], bool]
) -> End | None:
    """Train; return how it ended, "interrupted" where it was pruned, None where it was stopped."""
    told: set[int] = set()
    end = None
    for event in run.follow(trainer):
        if isinstance(event, Evaluation) and math.isfinite(event.val_loss):
            tenth = int(TENTHS * event.progress)
            if tenth not in told:
                told.add(tenth)
                trial.report(event.val_loss, tenth)
                trainer.stop = trainer.stop or (event.progress < 1 and trial.should_prune())
        elif isinstance(event, End):
            end = event
        if stopped():
            trainer.stop = True
    done = end is not None and (end.reason != "interrupted" or not stopped())
    return end if done else None


def used_by(run: "Run", trainer: "Trainer", end: End) -> dict[str, Any]:
    """Return what a training was done with, and came to, as plain data."""
    return {
        "model": run.model_config.to_dict(),
        "train": trainer.config.to_dict(),
        "parameters": trainer.model.num_parameters,
        "seconds": end.seconds,
        "characters": end.characters,
        "iterations": end.iteration,
    }


def _tell(jobs: Jobs, job: Job, loss: float | None) -> None:
    from optuna.trial import TrialState

    if loss is None:
        jobs.study.tell(job.trial.number, state=TrialState.PRUNED)
    else:
        jobs.study.tell(job.trial.number, loss)


def _failed(jobs: Jobs, job: Job, why: str) -> None:
    """End a job that came to nothing, and would again."""
    job.trial.set_user_attr(ERROR, why[:500])
    _tell(jobs, job, None)


def check_text(spec: Spec, corpus: Corpus) -> None:
    """Raise SweepError unless it is the text that the others train on."""
    if spec.text_sha256 and corpus.sha256 != spec.text_sha256:
        raise SweepError(
            f"the text {corpus.name} is another one than that of the sweep; put that one back"
        )
