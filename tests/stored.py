"""What tests of files share: arrays of all makes, ways to damage a file, what a refusal is."""

import math
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as arrays_of
import numpy as np
import pytest
from hypothesis import strategies as st

from char_rnn.errors import FileError

CODES = ["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"]

ARRAYS = st.builds(
    lambda code, order, shape, view: view(
        np.arange(math.prod(shape)).reshape(shape).astype(order + code)
    ),
    st.sampled_from(CODES),
    st.sampled_from("<>"),
    arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    st.sampled_from(
        [
            lambda a: a,
            lambda a: a.T,
            np.asfortranarray,
            lambda a: a[::2] if a.ndim else a,
            lambda a: a[..., ::-1] if a.ndim else a,
            lambda a: np.broadcast_to(a, (2, *a.shape)),
        ]
    ),
)
"""Arrays of every dtype and byte order, 0-d, empty, transposed, reversed and strided."""


def assert_same(found: Any, expected: Any) -> None:
    """Hold that `found` equals `expected` in type and value."""
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype.newbyteorder("=") and found.dtype.isnative
        assert found.shape == expected.shape
        assert found.tobytes() == expected.astype(found.dtype).tobytes()
    else:
        assert repr(found) == repr(expected)


def assert_own(array: Any) -> None:
    """Hold that `array` is the caller's own to write to."""
    assert array.flags.writeable and array.flags.owndata and array.flags.c_contiguous


def refused(load: Callable[[Path], Any], path: Path, *kinds: type[FileError]) -> str:
    """Load `path`, which must fail soon with exactly one of `kinds` and one line that names it."""
    start = time.perf_counter()
    with pytest.raises(FileError) as caught:
        load(path)
    assert time.perf_counter() - start < 5
    assert type(caught.value) in kinds
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(str(path))
    return message


def damaged(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` damaged versions of `data`, each different from it, always the same ones."""
    rng = random.Random(seed)
    made = 0
    while made < count:
        other = bytearray(data)
        place = rng.randrange(len(data) if made % 2 else min(len(data), 600))
        length = rng.choice((1, 1, 2, 8, 40))
        match made % 8:
            case 0:
                del other[place:]
            case 1:
                other[place] ^= 1 << rng.randrange(8)
            case 2:
                other[place] = rng.randrange(256)
            case 3:
                del other[place : place + length]
            case 4:
                other[place:place] = rng.randbytes(length)
            case 5:
                from_ = rng.randrange(len(data))
                other[place], other[from_] = other[from_], other[place]
            case 6:
                other[place:place] = other[place : place + length]
            case 7:
                digits = [i for i in range(8, min(len(data), 4000)) if 48 <= data[i] < 58]
                other[(i := rng.choice(digits)) : i + 1] = b"9" * length
        if other != data:
            made += 1
            yield bytes(other)
