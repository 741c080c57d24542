"""Settings as options: all that `--help` says of one comes from its field (settings.py)."""

import typing
from collections.abc import Callable
from types import UnionType
from typing import Any

import click

from char_rnn.checks import OneOf, Temperature
from char_rnn.cli.help import plain
from char_rnn.cli.options import TEMPERATURE, Decorator, option
from char_rnn.config import LENGTHS, ModelConfig, TrainConfig
from char_rnn.recipes import TRAIN_RECIPE
from char_rnn.settings import Setting, settings_of
from char_rnn.text_config import TextConfig


def settings(command: Callable[..., object]) -> Callable[..., object]:
    """Give `command` an option for every setting of a text, a model and its training."""
    for config in (TrainConfig, ModelConfig, TextConfig):
        for name, about in reversed(settings_of(config).items()):
            if about.option:
                command = _training_option(config, name, about)(command)
    return command


def default(name: str) -> Any:
    """Return what `name` is in `char-rnn train` where nobody says anything."""
    for place in (TRAIN_RECIPE, TRAIN_RECIPE.train, ModelConfig, TextConfig):
        if hasattr(place, name):
            return getattr(place, name)
    raise KeyError(name)


def _training_option(config: type, name: str, about: Setting) -> Decorator:
    value, told = default(name), None
    if about.planned:
        told = f"planned, or {plain(value) or about.opposite}"
    elif about.opposite:
        told = f"--{name if value else about.opposite}"
    elif name in LENGTHS:  # whether one was given decides, so none has a value of its own
        told, value = f"{plain(value)}, if nothing says how long" if value else None, None
    return setting_option(config, name, default=None if value == "" else value, told=told)


def setting_option(config: type, name: str, **more: Any) -> Decorator:
    """Return the option of the setting `name` of a configuration.

    more: what differs here, as in `option`. A yes or no that is planned and has no opposite has a
    value, as it may be chosen either way; any other is a flag.
    """
    about, kind = settings_of(config)[name], _kind(config, name)
    given: dict[str, Any] = {
        "help": about.help,
        "group": about.group,
        "short": about.short,
        "default": getattr(config, name) or None if kind is str else getattr(config, name),
    }
    if kind is bool and (about.opposite or not about.planned):
        return option(name, about.opposite, is_flag=True, **given | more)
    if kind is tuple:
        return option(name, multiple=True, **given | {"default": ()} | more)
    if isinstance(about.check, OneOf):
        kind = click.Choice(tuple(about.check.known))
    elif isinstance(about.check, Temperature):
        kind = TEMPERATURE
    return option(name, **given | {"type": kind} | more)


def _kind(config: type, name: str) -> Any:
    """Return the type of a setting, but for None, by its annotation."""
    hint = typing.get_type_hints(config)[name]
    if isinstance(hint, UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return typing.get_origin(hint) or hint
