"""`char-rnn inspect`: what a model is."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from char_rnn.cli.completion import complete_model
from char_rnn.cli.help import Command
from char_rnn.cli.options import PATH

if TYPE_CHECKING:
    from char_rnn.charrnn import CharRNN
    from char_rnn.data.vocabulary import AnyVocabulary


@click.command(
    "inspect",
    cls=Command,
    examples=("char-rnn inspect", "char-rnn inspect runs/book", "char-rnn inspect shakespeare"),
)
@click.argument("path", metavar="[MODEL]", required=False, type=PATH, shell_complete=complete_model)
def command(path: Path | None) -> None:
    """Show what MODEL, a model file or a run folder, is; without it, the newest run, or the
    model that comes with the package."""
    from char_rnn.charrnn import CharRNN
    from char_rnn.runs.folder import newest_run_or_shipped
    from char_rnn.storage.models import model_file
    from char_rnn.storage.reading import shown

    path = model_file(newest_run_or_shipped() if path is None else path)
    for name, value in description(CharRNN.load(path)):
        click.echo(f"{name + ':':<17} {value}")
    click.echo(f"{'File:':<17} {shown(path)}, {path.stat().st_size:,} bytes")


def description(model: "CharRNN") -> list[tuple[str, str]]:
    """Return names and values that describe a CharRNN, each value in one line."""
    from char_rnn.model.parameters import apart
    from char_rnn.runs.describe import calibration, form
    from char_rnn.storage.reading import shown

    config, summary, vocabulary = model.config, model.summary, model.vocabulary
    unit = "character" if vocabulary is None else vocabulary.unit
    module = f"nn.{config.cell.upper()} and nn.Linear"
    rows = [
        ("Architecture", f"{model.outline}, {config.layers} × {form(config)}"),
        ("Parameters", f"{model.num_parameters:,} ({config.dtype})"),
        ("Initial state", config.initial_state),
        ("In PyTorch", "no module of this form" if apart(config) else module),
    ]
    if vocabulary is not None:
        chars = "all bytes" if vocabulary.kind == "bytes" else repr("".join(vocabulary.chars))
        rows += [("Vocabulary", f"{vocabulary.size}: {chars}"), *taken(vocabulary)]
    if summary.keys() >= {"text", "text_length"}:
        name, length = shown(summary["text"]), summary["text_length"]
        rows.append(("Trained on", f"{name}, {length:,} {unit}s"))
    if summary.keys() >= {"iteration", "epoch", "characters", "seconds"}:
        rows.append(
            (
                "Training",
                f"{summary['iteration']:,} iterations, {summary['epoch']:.2f} epochs, "
                f"{summary['characters']:,} {unit}s in {summary['seconds']:,.0f} s",
            )
        )
    for title, key in (("Training loss", "loss"), ("Validation loss", "val_loss")):
        if summary.get(key) is not None:
            rows.append((title, f"{summary[key]:.4f} nats a {unit}"))
    if summary.keys() >= {"calibration_temperature", "calibration_characters"}:
        rows.append(("Calibrated", calibration(summary)))
    return rows


def taken(vocabulary: "AnyVocabulary") -> list[tuple[str, str]]:
    """Return how a text is taken, where it is not as it stands: its form, what a document is."""
    from char_rnn.data.vocabulary import Vocabulary
    from char_rnn.storage.reading import shown

    rows = []
    if isinstance(vocabulary, Vocabulary) and vocabulary.form:
        form = (vocabulary.form.normalize, "lower case" * vocabulary.form.lowercase)
        rows.append(("Form", ", ".join(filter(None, form))))
    if vocabulary.rare is not None:
        rows.append(("Rare characters", "one symbol, which is never written"))
    if vocabulary.end is not None:
        rows.append(("Documents", shown(vocabulary.documents)))
    return rows
