"""What a sweep varies: a setting, and its values or the range that they are drawn from."""

import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.errors import UsageError, unknown_name
from char_rnn.runs.new import MODEL_FIELDS, TRAIN_FIELDS

BETWEEN = ".."
LOG_FROM = 10
"""A range whose ends are so many times apart is drawn from by its logarithm."""
NOT_VARIED = {"rng_seed": "--seeds says over how many seeds each row is repeated"}
Value = bool | int | float | str
BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Varied:
    """A setting, and either its `values` or, from `low` to `high`, a range.

    kind: its type.
    """

    name: str
    kind: type
    values: tuple[Value, ...] = ()
    low: float = 0
    high: float = 0

    @property
    def is_range(self) -> bool:
        """Whether values are drawn."""
        return not self.values

    @property
    def log(self) -> bool:
        """Whether they are drawn by their logarithm."""
        return self.low > 0 and self.high / self.low >= LOG_FROM

    def to_list(self) -> list[Any]:
        """Return it as plain data."""
        return [self.name, list(self.values)] if self.values else [self.name, self.low, self.high]


def as_varied(vary: Mapping[str, Any] | Iterable[str]) -> tuple[Varied, ...]:
    """Return what is varied.

    vary: by name a list of values, or a text with them; or texts such as "cell=gru,lstm".
    Raises UsageError for a name that is no setting, and for values that are none of it.
    """
    if isinstance(vary, Mapping):
        pairs = list(vary.items())
    else:
        pairs = []
        for said in vary:
            name, equals, values = said.partition("=")
            if not equals or not name:
                raise UsageError(
                    f"vary is {said!r}; it must be a setting and its values, such as "
                    "hidden_size=128,256 or learning_rate=0.001..0.01 (--vary)"
                )
            pairs.append((name.strip().replace("-", "_"), values))
    found = [_varied(name, values) for name, values in pairs]
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{name} is varied twice; give all its values at once (--vary)")
    if not found:
        raise UsageError("nothing is varied; say what, such as --vary hidden_size=128,256")
    return tuple(found)


def _varied(name: str, values: Any) -> Varied:
    kind = kind_of(name)
    if isinstance(values, str):
        low, between, high = values.partition(BETWEEN)
        if between:
            return _range(name, kind, low, high)
        values = values.split(",")
    if not isinstance(values, list | tuple) or not values:
        raise UsageError(f"the values of {name} are {values!r}; they must be a list of some")
    read = tuple(as_value(name, kind, value) for value in values)
    if len(set(read)) < len(read):
        raise UsageError(f"{name} has a value twice: {', '.join(map(str, read))}")
    return Varied(name, kind, read)


def _range(name: str, kind: type, low: str, high: str) -> Varied:
    if kind not in (int, float):
        raise UsageError(f"{name} is no number and has no range; list its values: {name}=a,b")
    first, last = as_value(name, kind, low), as_value(name, kind, high)
    assert isinstance(first, int | float)
    assert isinstance(last, int | float)
    if first >= last:
        raise UsageError(f"the range of {name} is from {low} to {high}; it must go up")
    return Varied(name, kind, low=first, high=last)


def kind_of(name: str) -> type:
    """Return the type of a setting; raise UsageError for what is none, or cannot be varied."""
    if name in NOT_VARIED:
        raise UsageError(f"{name} cannot be varied: {NOT_VARIED[name]}")
    for config, names in ((ModelConfig, MODEL_FIELDS), (TrainConfig, TRAIN_FIELDS)):
        if name in names:
            hint = typing.get_type_hints(config)[name]
            parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
            kind = next(part for part in parts if part is not type(None))
            return kind if kind in (bool, int, float) else str
    raise unknown_name("setting", name, sorted(MODEL_FIELDS | TRAIN_FIELDS))


def as_value(name: str, kind: type, said: Any) -> Value:
    """Return a value of a setting as its type has it."""
    found: Any = said.strip() if isinstance(said, str) else said
    try:
        if kind is bool:
            found = BOOLEANS[str(found).lower()]
        elif kind is int and not isinstance(found, bool) and float(found) == int(float(found)):
            found = int(found)
        elif kind is float and not isinstance(found, bool):
            found = float(found)
        elif kind is not str or not isinstance(found, str) or not found:
            raise ValueError
        if kind is float and not math.isfinite(found):
            raise ValueError
    except (ValueError, TypeError, KeyError, OverflowError):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}.get(
            kind, "a text"
        )
        raise UsageError(f"{name} is {said!r}; it must be {wanted} (--vary)") from None
    value: Value = found
    return value
