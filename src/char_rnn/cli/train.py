"""`char-rnn train`: a text in, a run folder out."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import click

from char_rnn import config as known
from char_rnn.cli.main import option
from char_rnn.config import TRAIN_RECIPE, ModelConfig, TrainConfig
from char_rnn.errors import UsageError

RECIPE = TRAIN_RECIPE
DEFAULTS = RECIPE.train
LENGTHS = ("iterations", "epochs", "minutes")
PLANNED = "planned, or {}"
FINE_TUNING = 0.5
FREE_ON_RESUME = {*LENGTHS, "eval_every", "sample_every", "sample_length", "temperature"}


@click.command("train", short_help="Train a model on a text.")
@click.argument("text", required=False)
@option("bytes", is_flag=True, help="Model raw bytes instead of characters.")
@option(
    "cell",
    type=click.Choice(known.CELLS),
    default=RECIPE.cell,
    show_default=PLANNED.format(RECIPE.cell),
    help="The recurrent cell.",
)
@option("reset_after", is_flag=True, help="The GRU in PyTorch's form.")
@option(
    "hidden_size",
    type=int,
    default=RECIPE.hidden_size,
    show_default=PLANNED.format(RECIPE.hidden_size),
    help="Units of each layer.",
)
@option(
    "layers",
    type=int,
    default=RECIPE.layers,
    show_default=PLANNED.format(RECIPE.layers),
    help="Layers.",
)
@option(
    "seq_length",
    type=int,
    default=DEFAULTS.seq_length,
    show_default=PLANNED.format(DEFAULTS.seq_length),
    help="Characters of a window.",
)
@option(
    "batch_size",
    type=int,
    default=DEFAULTS.batch_size,
    show_default=PLANNED.format(DEFAULTS.batch_size),
    help="Streams read side by side.",
)
@option(
    "learning_rate",
    type=float,
    default=DEFAULTS.learning_rate,
    show_default=PLANNED.format(DEFAULTS.learning_rate),
    help="Highest learning rate.",
)
@option(
    "optimizer",
    type=click.Choice(known.OPTIMIZERS),
    default=DEFAULTS.optimizer,
    show_default=PLANNED.format(DEFAULTS.optimizer),
    help="How weights are updated.",
)
@option(
    "schedule",
    type=click.Choice(known.SCHEDULES),
    default=DEFAULTS.schedule,
    show_default=PLANNED.format(DEFAULTS.schedule),
    help="How the learning rate moves.",
)
@option(
    "clip",
    type=float,
    default=DEFAULTS.clip,
    show_default=PLANNED.format(DEFAULTS.clip),
    help="Limit of the gradient, 0 for none.",
)
@option(
    "clip_by",
    type=click.Choice(known.CLIP_KINDS),
    default=DEFAULTS.clip_by,
    show_default=True,
    help="Limit the norm of all, or each value.",
)
@option(
    "init",
    type=click.Choice(known.INITS),
    default=ModelConfig.init,
    show_default=True,
    help="How weights begin.",
)
@option(
    "initial_state",
    type=click.Choice(known.INITIAL_STATES),
    default=ModelConfig.initial_state,
    show_default=True,
    help="How the state begins.",
)
@option(
    "weight_decay",
    type=float,
    default=DEFAULTS.weight_decay,
    show_default=True,
    help="Shrink the weights (adamw).",
)
@option(
    "warmup",
    type=int,
    default=DEFAULTS.warmup,
    show_default=PLANNED.format(DEFAULTS.warmup),
    help="Steps of the linear warm-up.",
)
@option(
    "input_dropout",
    type=float,
    default=DEFAULTS.input_dropout,
    show_default=True,
    help="Share of the symbols that a stream does not see.",
)
@option(
    "layer_dropout",
    type=float,
    default=DEFAULTS.layer_dropout,
    show_default=PLANNED.format(DEFAULTS.layer_dropout),
    help="Dropout between layers.",
)
@option(
    "output_dropout",
    type=float,
    default=DEFAULTS.output_dropout,
    show_default=PLANNED.format(DEFAULTS.output_dropout),
    help="Dropout before the output.",
)
@option(
    "recurrent_dropout",
    type=float,
    default=DEFAULTS.recurrent_dropout,
    show_default=PLANNED.format(DEFAULTS.recurrent_dropout),
    help="Share of the recurrent weights left out.",
)
@option(
    "average",
    type=float,
    default=DEFAULTS.average,
    show_default=PLANNED.format(DEFAULTS.average),
    help="How slowly the averaged weights follow, 0 for none.",
)
@option(
    "reset",
    type=float,
    default=DEFAULTS.reset,
    show_default=PLANNED.format(DEFAULTS.reset),
    help="Share of the streams that begin again at each window.",
)
@option(
    "patience",
    type=int,
    default=DEFAULTS.patience,
    show_default=True,
    help="End after so many evaluations without a better one, 0 for never.",
)
@option(
    "random_offset",
    type=bool,
    default=DEFAULTS.random_offset,
    show_default=PLANNED.format(DEFAULTS.random_offset),
    help="Cut the windows elsewhere in every epoch.",
)
@option("layer_norm", is_flag=True, help="Normalise the gates.")
@option("tied", is_flag=True, help="One set of weights for characters coming in and out.")
@option("iterations", type=int, help="Train so many steps.")
@option("epochs", type=float, help="Train so many passes over the text.")
@option(
    "minutes",
    type=float,
    help=f"Train so long.  [default: {DEFAULTS.minutes:g}, if nothing else says how long]",
)
@option(
    "eval_every",
    type=int,
    default=DEFAULTS.eval_every,
    show_default=PLANNED.format(DEFAULTS.eval_every),
    help="Steps between evaluations, 0 for none but the last.",
)
@option(
    "sample_every",
    type=int,
    default=DEFAULTS.sample_every,
    show_default=PLANNED.format(DEFAULTS.sample_every),
    help="Steps between samples, 0 for none.",
)
@option(
    "sample_length",
    type=int,
    default=DEFAULTS.sample_length,
    show_default=True,
    help="Characters of a sample.",
)
@option(
    "temperature",
    type=float,
    default=DEFAULTS.temperature,
    show_default=True,
    help="Of the samples.",
)
@option(
    "val_fraction",
    type=float,
    default=DEFAULTS.val_fraction,
    show_default=True,
    help="Share of the text, at its end, that validates.",
)
@option("threads", type=int, help="Threads.  [default: all cores]")
@option(
    "rng_seed",
    type=int,
    default=DEFAULTS.rng_seed,
    show_default=True,
    help="Seed of all that is random.",
)
@option("verbose", is_flag=True, help="Explain what was chosen for the time there is.")
@option("out", type=click.Path(path_type=Path), help="Run folder.  [default: a new one in runs/]")
@option(
    "start_from",
    type=click.Path(path_type=Path),
    help="Go on from this model, on TEXT (fine-tuning); it learns TEXT's new characters.",
)
@option("resume", type=click.Path(path_type=Path), help="Go on with this run folder.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Train a model on TEXT: a file, a folder, - for standard input, or a built-in text.

    With --minutes (the default) all that is marked "planned" below is chosen for this machine, the
    text and the time; what you set stays as you set it.

    Built in: python-docs (the default), python-code, and shakespeare (downloaded once). Ctrl-C
    saves and says how to go on.
    """  # fmt: skip
    given = {
        name: value
        for name, value in options.items()
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    # Imported here: NumPy takes longer to load than the help takes to print.
    from char_rnn.analyse.baselines import unigram_entropy  # noqa: PLC0415
    from char_rnn.analyse.curves import advice, read_curves  # noqa: PLC0415
    from char_rnn.charrnn import CharRNN  # noqa: PLC0415
    from char_rnn.cli.session import train_to_end  # noqa: PLC0415
    from char_rnn.cli.show import make_show  # noqa: PLC0415

    if options["resume"]:
        run, trainer = _resume(options["resume"], given)
        click.echo(f"Going on with {run.folder} at iteration {trainer.iteration:,}")
    else:
        run, trainer = _begin(options, given)
        click.echo(f"Run folder: {run.folder}")
    model = trainer.model
    cell = model.config.cell + (" (reset after)" if model.config.reset_after else "")
    click.echo(
        f"Architecture: {model}, {model.config.layers} × {cell}, "
        f"{model.num_parameters:,} parameters, {trainer.threads} threads"
    )
    for note in trainer.corpus.notes + trainer.notes:
        click.echo(f"Note: {note}")
    if trainer.progress >= 1:
        raise UsageError(
            f"{run.folder} is finished; to go on, give more --iterations, --epochs or --minutes"
        )
    end, code = train_to_end(run, trainer, make_show())
    quoted = shlex.quote(str(run.folder))
    if end.reason == "interrupted":
        click.echo(
            f"\nStopped and saved at iteration {end.iteration:,}. Go on with:\n"
            f"  char-rnn train --resume {quoted}"
        )
        return code
    best = CharRNN.load(run.folder)
    click.echo(f"\nA sample of the best model:\n{best.sample(length=300)}\n")
    if end.best_val_loss is not None:
        click.echo(f"Validation loss: {end.best_val_loss:.4f} nats a character")
    curves = read_curves(run.folder)
    click.echo(advice(curves, unigram_entropy(trainer.corpus, trainer.val_start), end.reason))
    click.echo(
        f"Model: {run.model_path}\nGenerate from it with:\n"
        f"  char-rnn generate {quoted} --length 500"
    )
    return code


def _begin(options: dict[str, Any], given: dict[str, Any]) -> Any:
    from char_rnn.data.corpus import Corpus  # noqa: PLC0415
    from char_rnn.data.sources import open_source  # noqa: PLC0415
    from char_rnn.train.parallel import available_threads  # noqa: PLC0415
    from char_rnn.train.run import Run, new_folder  # noqa: PLC0415

    names = {field.name for field in dataclasses.fields(TrainConfig)}
    train = TrainConfig(**{k: v for k, v in options.items() if k in names})
    if not any(name in given for name in LENGTHS):
        train = dataclasses.replace(train, minutes=DEFAULTS.minutes)
    if train.threads is None:  # written down, so that a resumed run computes the same bits
        train = dataclasses.replace(train, threads=available_threads())
    names = {field.name for field in dataclasses.fields(ModelConfig)}
    settings = {k: v for k, v in options.items() if k in names}
    ModelConfig(vocab_size=1, **settings)  # a wrong setting is told before a long text is read
    start = _start_model(options["start_from"], given)
    if start is not None:
        settings = start.config.to_dict()
        del settings["vocab_size"]
        given = given | settings

    as_bytes = options["bytes"]
    source = open_source(options["text"] or RECIPE.text, as_bytes=as_bytes)
    as_bytes = as_bytes or (start is not None and start.vocabulary.kind == "bytes")
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
    spent = 0.0
    if train.minutes is not None:
        plan = _plan(corpus, train, given, options["verbose"])
        settings, spent = settings | plan.model, plan.seconds
        train = dataclasses.replace(train, **plan.train)
    if start is not None and "learning_rate" not in given:
        # What is there already must not be thrown away by the first large steps.
        train = dataclasses.replace(train, learning_rate=train.learning_rate * FINE_TUNING)
    model = ModelConfig(vocab_size=corpus.vocabulary.size, **settings)
    folder = options["out"] or new_folder(f"{corpus.name}-{model.cell}{model.hidden_size}")
    # Shrinking, and the texts that cannot be trained on at all, are seen before a folder is made.
    from char_rnn.data.windows import fit, split  # noqa: PLC0415

    fit(split(corpus.length, train.val_fraction)[0], train.batch_size, train.seq_length)
    run = Run.create(folder, model, train, corpus, start)
    trainer = run.trainer(corpus)
    trainer.elapsed = spent
    return run, trainer


def _start_model(path: Path | None, given: dict[str, Any]) -> Any:
    if path is None:
        return None
    from char_rnn.charrnn import CharRNN  # noqa: PLC0415

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
    import numpy as np  # noqa: PLC0415

    from char_rnn.data.corpus import Corpus  # noqa: PLC0415
    from char_rnn.data.vocabulary import Vocabulary  # noqa: PLC0415

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
    from char_rnn.data.windows import split  # noqa: PLC0415
    from char_rnn.train.plan import make_plan  # noqa: PLC0415
    from char_rnn.train.trainer import MOST_VALIDATION  # noqa: PLC0415

    assert train.minutes is not None
    assert train.threads is not None
    start, stop = split(corpus.length, train.val_fraction)
    held_out = min(stop - start, MOST_VALIDATION)
    plan = make_plan(start, held_out, corpus.vocabulary.size, train.minutes, train.threads, given)
    if verbose:
        for reason in plan.reasons:
            click.echo(f"Plan: {reason}")
    return plan


def _resume(folder: Path, given: dict[str, Any]) -> Any:
    from char_rnn.data.corpus import Corpus  # noqa: PLC0415
    from char_rnn.data.sources import open_source  # noqa: PLC0415
    from char_rnn.train.run import Run  # noqa: PLC0415

    fixed = sorted(set(given) - FREE_ON_RESUME - {"resume", "verbose"})
    if fixed:
        raise UsageError(
            f"{', '.join('--' + name for name in fixed)} cannot change in a run "
            "that goes on; leave it out, or begin a new run"
        )
    run = Run.open(folder)
    train = run.train_config
    changes = {name: given[name] for name in FREE_ON_RESUME & set(given)}
    if any(name in changes for name in LENGTHS):
        changes = dict.fromkeys(LENGTHS) | changes
    train = dataclasses.replace(train, **changes)
    source = open_source(run.where, as_bytes=run.as_bytes)
    vocabulary = None if run.start is None else run.start.vocabulary
    corpus = Corpus.from_source(source, as_bytes=run.as_bytes, vocabulary=vocabulary)
    trainer = run.trainer(corpus, train)
    if changes:  # so that the run, interrupted again, goes on to its new end
        run.change(train)
    return run, trainer
