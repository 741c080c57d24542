"""Plain data: what a pickle of char-rnn may hold, and the checksum of it.

Plain data are None, booleans, numbers, strings, NumPy arrays of numbers, and lists, tuples and
dictionaries (with strings or integers below 2^31 as keys) of those, at most 32 levels deep.
"""

import hashlib
import struct
from typing import Any

import numpy as np

from char_rnn.storage.arrays import content, standard
from char_rnn.storage.fields import MisfitError, found_shown

MAX_DEPTH = 32
MAX_INT_BITS = 1024
MAX_VALUES = 1_000_000
MAX_KEY = 2**31


def sealed(value: Any) -> tuple[Any, str]:
    """Return a copy of the plain data `value`, and its SHA-256 as hexadecimal digits.

    In the copy nothing is shared and all is standard: arrays are row-major and little-endian,
    subclasses of numbers, strings and containers are what they extend. Each value goes into the
    checksum with its type and its length, so that different data give different bytes.
    Raises MisfitError if `value` is not plain data.
    """
    seal = _Seal()
    return seal.copy(value, 0), seal.sha256.hexdigest()


def plain_key(key: Any) -> Any:
    """Return `key` if it may be the key of a dictionary; raise MisfitError if not.

    Large integers are refused, as they can be chosen to collide, which makes a dictionary slow.
    """
    whole = isinstance(key, int) and not isinstance(key, bool) and abs(key) < MAX_KEY
    if whole or isinstance(key, str):
        return key
    expected = f"strings or integers below {MAX_KEY:,}"
    raise MisfitError(f"holds a key of type {type(key).__name__}", expected)


class _Seal:
    """Copies a tree into SHA-256, and counts what it holds, so that shared branches end."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self.values = 0

    def copy(self, value: Any, depth: int) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise MisfitError(f"holds more than {MAX_VALUES:,} values")
        if depth > MAX_DEPTH:
            raise MisfitError(f"is nested more than {MAX_DEPTH} levels deep")
        if isinstance(value, dict):
            self._head("dict", len(value))
            return {
                self._scalar(plain_key(key)): self.copy(item, depth + 1)
                for key, item in value.items()
            }
        for kind in (list, tuple):
            if isinstance(value, kind):
                self._head(kind.__name__, len(value))
                return kind(self.copy(item, depth + 1) for item in value)
        if isinstance(value, np.ndarray):
            array = standard(value)
            self._head("array", array.dtype.str[1:], *array.shape)
            self.sha256.update(content(array))
            return array
        return self._scalar(value)

    def _scalar(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            data = repr(value).encode("ascii")
        elif isinstance(value, int):
            value = int(value)
            if value.bit_length() > MAX_INT_BITS:
                raise MisfitError(f"holds {found_shown(value)}", f"at most {MAX_INT_BITS}")
            data = b"%d" % value
        elif isinstance(value, float):
            data = struct.pack("<d", value := float(value))
        elif isinstance(value, str):
            value = str.__str__(value)  # not str(value), which for an enumeration gives its name
            data = value.encode("utf-8", "surrogatepass")
        else:
            raise MisfitError(f"holds a {type(value).__name__}, which is not plain data")
        self._head(type(value).__name__, len(data))
        self.sha256.update(data)
        return value

    def _head(self, *fields: object) -> None:
        self.sha256.update((" ".join(map(str, fields)) + "\n").encode("ascii"))
