"""The exercise's two commands, with its flags and its transcript."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import click

from char_rnn.cli.generate import known, stream
from char_rnn.cli.main import TEMPERATURE, option
from char_rnn.config import CELLS, EXERCISE_RECIPE, ModelConfig, SampleConfig

RECIPE = EXERCISE_RECIPE
DEFAULTS = RECIPE.train


@click.command()
@option("text", default=RECIPE.text, show_default=True, help="The text to learn from.")
@option("cell", type=click.Choice(CELLS), default=RECIPE.cell, show_default=True)
@option("hidden_size", type=int, default=RECIPE.hidden_size, show_default=True)
@option("layers", type=int, default=RECIPE.layers, show_default=True)
@option("seq_length", type=int, default=DEFAULTS.seq_length, show_default=True)
@option("batch_size", type=int, default=DEFAULTS.batch_size, show_default=True)
@option("learning_rate", type=float, default=DEFAULTS.learning_rate, show_default=True)
@option("clip", type=float, default=DEFAULTS.clip, show_default=True)
@option("iterations", type=int, default=DEFAULTS.iterations, show_default=True)
@option("sample_every", type=int, default=DEFAULTS.sample_every, show_default=True)
@option("temperature", type=TEMPERATURE, default=DEFAULTS.temperature, show_default=True)
@option("threads", type=int, help="Threads.  [default: all cores]")
@option("rng_seed", type=int, default=DEFAULTS.rng_seed, show_default=True)
@option("out", type=click.Path(path_type=Path), help="Model file.  [default: TEXT_rnn.pkl]")
def train_rnn(text: str, out: Path | None, **options: Any) -> int:
    """Train the exercise's network on a text and write TEXT_rnn.pkl."""
    from char_rnn.charrnn import CharRNN  # noqa: PLC0415
    from char_rnn.cli.session import train_to_end  # noqa: PLC0415
    from char_rnn.cli.show import Show  # noqa: PLC0415
    from char_rnn.data.corpus import Corpus  # noqa: PLC0415
    from char_rnn.data.sources import open_source  # noqa: PLC0415
    from char_rnn.train.events import Event, Sample  # noqa: PLC0415
    from char_rnn.train.parallel import available_threads  # noqa: PLC0415
    from char_rnn.train.run import Run, new_folder  # noqa: PLC0415

    names = {field.name for field in dataclasses.fields(ModelConfig)} & set(options)
    settings = {name: options.pop(name) for name in sorted(names)} | {"reset_after": False}
    train = dataclasses.replace(DEFAULTS, eval_every=0, **options)
    ModelConfig(vocab_size=1, **settings)

    class Transcript(Show):
        """The exercise's transcript: the samples, and the loss at each."""

        def show(self, event: Event) -> None:
            if isinstance(event, Sample):
                click.echo(f"\nIter {event.iteration} (loss={event.loss:.3f}):\n{event.text}")

    click.echo("Loading text file...")
    corpus = Corpus.from_source(open_source(text))
    model = ModelConfig(vocab_size=corpus.vocabulary.size, **settings)
    chars = corpus.vocabulary.chars
    preview = ", ".join(repr(char) for char in chars[:9]) + (", ..." if len(chars) > 9 else "")
    click.echo(f"Text length: {corpus.length:,} characters")
    click.echo(f"Vocabulary size: {corpus.vocabulary.size} unique characters")
    click.echo(f"Vocabulary: [{preview}]\n")
    click.echo("Building RNN...")
    # The threads are written down, so that a run that was killed goes on to the same bits.
    train = dataclasses.replace(train, threads=train.threads or available_threads())
    run = Run.create(
        new_folder(f"{corpus.name}-{model.cell}{model.hidden_size}"), model, train, corpus
    )
    trainer = run.trainer(corpus)
    click.echo(f"Architecture: {trainer.model}")
    click.echo(f"Total parameters: {trainer.model.num_parameters:,}\n")
    click.echo(
        f"Training with:\n  - Sequence length: {trainer.streams.seq_length}\n"
        f"  - Learning rate: {train.learning_rate}\n  - Gradient clip: {train.clip}\n"
        f"  - Batch size: {trainer.streams.batch_size}"
    )
    for note in corpus.notes + trainer.notes:
        click.echo(f"Note: {note}")
    out = out or Path(f"{corpus.name}_rnn.pkl")
    try:
        end, code = train_to_end(run, trainer, Transcript())
    finally:
        trainer.model.save(out)
    if end.reason != "finished":
        click.echo(
            f"\nStopped and saved at iteration {end.iteration:,}. Go on with:\n"
            f"  char-rnn train --resume {shlex.quote(str(run.folder))}"
        )
    network: CharRNN = trainer.model
    click.echo(
        f"\nThe model is in {out}. Generate from it with:\n"
        f"  python generate.py --model {out} --seed {_seed(network)} --length 500"
    )
    return code


def _seed(network: Any) -> str:
    return '"To be or"' if not network.vocabulary.unknown("To be or") else '""'


@click.command()
@option(
    "model",
    type=click.Path(path_type=Path),
    help="Model file or run folder.  [default: the newest *_rnn.pkl here, or run]",
)
@option("seed", default="", help="The text to go on from.")
@option("length", type=int, default=SampleConfig.length, show_default=True)
@option("temperature", type=TEMPERATURE, default=SampleConfig.temperature, show_default=True)
@option("rng_seed", type=int)
def generate(
    model: Path | None, seed: str, length: int, temperature: float | str, rng_seed: int | None
) -> None:
    """Generate text as the exercise does."""  # fmt: skip
    config = SampleConfig(length, temperature)
    from char_rnn.charrnn import CharRNN  # noqa: PLC0415
    from char_rnn.train.run import newest_run  # noqa: PLC0415

    named = model is not None
    if model is None:
        here = sorted(Path().glob("*_rnn.pkl"), key=lambda path: path.stat().st_mtime_ns)
        model = here[-1] if here else newest_run()
    network = CharRNN.load(model)
    if named and seed:
        click.echo(f'Seed: "{seed}"\n\nGenerated:')
    import numpy as np  # noqa: PLC0415

    seed = known(network, seed)
    stream(seed, network.generate(seed, config, np.random.default_rng(rng_seed)), config)
