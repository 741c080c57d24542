"""How a run begins: from settings, a text, a plan, and perhaps a model or a run that is there."""

import dataclasses
from pathlib import Path
from typing import Any

import click
import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.cli.rules import check_training, unheard
from char_rnn.config import LENGTHS, PLANNED, TRAIN_RECIPE, ModelConfig, TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.sources import open_source
from char_rnn.data.vocabulary import Vocabulary
from char_rnn.data.windows import part_to_train, split
from char_rnn.errors import UsageError
from char_rnn.storage import check_folder
from char_rnn.storage.reading import shown
from char_rnn.training.parallel import available_threads
from char_rnn.training.plan import make_plan
from char_rnn.training.room import check_room
from char_rnn.training.run import RUNS, Run, check_new, new_folder
from char_rnn.training.trainer import MOST_VALIDATION

DEFAULTS = TRAIN_RECIPE.train
FINE_TUNING = 0.5
MOST_PLANNING = 0.3  # of the time there is
FREE_ON_RESUME = {
    *LENGTHS, "patience", "eval_every", "sample_every", "sample_length", "temperature", "threads",
}  # fmt: skip


def begin(options: dict[str, Any], given: dict[str, Any]) -> Any:
    """Return a new run and its trainer."""
    names = {field.name for field in dataclasses.fields(TrainConfig)}
    train = TrainConfig(**{k: v for k, v in options.items() if k in names})
    if not any(name in given for name in LENGTHS):
        train = dataclasses.replace(train, minutes=DEFAULTS.minutes)
    if train.threads is None:  # written down, so that a resumed run computes the same bits
        train = dataclasses.replace(train, threads=available_threads())
    names = {field.name for field in dataclasses.fields(ModelConfig)}
    settings = {k: v for k, v in options.items() if k in names}
    if "reset_after" in given and options["cell"] != "gru":
        raise UsageError(
            "--reset_after and --reset_before are forms of the gru, not of the "
            f"{options['cell']}: leave them out"
        )
    check_settings(settings, train, options["out"])
    start = _start_model(options["start_from"], given)
    typed = given
    if start is not None:
        settings = start.config.to_dict()
        del settings["vocab_size"]
        given = given | settings
    planned = PLANNED - set(given) if train.minutes else set()
    sure = settings | train.to_dict()
    check_training(typed, {name: sure[name] for name in sure.keys() - planned})

    as_bytes = options["bytes"] or (start is not None and start.vocabulary.kind == "bytes")
    patterns = options["pattern"]
    text = TRAIN_RECIPE.text if options["text"] is None else options["text"]
    source = open_source(text, as_bytes=as_bytes, patterns=patterns)
    corpus = Corpus.from_source(source, as_bytes=as_bytes)
    if start is not None:
        start, corpus = _extend(start, corpus, source, train.rng_seed)
    if source.where == "-" and options["out"] is None:
        corpus.notes.append(
            "standard input cannot be read again: this run cannot be resumed "
            "unless the same text is piped in again"
        )
    click.echo(
        f"Text: {corpus.name}, {corpus.length:,} "
        f"{'bytes' if as_bytes else 'characters'}, {corpus.vocabulary.size} distinct"
    )
    check_settings(settings, train, options["out"], corpus)
    spent = 0.0
    if train.minutes is None and options["verbose"]:
        click.echo("Plan: none, for --iterations and --epochs leave every setting as it is")
    if train.minutes is not None:
        plan = _plan(corpus, train, given, options["verbose"])
        settings, spent = settings | plan.model, plan.seconds
        train = dataclasses.replace(train, **plan.train)
        corpus.notes += unheard(typed, settings | train.to_dict())
    if start is not None and "learning_rate" not in given:
        # What is there already must not be thrown away by the first large steps.
        train = dataclasses.replace(train, learning_rate=train.learning_rate * FINE_TUNING)
    check_settings(settings, train, options["out"], corpus)
    model = ModelConfig(vocab_size=corpus.vocabulary.size, **settings)
    folder = options["out"] or new_folder(f"{corpus.name}-{model.cell}{model.hidden_size}")
    run = Run.create(folder, model, train, corpus, start, patterns)
    trainer = run.trainer(corpus)
    # On a busy machine planning may take long; most of the time is for training all the same.
    trainer.elapsed = min(spent, MOST_PLANNING * 60 * (train.minutes or 0))
    return run, trainer


def check_settings(
    settings: dict[str, Any], train: TrainConfig, out: Path | None, corpus: Corpus | None = None
) -> None:
    """Raise what is wrong with a new run before anything is made of it.

    settings: of the model, without its vocabulary. corpus: None before the text is read, which may
    take long; then only what does not depend on it is checked.
    """
    if corpus is None:
        check_room(ModelConfig(vocab_size=1, **settings), train)
        if out is None:
            check_folder(RUNS)
        else:
            check_new(out)
        return
    check_room(
        ModelConfig(vocab_size=corpus.vocabulary.size, **settings), train,
        part_to_train(corpus.length, train.val_fraction, train.calibration),
    )  # fmt: skip


def _start_model(path: Path | None, given: dict[str, Any]) -> Any:
    if path is None:
        return None
    fixed = {field.name for field in dataclasses.fields(ModelConfig)} & set(given)
    if fixed:
        raise UsageError(
            f"{', '.join('--' + name for name in sorted(fixed))} cannot be chosen with "
            "--start_from: the model has it already; leave it out"
        )
    model = CharRNN.load(path)
    if model.vocabulary is None:
        raise UsageError(f"{path} has no vocabulary; there is nothing to start from")
    return model


def _extend(start: Any, corpus: Any, source: Any, rng_seed: int) -> Any:
    """Return model and corpus with one vocabulary: the model's and what the text adds."""
    if start.vocabulary.kind == "bytes":
        return start, corpus
    if corpus.vocabulary.kind == "bytes":
        raise UsageError("--bytes: the model to start from knows characters; leave --bytes out")
    new = [c for c in corpus.vocabulary.chars if c not in start.vocabulary]
    vocabulary = Vocabulary.from_characters([*start.vocabulary.chars, *new])
    if new:
        click.echo(
            f"New to the model: {len(new)} characters, {''.join(new[:40])!r}; they begin with "
            "random weights"
        )
    corpus = Corpus.from_source(source, vocabulary=vocabulary)
    return start.extended(vocabulary, np.random.default_rng(rng_seed)), corpus


def _plan(corpus: Any, train: TrainConfig, given: dict[str, Any], verbose: bool) -> Any:
    assert train.minutes is not None
    assert train.threads is not None
    start, stop = split(corpus.length, train.val_fraction)
    held_out = min(stop - start, MOST_VALIDATION)
    length = part_to_train(corpus.length, train.val_fraction, train.calibration)
    plan = make_plan(length, held_out, corpus.vocabulary.size, train.minutes, train.threads, given)
    if verbose:
        for reason in plan.reasons:
            click.echo(f"Plan: {reason}")
    return plan


def resume(folder: Path, given: dict[str, Any]) -> Any:
    """Return the run in `folder` and its trainer, where it was left."""
    fixed = sorted(set(given) - FREE_ON_RESUME - {"resume"})
    if fixed:
        names = ("TEXT" if name == "text" else f"--{name}" for name in fixed)
        raise UsageError(
            f"{', '.join(names)} cannot be given with --resume: a run goes on as it began; leave "
            "it out, or begin a new run"
        )
    run = Run.open(folder)
    run.hold()
    train = run.train_config
    changes = {name: given[name] for name in FREE_ON_RESUME & set(given)}
    if any(name in changes for name in LENGTHS):
        changes = dict.fromkeys(LENGTHS) | changes
    train = dataclasses.replace(train, **changes)
    check_training(given, run.model_config.to_dict() | train.to_dict())
    source = open_source(run.where, as_bytes=run.as_bytes, patterns=run.patterns)
    vocabulary = None if run.start is None else run.start.vocabulary
    corpus = Corpus.from_source(source, as_bytes=run.as_bytes, vocabulary=vocabulary)
    length = part_to_train(corpus.length, train.val_fraction, train.calibration)
    check_room(run.model_config, train, length)
    trainer = run.trainer(corpus, train)
    return run, trainer


def refuse_if_over(run: Run, trainer: Any) -> None:
    """Raise UsageError if nothing is left to do in a run."""
    if trainer.progress >= 1:
        raise UsageError(
            f"{shown(run.folder)} is finished; to go on, give more --iterations, --epochs or "
            "--minutes"
        )
    if trainer.over:
        raise UsageError(
            f"{shown(run.folder)} has ended: {trainer.config.patience} evaluations in a row were "
            "no better than one before; to go on, give a larger --patience, or 0 for any number"
        )
