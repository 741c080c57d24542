"""`char-rnn train`: a text in, a run folder out."""

import shlex
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.completion import complete_model, complete_run, complete_text
from char_rnn.cli.help import Command
from char_rnn.cli.options import PATH, POSITIVE, option
from char_rnn.cli.ranks import joined
from char_rnn.cli.rules import TRAINING, check, given_options
from char_rnn.cli.settings import settings
from char_rnn.config import LENGTH, MODEL, RUN
from char_rnn.errors import UsageError
from char_rnn.text_config import TEXT

if TYPE_CHECKING:
    from char_rnn.cli.to_the_end import Ending
    from char_rnn.data.corpus import Corpus
    from char_rnn.data.given import TextName
    from char_rnn.runs.run import Run
    from char_rnn.training.team import Team
    from char_rnn.training.trainer import Trainer

MUSIC = "Music"


@click.command(
    "train",
    cls=Command,
    sections=(TEXT, MUSIC, LENGTH, MODEL),
    examples=(
        "char-rnn train book.txt -m 10",
        "char-rnn train book.txt --epochs 8 --cell lstm --hidden_size 512 -o lstm",
        "char-rnn train project/ --pattern '*.py' --minutes 30 --verbose",
        "char-rnn train letters.txt old.txt.gz notes/ --encoding cp1252",
        "char-rnn train letters.txt --start_from runs/book -m 2",
        "char-rnn train tunes/ --transpose 5 -m 10",
        "char-rnn train --resume runs/book -m 5",
    ),
)
@click.argument("text", nargs=-1, metavar="[TEXT]...", shell_complete=complete_text)
@option(
    "transpose",
    metavar="N|C",
    group=MUSIC,
    told="none; music-demo on C",
    help="Each piece also up to N semitones higher and lower; or moved to a tonic, such as C.",
)
@option("grid", type=POSITIVE, group=MUSIC, told="12, or finer", help="Steps of a quarter note.")
@settings
@option(
    "out", short="o", type=PATH, group=RUN, told="a new one in runs/", help="Folder of the run."
)
@option(
    "start_from",
    type=PATH,
    metavar="MODEL",
    group=RUN,
    shell_complete=complete_model,
    help="Go on from this model, on TEXT (fine-tuning); it learns TEXT's new characters.",
)
@option(
    "resume",
    type=PATH,
    metavar="RUN",
    group=RUN,
    shell_complete=complete_run,
    help="Go on with this run folder.",
)
@option("verbose", is_flag=True, group=RUN, help="Explain what was chosen for the time there is.")
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:
    """Train a model on TEXT: a file, a folder, - for standard input, or a built-in text.

    Several texts are joined as they come. Compressed files, .gz, .bz2, .xz and .zip, are read as
    what they hold, but with --bytes as they are.

    With --minutes (the default) all that is "planned" below is chosen for this machine, the text
    and the time; what you set stays as you set it.

    MIDI files, and folders of them, are written as text first (char-rnn music), a document each.

    Built in: python-docs (the default), python-code, music-demo, and shakespeare (downloaded once).
    Ctrl-C saves and says how to go on; so do SIGTERM, SIGHUP and a closed pipe.
    """
    given = given_options(ctx)
    team = joined(given)
    begin = _resumed if options["resume"] else _begun
    run, trainer = begin(options, given, team)
    if trainer is None:
        return 0
    from char_rnn.analyse.baselines import uniform
    from char_rnn.cli.to_the_end import train_to_end
    from char_rnn.runs.describe import architecture
    from char_rnn.runs.watch import make_watch

    click.echo(f"Architecture: {architecture(trainer)}")
    for note in run.notes + trainer.notes:
        click.echo(f"Note: {note}")
    several = f"mpiexec -n {team.size} " if team.size > 1 else ""
    folder = team.told(str(run.folder))
    again = f"{several}char-rnn train --resume {shlex.quote(folder)}"
    watch = make_watch(uniform(trainer.corpus.vocabulary.size))
    ending = train_to_end(run, trainer, watch, again)
    if ending.end.reason == "interrupted" or not team.leads:
        return ending.code
    return _tell_the_end(run, trainer, ending, _is_music(options["text"], given))


def _begun(options: dict[str, Any], given: dict[str, Any], team: "Team") -> "tuple[Run, Trainer]":
    """Return a new run and its trainer."""
    from char_rnn.runs.describe import text_line
    from char_rnn.runs.new import NewRun

    if "reset_after" in given and options["cell"] != "gru":
        raise UsageError(
            "--reset_after and --reset_before are forms of the gru, not of the "
            f"{options['cell']}: leave them out"
        )
    with team.together():
        text, given = _text(options["text"], given)
    new = NewRun(
        text,
        given,
        out=options["out"],
        start_from=options["start_from"],
        tell=lambda note: click.echo(f"Note: {note}"),
        team=team,
    )
    if new.added:
        click.echo(f"New to the model: {new.added}")
    click.echo(f"Text: {text_line(new.corpus)}")
    if options["verbose"] and new.train.minutes is None:
        click.echo("Plan: none, for --iterations and --epochs leave every setting as it is")
    new.plan()
    if options["verbose"]:
        for reason in new.reasons:
            click.echo(f"Plan: {reason}")
    run, trainer = new.make()
    click.echo(f"Run folder: {run.folder}")
    return run, trainer


def _text(
    names: tuple[str, ...], given: dict[str, Any]
) -> "tuple[list[TextName] | Corpus, dict[str, Any]]":
    """Return the text to train on, and the settings with what it asks for: music has its own."""
    from char_rnn.data.given import TextName
    from char_rnn.recipes import TRAIN_RECIPE

    music = _is_music(names, given)
    check(TRAINING, given, {"music": music})
    if not music:
        return [TextName(text) for text in names or (TRAIN_RECIPE.text,)], given
    from char_rnn.music.training import tunes_corpus, tunes_text

    asked = {
        n: _number(given[n])
        for n in ("transpose", "grid", "rng_seed", "val_fraction")
        if n in given
    }
    tunes = tunes_text(names, **asked)
    return tunes_corpus(tunes), given | {"val_fraction": tunes.val_fraction}


def _is_music(names: tuple[str, ...], given: dict[str, Any]) -> bool:
    """Tell whether what is trained on is MIDI."""
    if not names or "pattern" in given:
        return False
    from char_rnn.music.training import is_music

    return is_music(names)


def _number(said: Any) -> Any:
    """Return what is said as a number, if it is one."""
    return int(said) if isinstance(said, str) and said.isdecimal() else said


def _resumed(
    options: dict[str, Any], given: dict[str, Any], team: "Team"
) -> "tuple[Run, Trainer | None]":
    """Return the run and its trainer, where it was left; None where only its end was left."""
    from char_rnn.data.given import TextName
    from char_rnn.runs.describe import calibration
    from char_rnn.runs.going_on import check_free, go_on, only_finished, own_text_again
    from char_rnn.runs.run import Run

    del given["resume"]
    texts = [TextName(text) for text in given.pop("text", ())]
    check_free(given)
    with team.together():
        run = Run.open(options["resume"])
        corpus = own_text_again(run, texts) if texts else None
    trainer = go_on(run, given, corpus, team=team)
    if only_finished(run, trainer):
        click.echo(f"Calibrated: {calibration(run.model.summary)}")
        return run, None
    run.notes = trainer.corpus.notes
    click.echo(f"Going on with {run.folder} at iteration {trainer.iteration:,}")
    if run.command:
        click.echo(
            f"Note: {run.command} began this run; its .pkl is renewed by\n"
            f"  python {run.command} --resume {shlex.quote(str(run.folder))}"
        )
    return run, trainer


def _tell_the_end(run: "Run", trainer: "Trainer", ending: "Ending", music: bool) -> int:
    """Say what a run that has ended came to; return the exit code. music: learned from MIDI."""
    from char_rnn.analyse.advice import advice
    from char_rnn.analyse.baselines import unigram_entropy
    from char_rnn.runs.describe import calibration

    end, V = ending.end, trainer.corpus.vocabulary.size
    unigram = unigram_entropy(trainer.corpus, trainer.val_start)
    said = advice(run.curves, trainer.config, V, unigram, end.reason, trainer.train_stop)
    if said.worthless:
        click.echo(f"\n{said.text}")
        return ending.code or 1
    best = run.model
    click.echo(f"\nA sample of the best model:\n{best.sample(length=300)}\n")
    if end.best_val_loss is not None:
        unit = trainer.corpus.vocabulary.unit
        click.echo(f"Validation loss: {best.summary['val_loss']:.4f} nats a {unit}")
    if "calibration_temperature" in best.summary:
        click.echo(f"Calibrated: {calibration(best.summary)}")
    run_folder = shlex.quote(str(run.folder))
    next_one = f"char-rnn generate {run_folder} --length 500"
    if trainer.corpus.ends is not None:
        next_one = f"char-rnn generate {run_folder} --count 10"
    if music:
        next_one = f"char-rnn generate {run_folder} --out tune.mid --bars 16"
    click.echo(f"{said.text}\nModel: {run.model_path}\nGenerate from it with:\n  {next_one}")
    return ending.code
