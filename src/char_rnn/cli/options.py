"""The options of all commands: how one is spelled, and what its values may be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from char_rnn.cli.help import Option
from char_rnn.config import MOST_SEED
from char_rnn.errors import UsageError
from char_rnn.schedules import parse_temperature

Decorator = Callable[[Callable[..., object]], Callable[..., object]]


class TemperatureType(click.ParamType):  # type: ignore[type-arg]  # generic in new versions of click only
    """A number, or a text that says how the temperature moves."""

    name = "temperature"

    def convert(
        self, value: float | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        """Return the number, or the schedule as a text in its standard form."""
        try:
            found = parse_temperature(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)
        return found.points[0][1] if found.kind == "constant" else str(found)


class WholeType(click.ParamType):  # type: ignore[type-arg]
    """A whole number from `least` up that 64 bits hold: NumPy and the system know no larger ones.

    least: None for any, which the settings check.
    """

    name = "integer"

    def __init__(self, least: int | None = None) -> None:
        self._least = least

    def convert(
        self, value: int | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the number."""
        name = "it" if param is None else f"--{param.name}"
        least = -MOST_SEED if self._least is None else self._least
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if number < least:
            bound = "" if self._least is None else f", at least {least}"
            raise UsageError(f"{name} is {str(value)[:40]}; it must be a whole number{bound}")
        if number > MOST_SEED:
            raise UsageError(f"{name} is too large a number; at most {MOST_SEED} fits")
        return number


TEMPERATURE = TemperatureType()
WHOLE = WholeType()
POSITIVE = WholeType(1)
RNG_SEED = WholeType(0)
PATH = click.Path(path_type=Path)


def option(name: str, off: str = "", short: str = "", **settings: Any) -> Decorator:
    """Return a click option that is spelled with underscores and with hyphens.

    off: the flag that says the opposite, where there is one. short: its letter, if it has one.
    settings: of click, and `group` and `told` of `cli.help.Option`.
    """
    pair = f"--{name}/--{off}" if off else f"--{name}"
    names = [*([f"-{short}"] if short else []), pair, pair.replace("_", "-")]
    if settings.get("type") is int:
        settings["type"] = WHOLE
    settings.setdefault("metavar", _metavar(settings))
    return click.option(*dict.fromkeys(names), name, cls=Option, **settings)


def _metavar(settings: dict[str, Any]) -> str | None:
    """Return what stands for the value in the help: short, so that the sentence has room."""
    match settings.get("type"):
        case click.Choice(choices=choices):
            return f"[{'|'.join(map(str, choices))}]"
        case WholeType():
            return "N"
        case TemperatureType():
            return "T"
        case kind if kind is float:
            return "X"
        case kind if kind is bool:
            return "[true|false]"
    return None
