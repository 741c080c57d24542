"""What may stand in a file, said field by field, and the one reader that holds values against it.

A checksum says that a file is as it was written, not that its writer meant well. So every value
out of a file passes `read`: a kind says of what type it is, between which bounds, how long. What
fits comes back, and what no kind names is left behind; anything else is a CorruptFile that names
the file, the field, what was found and what was expected. Past this door nothing needs a guard.

A kind is a function that returns a value as the program may use it, or raises MisfitError. The
records that our files hold, made of these kinds, are in `formats.py`.
"""

import dataclasses
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Any, NamedTuple

from char_rnn.errors import CorruptFile, UsageError
from char_rnn.storage.reading import StrPath, shown

Kind = Callable[[Any], Any]

MOST_WHOLE = 2**63 - 1
MOST_NUMBER = sys.float_info.max
MOST_TEXT = 4096  # characters
MOST_ITEMS = 10_000
MOST_DEPTH = 8
SHOWN = 60  # characters of what was found

_SIMPLE = re.compile(r"\w+([./-]\w+)*", re.ASCII)


class MisfitError(Exception):
    """A value does not fit; `path` is where it stands, from the outside in."""

    def __init__(self, problem: str, expected: str = "") -> None:
        super().__init__(problem, expected)
        self.problem, self.expected = problem, expected
        self.path: list[str | int] = []

    def at(self, step: str | int) -> "MisfitError":
        """Return the same error, seen from one step further out."""
        self.path.insert(0, step)
        return self

    def __str__(self) -> str:
        steps = (f"[{s}]" if isinstance(s, int) else f".{name_shown(s)}" for s in self.path)
        where = "".join(steps).removeprefix(".") or "it"
        return f"{where} {self.problem}" + (self.expected and f"; expected {self.expected}")


class Maybe(NamedTuple):
    """A field that may be missing: then it is `default`, or left out if that is None."""

    kind: Kind
    default: Any = None


def read(kind: Kind, value: Any, where: StrPath) -> Any:
    """Return `value`, which came out of the file `where`, as its `kind` lets it through.

    Raises CorruptFile if it does not fit.
    """
    try:
        return kind(value)
    except MisfitError as error:
        raise CorruptFile(f"{shown(where)}: {error}; use a copy that is whole") from None


def whole(least: int = 0, most: int = MOST_WHOLE) -> Kind:
    """Return the kind of a whole number between `least` and `most`; a boolean is none."""

    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise misfit(value, f"a whole number from {least:,} to {most:,}")
        return value

    return check


def number(least: float = -MOST_NUMBER, most: float = MOST_NUMBER) -> Kind:
    """Return the kind of a finite number between `least` and `most`, which becomes a float."""

    def check(value: Any) -> float:
        if type(value) not in (int, float) or not least <= value <= most:
            raise misfit(value, f"a number from {least:g} to {most:g}")
        return float(value)

    return check


def text(most: int = MOST_TEXT, least: int = 0) -> Kind:
    """Return the kind of a text of `least` to `most` characters."""

    def check(value: Any) -> str:
        if type(value) is not str or not least <= len(value) <= most:
            raise misfit(value, f"a text of {least:,} to {most:,} characters")
        return value

    return check


def boolean(value: Any) -> bool:
    """Let True and False through."""
    if type(value) is not bool:
        raise misfit(value, "true or false")
    return value


def choice(*known: Any) -> Kind:
    """Return the kind of what equals one of `known`, in type and value."""

    def check(value: Any) -> Any:
        if not any(type(value) is type(one) and value == one for one in known):
            raise misfit(value, " or ".join(map(repr, known)))
        return value

    return check


def nullable(kind: Kind) -> Kind:
    """Return the kind of None, or of what `kind` lets through."""
    return lambda value: None if value is None else kind(value)


def list_of(kind: Kind, least: int = 0, most: int = MOST_ITEMS) -> Kind:
    """Return the kind of a list of `least` to `most` values of one kind."""

    def check(value: Any) -> list[Any]:
        if type(value) is not list or not least <= len(value) <= most:
            raise misfit(value, f"a list of {least:,} to {most:,}")
        return [_inside(index, kind, item) for index, item in enumerate(value)]

    return check


def record(
    fields: Mapping[str, Kind | Maybe], others: Kind | None = None, closed: bool = False
) -> Kind:
    """Return the kind of a dictionary with these `fields`.

    others: lets further fields through; without it they are left out, or refused if `closed`.
    """

    def check(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise misfit(value, f"a record of {', '.join(fields) or 'fields'}")
        found = {}
        for name, kind in fields.items():
            if name in value:
                found[name] = _inside(name, _kind(kind), value[name])
            elif not isinstance(kind, Maybe):
                raise MisfitError("is missing").at(name)
            elif kind.default is not None:
                found[name] = kind.default
        if closed or others is not None:
            for name in [name for name in value if name not in fields]:
                if type(name) is not str or others is None:
                    raise MisfitError("is unknown", f"nothing but {', '.join(fields)}").at(name)
                found[name] = _inside(name, others, value[name])
        return found

    return check


def settings(cls: type, older: Mapping[str, Any] | None = None) -> Kind:
    """Return the kind of a configuration: a dictionary of the fields of the dataclass `cls`.

    Types come from its annotations, bounds from its own validation, whose words are passed on.
    older: what holds for fields that older files lack, where it is not today's default.
    """
    hints = typing.get_type_hints(cls)
    kinds: dict[str, Kind | Maybe] = {}
    for field in dataclasses.fields(cls):
        kind = _of_type(hints[field.name])
        kinds[field.name] = kind if field.default is dataclasses.MISSING else Maybe(kind)
    check = record(kinds, closed=True)

    def build(value: Any) -> Any:
        found = check(value)
        try:
            return cls(**(dict(older or {}) | found))
        except UsageError as error:
            raise MisfitError(f"does not fit: {str(error)[:300]}") from None

    return build


def plain(value: Any) -> Any:
    """Let a small tree through of what JSON can hold: texts, numbers, lists, records, null."""
    for count, (depth, item) in enumerate(_walk(value, 0)):
        if count >= MOST_ITEMS or depth > MOST_DEPTH:
            raise misfit(value, f"at most {MOST_ITEMS:,} values, at most {MOST_DEPTH} deep")
        if type(item) is str:
            text()(item)
        elif type(item) not in (dict, list, tuple, bool, type(None)):
            number()(item)
    return value


def misfit(value: Any, expected: str) -> MisfitError:
    """Return the error for a `value` that is not what was `expected`."""
    return MisfitError(f"is {found_shown(value)}", expected)


def found_shown(value: Any) -> str:
    """Return a value out of a file in a few printable words."""
    if isinstance(value, str):
        return repr(value[:SHOWN]) + ("…" if len(value) > SHOWN else "")
    if isinstance(value, dict | list | tuple):
        return f"a {'record' if isinstance(value, dict) else 'list'} of {len(value):,}"
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a whole number of {value.bit_length():,} bits"
    if value is None or isinstance(value, int | float):
        return repr(value)
    return f"a {type(value).__name__}"


def name_shown(name: Any) -> str:
    """Return a name out of a file as it may stand in a message."""
    if isinstance(name, str) and len(name) <= SHOWN and _SIMPLE.fullmatch(name):
        return name
    return found_shown(name)


def _inside(step: str | int, kind: Kind, value: Any) -> Any:
    try:
        return kind(value)
    except MisfitError as error:
        raise error.at(step) from None


def _kind(field: Kind | Maybe) -> Kind:
    return field.kind if isinstance(field, Maybe) else field


def _of_type(hint: Any) -> Kind:
    """Return the kind of a setting that is annotated with `hint`."""
    if isinstance(hint, UnionType):
        parts = typing.get_args(hint)
        return lambda value: _of_type(
            next((part for part in parts if type(value) is part), parts[0])
        )(value)
    known: dict[Any, Kind] = {
        bool: boolean, int: whole(-MOST_WHOLE), float: number(), str: text(1000),
        type(None): choice(None),
    }  # fmt: skip
    return known[hint]


def _walk(value: Any, depth: int) -> Iterator[tuple[int, Any]]:
    """Yield how deep each value in a tree lies, and the value, keys of records among them."""
    yield depth, value
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item, depth + 1)
