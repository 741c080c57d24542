"""Arrays of booleans and numbers as files hold them: row-major and little-endian."""

import math
from typing import Any

import numpy as np

from char_rnn.storage.fields import MisfitError, found_shown

Array = np.ndarray[Any, Any]

MAX_DIMENSIONS = 32  # of NumPy 1.26
MAX_SIDE = 2**31
DTYPES = {
    f"{kind}{size}": np.dtype(f"{kind}{size}")
    for kind, sizes in {"b": [1], "i": [1, 2, 4, 8], "u": [1, 2, 4, 8], "f": [2, 4, 8]}.items()
    for size in sizes
}
"""The dtypes of arrays in files, by kind and size, as in `f4`."""


def standard(array: Any) -> Array:
    """Return a view of `array`, or a copy, as files hold it; raise MisfitError if they cannot."""
    if not isinstance(array, np.ndarray):
        raise MisfitError(f"is {found_shown(array)}", "a NumPy array")
    dtype = DTYPES.get(array.dtype.str[1:])
    if dtype is None:
        raise MisfitError(f"is an array of {array.dtype}", "booleans or numbers")
    if array.ndim > MAX_DIMENSIONS:
        raise MisfitError(f"is an array of {array.ndim} axes", f"at most {MAX_DIMENSIONS}")
    # Not np.ascontiguousarray, which turns shape () into (1,). The view is for pickle, which
    # remembers objects: one array in two places is written twice.
    return np.asarray(array, dtype.newbyteorder("<"), order="C").view()


def content(array: Array) -> memoryview:
    """Return the bytes of `array`, which `standard` lets through, as files hold them."""
    return standard(array).reshape(-1).view(np.uint8).data


def from_content(dtype: np.dtype[Any], shape: Any, data: bytes | bytearray) -> Array:
    """Return a new array of `dtype` and `shape`; raise MisfitError unless `data` fit it."""
    possible = len(shape) <= MAX_DIMENSIONS and all(
        type(side) is int and 0 <= side < MAX_SIDE for side in shape
    )
    if not possible or math.prod(shape) * dtype.itemsize != len(data):
        raise MisfitError(f"is an array of {len(data):,} bytes and an impossible shape")
    array: Array = np.empty(shape, dtype)
    if array.size:
        array.reshape(-1)[:] = np.frombuffer(data, dtype.newbyteorder("<"))
    return array
