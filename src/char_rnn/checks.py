"""What a value may be: small objects that a setting is checked with (settings.py).

Each is called with the setting's name and a value, and returns the value as it is kept; a wrong one
raises UsageError, in a line that says what was found and what it must be.
"""

import codecs
import math
from collections.abc import Iterable
from dataclasses import dataclass
from encodings.aliases import aliases
from numbers import Integral, Real
from typing import Any, ClassVar, Protocol

from char_rnn.errors import UsageError, did_you_mean, unknown_name
from char_rnn.schedules import parse_temperature

MOST = 10**12  # of anything that is counted
_NO_TEXTS = ("idna", "punycode", "undefined", "charmap", "unicode-escape", "raw-unicode-escape")


class Check(Protocol):
    """Return a value as it is kept; raise UsageError, with the setting's name, for a wrong one."""

    def __call__(self, name: str, value: Any, /) -> Any:
        """Return it."""

    @property
    def bounds(self) -> str:
        """What it may be, in the few words of a table."""


def _finite(name: str, value: object) -> float:
    try:
        if isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value):
            # What JSON can hold, also of NumPy's numbers.
            return int(value) if isinstance(value, Integral) else float(value)
    except OverflowError:  # a whole number that no float can hold
        raise UsageError(f"{name} is too large a number") from None
    raise UsageError(f"{name} is {value!r}; it must be a finite number")


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int = MOST

    def __call__(self, name: str, value: Any) -> int:
        """Return the number."""
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise UsageError(f"{name} is {value!r}; it must be a whole number")
        number = int(value)
        if number < self.least:
            raise UsageError(f"{name} is {number}; it must be at least {self.least}")
        if number > self.most:
            raise UsageError(f"{name} is too large a number; it must be at most {self.most:,}")
        return number

    @property
    def bounds(self) -> str:
        """What it may be."""
        return f"whole, {self.least} or more"


@dataclass(frozen=True)
class Positive:
    """A number greater than 0, at most `most`."""

    most: float = math.inf

    def __call__(self, name: str, value: Any) -> float:
        """Return the number."""
        number = _finite(name, value)
        if number <= 0:
            raise UsageError(f"{name} is {value}; it must be greater than 0")
        if number > self.most:
            raise UsageError(f"{name} is {value}; it must be at most {self.most:,}")
        return number

    bounds: ClassVar[str] = "more than 0"


@dataclass(frozen=True)
class NotNegative:
    """A number from 0 up."""

    def __call__(self, name: str, value: Any) -> float:
        """Return the number."""
        number = _finite(name, value)
        if number < 0:
            raise UsageError(f"{name} is {value}; it must not be negative")
        return number

    bounds: ClassVar[str] = "0 or more"


@dataclass(frozen=True)
class Share:
    """A number from 0 to 1. whole: 1 is one, too. some: 0 is none."""

    whole: bool = True
    some: bool = False

    def __call__(self, name: str, value: Any) -> float:
        """Return the number."""
        number = Positive()(name, value) if self.some else _finite(name, value)
        if not (0 <= number < 1 or (self.whole and number == 1)):
            bound = "at most" if self.whole else "less than"
            raise UsageError(f"{name} is {value}; it must be at least 0 and {bound} 1")
        return number

    @property
    def bounds(self) -> str:
        """What it may be."""
        return f"{'more than 0' if self.some else '0'} to {'1' if self.whole else 'below 1'}"


@dataclass(frozen=True)
class Boolean:
    """True or False."""

    def __call__(self, name: str, value: Any) -> bool:
        """Return it."""
        if not isinstance(value, bool):
            raise UsageError(f"{name} is {value!r}; it must be true or false")
        return value

    bounds: ClassVar[str] = "yes or no"


@dataclass(frozen=True)
class Text:
    """A text."""

    def __call__(self, name: str, value: Any) -> str:
        """Return it."""
        if not isinstance(value, str):
            raise UsageError(f"{name} is {value!r}; it must be a text")
        return value

    bounds: ClassVar[str] = "a text"


@dataclass(frozen=True)
class Encoding:
    """An encoding of texts, kept by the name that Python has for it; or none, an empty text."""

    def __call__(self, name: str, value: Any) -> str:
        """Return it."""
        if Text()(name, value) == "":
            return ""
        try:
            found = codecs.lookup(value)
        except (LookupError, ValueError):
            known = {*aliases.keys(), *aliases.values()}
            raise UsageError(
                f"unknown {name} {value[:40]!r}{did_you_mean(value[:40], sorted(known))}; it must "
                "be one that Python has, such as cp1252, latin-1, gb18030 or utf-16"
            ) from None
        # A private name, but all that tells; those of sources and of names of hosts have it too.
        if not getattr(found, "_is_text_encoding", True) or found.name in _NO_TEXTS:
            raise UsageError(
                f"{name} {value!r} is not one of texts; it must be one such as cp1252, latin-1, "
                "gb18030 or utf-16"
            )
        return found.name

    bounds: ClassVar[str] = "one that Python has"


@dataclass(frozen=True)
class Texts:
    """Texts."""

    def __call__(self, name: str, value: Any) -> tuple[str, ...]:
        """Return them as a tuple: of a list, as it comes out of JSON, but not of one text alone."""
        if isinstance(value, str):
            raise UsageError(f"{name} is the one text {value!r}; it must be a tuple: ({value!r},)")
        if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
            raise UsageError(f"{name} is {value!r}; it must be a tuple of texts")
        return tuple(value)

    bounds: ClassVar[str] = "texts"


@dataclass(frozen=True)
class OneOf:
    """One of the `known` names; or none, an empty text, if it is `optional`."""

    known: Iterable[str]
    optional: bool = False

    def __call__(self, name: str, value: Any) -> str:
        """Return it."""
        if self.optional and Text()(name, value) == "":
            return ""
        if value not in list(self.known):
            raise unknown_name(name, value, self.known)
        return str(value)

    @property
    def bounds(self) -> str:
        """What it may be."""
        return ", ".join(f"`{name}`" for name in self.known)


@dataclass(frozen=True)
class Weights:
    """Pairs of a character and a number; minus infinity forbids, and nothing is without a limit."""

    def __call__(self, name: str, value: Any) -> tuple[tuple[str, float], ...]:
        """Return them as tuples; what comes out of JSON has lists for them."""
        pairs: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
        for pair in pairs:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise UsageError(
                    f"{name} is {value!r}; it must be pairs of a character and a number"
                )
            char, amount = pair
            one = isinstance(char, str) and len(char) == 1
            if not one or not isinstance(amount, int | float) or not amount < math.inf:
                raise UsageError(
                    f"{name} {char!r}: {amount!r}; it must be a character and a number"
                )
        return tuple((char, amount) for char, amount in pairs)

    bounds: ClassVar[str] = "pairs of a character and a number"


@dataclass(frozen=True)
class Temperature:
    """A temperature that stays or moves: a number, or a text that says how."""

    def __call__(self, name: str, value: Any) -> float | str:
        """Return it."""
        parse_temperature(value)
        return value  # type: ignore[no-any-return]

    bounds: ClassVar[str] = "0 or more, or FROM:TO and longer forms"
