"""A run that is there, to go on with."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Unpack

from char_rnn.config import LENGTHS, TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.given import GivenText, as_source
from char_rnn.data.parts import where_shown
from char_rnn.errors import NotText, UnknownCharacters, UsageError
from char_rnn.runs.room import check_room
from char_rnn.runs.rules import check
from char_rnn.runs.run import IN_MEMORY, Run
from char_rnn.settings import settings_of
from char_rnn.storage.reading import shown
from char_rnn.training.own import Own
from char_rnn.training.team import ALONE
from char_rnn.training.trainer import Trainer

FREE = frozenset(name for name, about in settings_of(TrainConfig).items() if about.free)
"""The settings that may change when a run goes on."""


def check_free(given: Mapping[str, Any]) -> None:
    """Raise UsageError if something is given that no run can change when it goes on."""
    fixed = sorted(given.keys() - FREE)
    if fixed:
        raise UsageError(
            f"{', '.join(f'--{name}' for name in fixed)} cannot be given with --resume: a run goes "
            "on as it began; leave it out, or begin a new run"
        )


def same_text(run: Run, text: GivenText | Corpus) -> Corpus:
    """Return `text` as the run reads its own; whether it is the same, its trainer tells."""
    if isinstance(text, Corpus):
        return text
    start = run.start
    vocabulary = None if start is None else start.vocabulary
    return Corpus.from_source(as_source(text, run.text.reading), vocabulary=vocabulary)


def own_text_again(run: Run, text: GivenText) -> Corpus:
    """Return the corpus of `text`, which was named though the run has a text of its own.

    Raises UsageError if it is another.
    """
    try:
        corpus = same_text(run, text)
        same = corpus.sha256 == run.text.sha256
    except (UnknownCharacters, NotText):
        same = False
    if not same:
        raise UsageError(
            f"{run.folder} goes on with its own text, {where_shown(run.text.where)}, and the one "
            "given is, or has become, another; leave it out, or begin a new run with it"
        )
    return corpus


def go_on(
    run: Run, given: Mapping[str, Any], corpus: Corpus | None = None, **own: Unpack[Own]
) -> Trainer:
    """Return the trainer of `run`, locked from now on, where it was left.

    given: settings that change. corpus: the run's text, if it is open already. own: the optimiser
    and the schedule that it began with, where they are its own, callbacks, and the team.
    """
    check_free(given)
    team = own.get("team", ALONE)
    with team.together():
        if team.leads:
            run.hold()
    try:
        with team.together():
            train, corpus = _checked(run, given, corpus)
        return run.trainer(corpus, train, **own)
    except BaseException:
        run.release()
        raise


def _checked(
    run: Run, given: Mapping[str, Any], corpus: Corpus | None
) -> tuple[TrainConfig, Corpus]:
    """Return how the run goes on, and its text."""
    train = run.train_config
    changes = dict(given)
    if any(name in changes for name in LENGTHS):
        changes = dict.fromkeys(LENGTHS) | changes
    train = dataclasses.replace(train, **changes)
    check(given, run.model_config.to_dict() | train.to_dict())
    corpus = run.corpus() if corpus is None else corpus
    length = corpus.parts(train.val_fraction, train.calibration).train_stop
    check_room(run.model_config, train, length)
    return train, corpus


def only_finished(run: Run, trainer: Trainer) -> bool:
    """Finish a run that was killed between its last step and its end; return whether it was.

    Raises UsageError if nothing is left to do in it. In both cases it is released.
    """
    if not trainer.over:
        return False
    team = trainer.team
    with team.together():
        return _finished(run, trainer) if team.leads else True


def _finished(run: Run, trainer: Trainer) -> bool:
    """Finish it; raise UsageError if it was finished already."""
    try:
        if run.finish(trainer):
            return True
    finally:
        run.release()
    name = IN_MEMORY if run.folder is None else shown(run.folder)
    if trainer.progress >= 1:
        raise UsageError(
            f"{name} is finished; to go on, give more --iterations, --epochs or --minutes"
        )
    raise UsageError(
        f"{name} has ended: {trainer.config.patience} evaluations in a row were "
        "no better than one before; to go on, give a larger --patience, or 0 for any number"
    )
