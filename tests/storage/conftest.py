"""Ways to damage a file, shared by the tests of everything that reads files."""

import random
from collections.abc import Callable, Iterator

import pytest


def damaged(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` damaged versions of `data`, each different from it, always the same ones."""
    rng = random.Random(seed)
    made = 0
    while made < count:
        other = bytearray(data)
        place = rng.randrange(len(data) if made % 2 else min(len(data), 600))
        length = rng.choice((1, 1, 2, 8, 40))
        match made % 7:
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
        if other != data:
            made += 1
            yield bytes(other)


@pytest.fixture(name="damaged")
def _damaged() -> Callable[[bytes, int, int], Iterator[bytes]]:
    return damaged
