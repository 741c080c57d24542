"""The settings of a sample as options; strategies in the order in which the user gives them."""

from collections.abc import Callable
from typing import Any

import click

from char_rnn.cli.options import option
from char_rnn.cli.settings import setting_option
from char_rnn.errors import UsageError
from char_rnn.sample_config import CHOICE, STRATEGIES, SampleConfig
from char_rnn.settings import settings_of

GIVEN = "char_rnn.strategies"
SETTINGS = settings_of(SampleConfig)


def sampling(command: Callable[..., object]) -> Callable[..., object]:
    """Give `command` an option for every setting of a sample, and --greedy."""
    command = option("greedy", is_flag=True, group=CHOICE, help="The same as --temperature 0.")(
        command
    )
    for name, about in reversed(SETTINGS.items()):
        if about.option:
            callback = _remember if name in STRATEGIES else None
            command = setting_option(SampleConfig, name, callback=callback)(command)
    return command


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Note which strategies were given, in their order: click calls in the order of the words."""
    assert param.name is not None
    if ctx.get_parameter_source(param.name) is click.core.ParameterSource.COMMANDLINE:
        ctx.meta.setdefault(GIVEN, []).append(param.name)
    return value


def sample_config(options: dict[str, Any], ctx: click.Context | None = None) -> SampleConfig:
    """Take the settings of a sample out of `options` and return them."""
    taken = {name: options.pop(name) for name in SETTINGS if name in options}
    settings = {name: value for name, value in taken.items() if value is not None}
    if options.pop("greedy", False):
        settings["temperature"] = 0.0
    settings["bias"] = tuple(_pair(text) for text in settings.get("bias", ()))
    if ctx is not None:
        settings["order"] = tuple(ctx.meta.get(GIVEN, ()))
    return SampleConfig(**settings)


def _pair(text: str) -> tuple[str, float]:
    char, _, amount = text.rpartition("=")
    try:
        return _unescaped(char), float(amount)
    except ValueError:
        raise UsageError(
            f"--bias {text!r}; it must be a character, = and a number, as in e=0.5"
        ) from None


def _unescaped(char: str) -> str:
    return {r"\n": "\n", r"\t": "\t"}.get(char, char)
