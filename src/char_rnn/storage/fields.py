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
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, NamedTuple, TypeVar

from char_rnn.errors import CorruptFile, FileError, UsageError
from char_rnn.storage.reading import StrPath, shown

T = TypeVar("T")
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

    error: type[FileError] = CorruptFile
    """What a caller who reads the file gets, and the `advice` in it."""
    advice = "use a copy that is whole"

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


def read(kind: Callable[[Any], T], value: Any, where: StrPath) -> T:
    """Return `value`, which came out of the file `where`, as its `kind` lets it through.

    Raises CorruptFile if it does not fit, or what else its kind says.
    """
    try:
        return kind(value)
    except MisfitError as error:
        raise error.error(f"{shown(where)}: {error}; {error.advice}") from None
    except MemoryError:
        raise FileError(f"{shown(where)}: too large for this machine's memory") from None


def only(fits: Callable[[Any], bool], expected: str) -> Kind:
    """Return the kind of what `fits`."""

    def check(value: Any) -> Any:
        if not fits(value):
            raise misfit(value, expected)
        return value

    return check


def whole(least: int = 0, most: int = MOST_WHOLE) -> Kind:
    """Return the kind of a whole number between `least` and `most`; a boolean is none."""
    return only(
        lambda value: type(value) is int and least <= value <= most,
        f"a whole number from {least:,} to {most:,}",
    )


def number(least: float = -MOST_NUMBER, most: float = MOST_NUMBER) -> Kind:
    """Return the kind of a finite number between `least` and `most`, which becomes a float."""
    check = only(
        lambda value: type(value) in (int, float) and least <= value <= most,
        f"a number from {least:g} to {most:g}",
    )
    return lambda value: float(check(value))


def text(most: int = MOST_TEXT, least: int = 0) -> Kind:
    """Return the kind of a text of `least` to `most` characters."""
    return only(
        lambda value: type(value) is str and least <= len(value) <= most,
        f"a text of {least:,} to {most:,} characters",
    )


boolean = only(lambda value: type(value) is bool, "true or false")


def choice(*known: Any) -> Kind:
    """Return the kind of what equals one of `known`, in type and value."""
    return only(
        lambda value: any(type(value) is type(one) and value == one for one in known),
        " or ".join(map(repr, known)),
    )


def nullable(kind: Kind) -> Kind:
    """Return the kind of None, or of what `kind` lets through."""
    return lambda value: None if value is None else kind(value)


def list_of(kind: Kind, least: int = 0, most: int = MOST_ITEMS) -> Kind:
    """Return the kind of a list of `least` to `most` values of one kind."""
    check = only(
        lambda value: type(value) is list and least <= len(value) <= most,
        f"a list of {least:,} to {most:,}",
    )
    return lambda value: [inside(index, kind, item) for index, item in enumerate(check(value))]


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
        for name, field in fields.items():
            kind, default = field if isinstance(field, Maybe) else (field, None)
            if name in value:
                found[name] = inside(name, kind, value[name])
            elif not isinstance(field, Maybe):
                raise MisfitError("is missing").at(name)
            elif default is not None:
                found[name] = default
        more = [name for name in value if name not in fields] if closed or others else []
        for name in more:
            if type(name) is not str or others is None:
                raise MisfitError("is unknown", f"nothing but {', '.join(fields)}").at(name)
            found[name] = inside(name, others, value[name])
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
    ahead, count = [(value, 0)], 0
    while ahead:
        item, depth = ahead.pop()
        count += 1
        if count > MOST_ITEMS or depth > MOST_DEPTH:
            raise misfit(value, f"at most {MOST_ITEMS:,} values, at most {MOST_DEPTH} deep")
        if type(item) in (dict, list, tuple):
            inner = [*item, *item.values()] if type(item) is dict else item
            ahead += [(part, depth + 1) for part in inner]
        elif type(item) is str:
            text()(item)
        elif type(item) is not bool and item is not None:
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


def inside(step: str | int, kind: Callable[[Any], T], value: Any) -> T:
    """Return what `kind` makes of `value`, which stands at `step` of something larger."""
    try:
        return kind(value)
    except MisfitError as error:
        raise error.at(step) from None


def _of_type(hint: Any) -> Kind:
    """Return the kind of a setting that is annotated with `hint`."""
    if isinstance(hint, UnionType):
        parts = typing.get_args(hint)
        return lambda value: _of_type(
            next((part for part in parts if type(value) is part), parts[0])
        )(value)
    known: dict[Any, Kind] = {
        bool: boolean,
        int: whole(-MOST_WHOLE),
        float: number(),
        str: text(1000),
        type(None): choice(None),
        tuple[str, ...]: list_of(text(1000)),
    }
    return known[hint]
