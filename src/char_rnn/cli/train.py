"""`char-rnn train`: a text in, a run folder out."""

import shlex
from typing import Any

import click

from char_rnn.cli.completion import complete_model, complete_run, complete_text
from char_rnn.cli.help import Command
from char_rnn.cli.options import PATH, option
from char_rnn.cli.rules import given_options
from char_rnn.cli.settings import settings
from char_rnn.config import LENGTH, MODEL, RUN
from char_rnn.errors import UsageError

TEXT = "Text"


def one_text(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> str | None:
    """Return the one text of `texts`, None for none; say how to train on several."""
    if len(texts) > 1:
        named = ", ".join(texts[:3]) + (", ..." if len(texts) > 3 else "")
        raise UsageError(
            f"a run trains on one text, and here are {len(texts)}: {named}; put the files into a "
            "folder and name that, with --pattern where it holds others too"
        )
    return texts[0] if texts else None


@click.command(
    "train",
    cls=Command,
    short_help="Train a model on a text.",
    sections=(TEXT, LENGTH, MODEL),
    examples=(
        "char-rnn train book.txt -m 10",
        "char-rnn train book.txt --epochs 8 --cell lstm --hidden_size 512 -o lstm",
        "char-rnn train project/ --pattern '*.py' --minutes 30 --verbose",
        "char-rnn train letters.txt --start_from runs/book -m 2",
        "char-rnn train --resume runs/book -m 5",
    ),
)
@click.argument("text", nargs=-1, metavar="[TEXT]", callback=one_text, shell_complete=complete_text)
@option("bytes", is_flag=True, group=TEXT, help="Model raw bytes instead of characters.")
@option(
    "pattern",
    multiple=True,
    metavar="PATTERN",
    group=TEXT,
    help="Of a folder only the files whose name, or path in it, matches, such as '*.py'; a form "
    "feed on a line of its own stands between two files.",
)
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

    With --minutes (the default) all that is "planned" below is chosen for this machine, the text
    and the time; what you set stays as you set it.

    Built in: python-docs (the default), python-code, and shakespeare (downloaded once). Ctrl-C
    saves and says how to go on; so do SIGTERM, SIGHUP and a closed pipe.
    """
    given = given_options(ctx)
    # Imported here: NumPy takes longer to load than the help takes to print.
    from char_rnn.analyse.advice import advice  # noqa: PLC0415
    from char_rnn.analyse.baselines import uniform, unigram_entropy  # noqa: PLC0415
    from char_rnn.analyse.curves import read_curves  # noqa: PLC0415
    from char_rnn.charrnn import CharRNN  # noqa: PLC0415
    from char_rnn.cli.begin import begin, refuse_if_over, resume  # noqa: PLC0415
    from char_rnn.cli.inspect import calibration, form  # noqa: PLC0415
    from char_rnn.cli.session import train_to_end  # noqa: PLC0415
    from char_rnn.cli.show import make_show  # noqa: PLC0415

    if options["resume"]:
        run, trainer = resume(options["resume"], given)
        if trainer.over and run.finish(trainer):  # it was killed between its last step and this
            click.echo(f"Calibrated: {calibration(CharRNN.load(run.folder).summary)}")
            return 0
        refuse_if_over(run, trainer)
        click.echo(f"Going on with {run.folder} at iteration {trainer.iteration:,}")
        if run.command:
            click.echo(
                f"Note: {run.command} began this run; its .pkl is renewed by\n"
                f"  python {run.command} --resume {shlex.quote(str(run.folder))}"
            )
    else:
        run, trainer = begin(options, given)
        click.echo(f"Run folder: {run.folder}")
    model, V = trainer.model, trainer.corpus.vocabulary.size
    click.echo(
        f"Architecture: {model}, {model.config.layers} × {form(model.config)}, "
        f"{model.num_parameters:,} parameters, {trainer.threads} threads"
    )
    for note in trainer.corpus.notes + trainer.notes:
        click.echo(f"Note: {note}")
    quoted = shlex.quote(str(run.folder))
    ending = train_to_end(run, trainer, make_show(uniform(V)), f"char-rnn train --resume {quoted}")
    end = ending.end
    if end.reason == "interrupted":
        return ending.code
    unigram = unigram_entropy(trainer.corpus, trainer.val_start)
    said = advice(read_curves(run.folder), trainer.config, V, unigram, end.reason)
    if said.worthless:
        click.echo(f"\n{said.text}")
        return ending.code or 1
    best = CharRNN.load(run.folder)
    click.echo(f"\nA sample of the best model:\n{best.sample(length=300)}\n")
    if end.best_val_loss is not None:
        click.echo(f"Validation loss: {best.summary['val_loss']:.4f} nats a character")
    if "calibration_temperature" in best.summary:
        click.echo(f"Calibrated: {calibration(best.summary)}")
    click.echo(
        f"{said.text}\nModel: {run.model_path}\nGenerate from it with:\n"
        f"  char-rnn generate {quoted} --length 500"
    )
    return ending.code
