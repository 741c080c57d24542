"""Plain data: what a pickle of char-rnn may hold, and the checksum of it.

Plain data are None, booleans, numbers, strings, NumPy arrays of numbers, and lists, tuples and
dictionaries (with strings or integers below 2^31 as keys) of those, at most 32 levels deep.
"""

import hashlib
import struct
from typing import Any

import numpy as np

MAX_DEPTH = 32
MAX_INT_BITS = 1024
MAX_VALUES = 1_000_000
MAX_KEY = 2**31

DTYPES = {
    dtype.str[1:]: dtype
    for dtype in map(
        np.dtype, ["?", "i1", "u1", "i2", "u2", "f2", "i4", "u4", "f4", "i8", "u8", "f8"]
    )
}
"""The dtypes of arrays in plain data, by kind and size, as in `f4`."""


class NotPlainError(Exception):
    """A value is not plain data; the message says which."""


def rebuilt(value: Any) -> Any:
    """Return a copy of the plain data `value` in which nothing is shared and all is standard.

    Arrays become row-major and little-endian; subclasses of numbers, strings and containers
    become what they extend. Raises NotPlainError if `value` is not plain data.
    """
    return _Copy().of(value, 0)


def checksum(value: Any) -> str:
    """Return the SHA-256 of the plain data `value`, as hexadecimal digits.

    Each value goes in with its type and its length, so that different data give different bytes.
    Raises NotPlainError if `value` is not plain data made of the standard types.
    """
    digest = _Digest()
    digest.add(value, 0)
    return digest.sha256.hexdigest()


def standard_key(key: Any) -> str | int:
    """Return the dictionary key `key` as a string or an integer; raise NotPlainError if it is not.

    Large integers are refused, as they can be chosen to collide, which makes a dictionary slow.
    """
    if isinstance(key, str):
        return str.__str__(key)  # not str(key), which for an enumeration gives its name
    if isinstance(key, int) and not isinstance(key, bool) and abs(key) < MAX_KEY:
        return int(key)
    raise NotPlainError(
        f"it holds a key of type {type(key).__name__}; expected strings or integers below "
        f"{MAX_KEY:,}"
    )


class _Copy:
    """Copies a tree and counts what it holds, so that shared branches cannot multiply."""

    def __init__(self) -> None:
        self.values = 0

    def of(self, value: Any, depth: int) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise NotPlainError(f"it holds more than {MAX_VALUES:,} values")
        if depth > MAX_DEPTH:
            raise NotPlainError(f"it is nested more than {MAX_DEPTH} levels deep")
        if isinstance(value, dict):
            return {standard_key(key): self.of(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, tuple):
            return tuple(self.of(item, depth + 1) for item in value)
        if isinstance(value, np.ndarray):
            return _standard_array(value)
        return _scalar(value)


class _Digest:
    """Feeds a tree to SHA-256."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def add(self, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise NotPlainError(f"it is nested more than {MAX_DEPTH} levels deep")
        if type(value) is dict:
            self._head("dict", len(value))
            for key, item in value.items():
                self._scalar(standard_key(key))
                self.add(item, depth + 1)
        elif type(value) in (list, tuple):
            self._head(type(value).__name__, len(value))
            for item in value:
                self.add(item, depth + 1)
        elif type(value) is np.ndarray:
            self._array(value)
        else:
            self._scalar(value)

    def _scalar(self, value: Any) -> None:
        if type(value) is float:
            content = struct.pack("<d", value)
        elif type(value) is str:
            content = value.encode("utf-8", "surrogatepass")
        elif type(value) is int:
            content = b"%d" % _int(value)
        elif value is None or type(value) is bool:
            content = repr(value).encode("ascii")
        else:
            raise NotPlainError(f"it holds a {type(value).__name__}, which is not plain data")
        self._head(type(value).__name__, len(content))
        self.sha256.update(content)

    def _array(self, array: np.ndarray[Any, Any]) -> None:
        plain = _standard_array(array)
        self._head("array", plain.dtype.str[1:], *plain.shape)
        self.sha256.update(plain.reshape(-1).view(np.uint8).data)

    def _head(self, *fields: object) -> None:
        self.sha256.update((" ".join(map(str, fields)) + "\n").encode("ascii"))


def _standard_array(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    dtype = DTYPES.get(array.dtype.str[1:])
    if dtype is None:
        raise NotPlainError(f"it holds an array of {array.dtype}; expected booleans or numbers")
    if array.ndim > 32:
        raise NotPlainError(f"it holds an array of {array.ndim} axes; at most 32 fit")
    return np.asarray(array, dtype=dtype.newbyteorder("<"), order="C")


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _int(int(value))
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    raise NotPlainError(f"it holds a {type(value).__name__}, which is not plain data")


def _int(value: int) -> int:
    if value.bit_length() > MAX_INT_BITS:
        raise NotPlainError(
            f"it holds an integer of {value.bit_length():,} bits; {MAX_INT_BITS} fit"
        )
    return value
