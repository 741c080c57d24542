"""The settings of a sample as options; strategies in the order in which the user gives them."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import click

from char_rnn.cli.main import TEMPERATURE, Decorator, option
from char_rnn.config import CODES, STRATEGIES, SampleConfig
from char_rnn.errors import UsageError

GIVEN = "char_rnn.strategies"


class Setting(NamedTuple):
    """An option. kind: its type, or None for a flag. many: may be given several times."""

    name: str
    kind: Any
    help: str
    many: bool = False


SETTINGS = (
    Setting("length", int, "Characters to make."),
    Setting(
        "temperature", TEMPERATURE,
        "Higher is more daring; 0 always takes the likeliest; 2.0:0.5 falls over the text.",
    ),
    Setting("top_k", int, "Only the K likeliest characters, 0 for all."),
    Setting("top_p", float, "Only the likeliest that together have this probability (nucleus)."),
    Setting("min_p", float, "Only those at least so many times as likely as the likeliest."),
    Setting("typical", float, "Only the most typical that together have this probability."),
    Setting("repetition_penalty", float, "Above 1: makes what was written lately less likely."),
    Setting("repetition_window", int, "How many of the last characters it looks at."),
    Setting("bias", str, "Favour a character: e=0.5, in nats; e=-0.5 hinders it.", True),
    Setting("forbid", str, "Never write any of these characters."),
    Setting("stop", str, "End before this text.", True),
    Setting("lines", int, "End after so many lines, 0 for no limit."),
    Setting("until_line_end", None, "Go on past --length to the end of the line."),
    Setting("regex", str, "The output matches this regular expression."),
    Setting("words", str, "This word occurs in the output.", True),
    Setting("close", None, "Brackets and double quotes match and close."),
    Setting("max_copy", int, "No run of so many characters stands in the training text."),
    Setting("code", click.Choice(CODES), "Every statement that comes out parses."),
    Setting("effort", int, "Characters that may be taken back to meet such conditions."),
)  # fmt: skip
DEFAULTS = SampleConfig()


def sampling(command: Callable[..., object]) -> Callable[..., object]:
    """Give `command` an option for every setting of a sample, and --greedy."""
    command = option("greedy", is_flag=True, help="The same as --temperature 0.")(command)
    for setting in reversed(SETTINGS):
        command = _option(setting)(command)
    return command


def _option(setting: Setting) -> Decorator:
    name, value = setting.name, getattr(DEFAULTS, setting.name)
    if setting.kind is None:
        return option(name, is_flag=True, help=setting.help)
    if setting.many:
        return option(name, type=setting.kind, multiple=True, help=f"{setting.help}  [repeatable]")
    return option(
        name,
        type=setting.kind,
        default=value if value != "" else None,
        show_default=value != "",
        help=setting.help,
        callback=_remember if name in STRATEGIES else None,
    )


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Note which strategies were given, in their order: click calls in the order of the words."""
    assert param.name is not None
    if ctx.get_parameter_source(param.name) is click.core.ParameterSource.COMMANDLINE:
        ctx.meta.setdefault(GIVEN, []).append(param.name)
    return value


def sample_config(options: dict[str, Any], ctx: click.Context | None = None) -> SampleConfig:
    """Take the settings of a sample out of `options` and return them."""
    names = {field.name for field in dataclasses.fields(SampleConfig)} & set(options)
    taken = {name: options.pop(name) for name in sorted(names)}
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
