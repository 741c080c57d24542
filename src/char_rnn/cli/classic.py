"""The exercise's two commands, with its flags and its transcript."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from char_rnn.cli.completion import complete_text
from char_rnn.cli.help import OTHERS, Command
from char_rnn.cli.options import PATH, RNG_SEED, Decorator, option
from char_rnn.cli.prompts import typed
from char_rnn.cli.rules import given_options
from char_rnn.cli.settings import setting_option
from char_rnn.cli.words import fitting
from char_rnn.cli.written import stream
from char_rnn.config import RUN, ModelConfig, TrainConfig
from char_rnn.recipes import EXERCISE_RECIPE
from char_rnn.runs.watch import LiveWatch, Watch
from char_rnn.sample_config import SampleConfig
from char_rnn.text_config import TEXT, TextConfig
from char_rnn.training.events import Event, Sample, Step

if TYPE_CHECKING:
    from char_rnn.charrnn import CharRNN
    from char_rnn.data.corpus import Corpus
    from char_rnn.runs.run import Run
    from char_rnn.training.trainer import Trainer

RECIPE = EXERCISE_RECIPE
DEFAULTS = RECIPE.train


class Transcript(Watch):
    """The exercise's transcript: the samples, and the loss at each; on a terminal the bar below."""

    def __init__(self, shown: Watch) -> None:
        super().__init__()
        self._shown = shown

    def __enter__(self) -> Self:
        self._shown.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._shown.__exit__(*error)

    def show(self, event: Event) -> None:
        """Show a sample; of steps only the bar."""
        if isinstance(event, Sample):
            self._shown.line(f"\n{event.heading}\n{event.text}")
        elif isinstance(event, Step) and isinstance(self._shown, LiveWatch):
            self._shown.show(event)


def _setting(name: str, **more: Any) -> Decorator:
    """Return the option of a setting, with the exercise's default; `more` as in `option`."""
    config, values = (ModelConfig, RECIPE) if hasattr(RECIPE, name) else (TrainConfig, DEFAULTS)
    return setting_option(config, name, default=getattr(values, name), **more)


@click.command(
    cls=Command,
    examples=(
        "python train_rnn.py --text shakespeare.txt",
        "python train_rnn.py --text book.txt --cell lstm -o book.pkl",
    ),
)
@option(
    "text",
    default=RECIPE.text,
    group=TEXT,
    shell_complete=complete_text,
    help="The text to learn from.",
)
@setting_option(TextConfig, "encoding")
@_setting("iterations")
@_setting("cell")
@_setting("hidden_size")
@_setting("layers")
@_setting("seq_length")
@_setting("batch_size")
@_setting("learning_rate")
@_setting("clip")
@_setting("sample_every")
@_setting("temperature")
@_setting("threads")
@_setting("rng_seed", type=RNG_SEED)
@option("out", short="o", type=PATH, group=RUN, told="TEXT_rnn.pkl", help="Model file.")
@option(
    "resume",
    type=PATH,
    metavar="RUN",
    group=RUN,
    help="Go on with this run folder, and renew the model file.",
)
@click.pass_context
def train_rnn(ctx: click.Context, /, out: Path | None, resume: Path | None, **options: Any) -> int:
    """Train the exercise's network on a text and write TEXT_rnn.pkl.

    Ctrl-C saves, and says how to go on and renew the file.
    """
    from char_rnn.cli.to_the_end import train_to_end
    from char_rnn.runs.folder import EXERCISE
    from char_rnn.runs.watch import make_watch

    text = options.pop("text")
    typed = given_options(ctx)
    given = {name: value for name, value in typed.items() if name in options}
    click.echo("Loading text file...")
    left = None if resume is None else (resume, typed.get("text"))
    run, trainer = _begin(text, given, out) if left is None else _resume(*left, given, out)
    model, corpus, train = trainer.model, trainer.corpus, trainer.config
    target = _target(out, corpus)
    if trainer.over:
        model.save(target)
        click.echo(
            f"{run.folder} is finished, and its model is in {target}; to go on, give more "
            "--iterations"
        )
        return 0
    click.echo(f"Architecture: {model.outline}")
    click.echo(f"Total parameters: {model.num_parameters:,}\n")
    click.echo(
        f"Training with:\n  - Sequence length: {trainer.streams.seq_length}\n"
        f"  - Learning rate: {train.learning_rate}\n  - Gradient clip: {train.clip}\n"
        f"  - Batch size: {trainer.streams.batch_size}"
    )
    for note in run.notes + trainer.notes:
        click.echo(f"Note: {fitting(note)}")
    again = f"python {_script(EXERCISE)} --resume {shlex.quote(str(run.folder))}"
    if out is not None:
        again += f" --out {shlex.quote(str(out))}"
    try:
        ending = train_to_end(run, trainer, Transcript(make_watch()), again)
    finally:
        model.save(target)
    model_file = shlex.quote(str(target))
    ending.say(
        f"\nThe model is in {target}. Generate from it with:\n"
        f"  python {_script('generate.py')} --model {model_file} --seed {_seed(model)} --length 500"
    )
    return ending.code


def _begin(text: str, given: dict[str, Any], out: Path | None) -> "tuple[Run, Trainer]":
    """Return a new run and its trainer."""
    from char_rnn.data.given import TextName
    from char_rnn.runs.folder import EXERCISE
    from char_rnn.runs.new import NewRun
    from char_rnn.storage import check_writable

    new = NewRun(
        TextName(text),
        given | {"reset_after": False, "eval_every": 0},
        recipe=RECIPE,
        tell=lambda note: click.echo(f"Note: {note}"),
    )
    new.plan()
    check_writable(_target(out, new.corpus))
    _describe(new.corpus)
    run, trainer = new.make(command=EXERCISE)
    return run, trainer


def _resume(
    folder: Path, text: str | None, given: dict[str, Any], out: Path | None
) -> "tuple[Run, Trainer]":
    """Return the run in `folder` and its trainer, where it was left; text: its own, named again."""
    from char_rnn.data.given import TextName
    from char_rnn.runs.going_on import check_free, go_on, own_text_again
    from char_rnn.runs.run import Run
    from char_rnn.storage import check_writable

    check_free(given)
    run = Run.open(folder)
    trainer = go_on(run, given, None if text is None else own_text_again(run, TextName(text)))
    check_writable(_target(out, trainer.corpus))
    _describe(trainer.corpus)
    run.notes = trainer.corpus.notes
    click.echo(f"Going on with {folder} at iteration {trainer.iteration:,}")
    return run, trainer


def _target(out: Path | None, corpus: "Corpus") -> Path:
    return out or Path(f"{corpus.name}_rnn.pkl")


def _describe(corpus: "Corpus") -> None:
    chars = corpus.vocabulary.chars
    preview = ", ".join(repr(char) for char in chars[:9]) + (", ..." if len(chars) > 9 else "")
    click.echo(f"Text length: {corpus.length:,} characters")
    click.echo(f"Vocabulary size: {corpus.vocabulary.size} unique characters")
    click.echo(f"Vocabulary: [{preview}]\n")
    click.echo("Building RNN...")


def _script(name: str) -> str:
    """Return how the script `name`, which lies beside the one that runs, is called from here."""
    beside = Path(sys.argv[0]).with_name(name)
    return shlex.quote(str(beside)) if beside.is_file() else name


def _seed(model: "CharRNN") -> str:
    vocabulary = model.vocabulary
    knows = vocabulary is not None and not vocabulary.unknown("To be or")
    return '"To be or"' if knows else '""'


@click.command(
    cls=Command,
    examples=(
        'python generate.py --model shakespeare_rnn.pkl -s "To be or" -n 500',
        "python generate.py -t 0.5",
    ),
)
@option(
    "model", type=PATH, told="the newest *_rnn.pkl here, or run", help="Model file or run folder."
)
@option("seed", short="s", default="", help="The text to go on from.")
@setting_option(SampleConfig, "length", group=OTHERS)
@setting_option(SampleConfig, "temperature", group=OTHERS)
@option(
    "rng_seed", type=RNG_SEED, told="another every time", help="The same seed gives the same text."
)
def generate(
    model: Path | None, seed: str, length: int, temperature: float | str, rng_seed: int | None
) -> None:
    """Generate text as the exercise does."""
    config = SampleConfig(length, temperature)
    from char_rnn.charrnn import CharRNN
    from char_rnn.runs.folder import newest_run

    named = model is not None
    if model is None:
        here = sorted(Path().glob("*_rnn.pkl"), key=lambda path: path.stat().st_mtime_ns)
        model = here[-1] if here else newest_run()
    loaded = CharRNN.load(model)
    if named and seed:
        click.echo(f'Seed: "{seed}"\n\nGenerated:')
    import numpy as np

    begun = typed(loaded, seed)
    stream(begun, loaded.generate(begun, config, np.random.default_rng(rng_seed)), config)
