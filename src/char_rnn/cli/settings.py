"""The settings of `char-rnn train` as options, each with its default from the configurations."""

from collections.abc import Callable
from typing import Any, NamedTuple

import click

from char_rnn import config as known
from char_rnn.cli.main import TEMPERATURE, Decorator, option
from char_rnn.config import TRAIN_RECIPE, ModelConfig

RECIPE = TRAIN_RECIPE


class Setting(NamedTuple):
    """An option. planned: `--minutes` chooses it, unless the user does; off: a flag's opposite."""

    name: str
    kind: Any
    help: str
    planned: bool = False
    off: str = ""


SETTINGS = (
    Setting("cell", click.Choice(known.CELLS), "The recurrent cell.", True),
    Setting(
        "reset_after", None, "The GRU in PyTorch's form, or in the exercise's.", off="reset_before"
    ),
    Setting("hidden_size", int, "Units of each layer.", True),
    Setting("layers", int, "Layers.", True),
    Setting("init", click.Choice(known.INITS), "How weights begin."),
    Setting("initial_state", click.Choice(known.INITIAL_STATES), "How the state begins."),
    Setting("layer_norm", None, "Normalise the gates."),
    Setting("tied", None, "One set of weights for characters coming in and out."),
    Setting("seq_length", int, "Characters of a window.", True),
    Setting("batch_size", int, "Streams read side by side.", True),
    Setting("random_offset", bool, "Cut the windows elsewhere in every epoch.", True),
    Setting("reset", float, "Share of the streams that begin again at each window.", True),
    Setting("optimizer", click.Choice(known.OPTIMIZERS), "How weights are updated.", True),
    Setting("momentum", float, "Of sgd."),
    Setting("weight_decay", float, "Shrink the weights (adamw)."),
    Setting("learning_rate", float, "Highest learning rate.", True),
    Setting("schedule", click.Choice(known.SCHEDULES), "How the learning rate moves.", True),
    Setting("warmup", int, "Steps of the linear warm-up.", True),
    Setting("final_rate", float, "Where it ends, as a share of the highest."),
    Setting("clip", float, "Limit of the gradient, 0 for none.", True),
    Setting("clip_by", click.Choice(known.CLIP_KINDS), "Limit the norm of all, or each value."),
    Setting("input_dropout", float, "Share of the symbols that a stream does not see."),
    Setting("layer_dropout", float, "Dropout between layers.", True),
    Setting("output_dropout", float, "Dropout before the output.", True),
    Setting("recurrent_dropout", float, "Share of the recurrent weights left out.", True),
    Setting("scheduled_sampling", float, "Share of inputs that the model draws, at the end."),
    Setting(
        "sampling_schedule", click.Choice(known.SAMPLING_SCHEDULES), "How that share grows from 0."
    ),
    Setting("average", float, "How slowly the averaged weights follow, 0 for none.", True),
    Setting("iterations", int, "Train so many steps."),
    Setting("epochs", float, "Train so many passes over the text."),
    Setting("minutes", float, "Train so long; the default if nothing says how long."),
    Setting("eval_every", int, "Steps between evaluations, 0 for none but the last.", True),
    Setting("patience", int, "End after so many evaluations without a better one, 0 for never."),
    Setting("sample_every", int, "Steps between samples, 0 for none.", True),
    Setting("sample_length", int, "Characters of a sample."),
    Setting("temperature", TEMPERATURE, "Of the samples; 2.0:0.5 falls over the run."),
    Setting("val_fraction", float, "Share of the text, at its end, that validates."),
    Setting(
        "calibration",
        float,
        "Share of the rest that is not trained on and sets how sure the model is, 0 for none.",
    ),
    Setting("threads", int, "Threads.  [default: all cores]"),
    Setting("rng_seed", int, "Seed of all that is random."),
)
LENGTHS = ("iterations", "epochs", "minutes")


def default(name: str) -> Any:
    """Return what `name` is where nobody says anything."""
    for place in (RECIPE, RECIPE.train, ModelConfig):
        if hasattr(place, name):
            return getattr(place, name)
    raise KeyError(name)


def settings(command: Callable[..., object]) -> Callable[..., object]:
    """Give `command` an option for every setting."""
    for setting in reversed(SETTINGS):
        command = _option(setting)(command)
    return command


def _option(setting: Setting) -> Decorator:
    value = default(setting.name)
    if setting.kind is None:
        return option(setting.name, setting.off, is_flag=True, default=value, help=setting.help)
    if setting.name in LENGTHS or value is None:
        # Whether one was given decides, so none has a value of its own.
        shown = f"  [default: {value:g}]" if value is not None else ""
        return option(setting.name, type=setting.kind, help=setting.help + shown)
    return option(
        setting.name,
        type=setting.kind,
        default=value,
        show_default=f"planned, or {value}" if setting.planned else True,
        help=setting.help,
    )
