"""n-grams of characters: interpolated modified Kneser-Ney (Chen & Goodman 1999).

A window is the six symbols from some place on, or eight for longer n-grams. All windows of the
training text, as numbers in the order of their symbols, are sorted once. Then those that begin
alike stand together, so that one array holds the n-grams of every n, each beside the others of its
context; and how often one stands in the text is where it ends in the array less where it begins.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from char_rnn.analyse.packing import LONG, SHORT, Packing, longest
from char_rnn.errors import UsageError

Array = np.ndarray

BLOCK = 1 << 18


def ngram_nats(train: Array, test: Array, V: int, order: int) -> Iterator[tuple[int, Array]]:
    """Yield n and −log p of each id of `test` (M,) under n-grams of `train` (N,), up to `order`.

    A character is predicted from up to n − 1 characters before it; `test` follows `train`
    directly. Unseen contexts leave the word to shorter ones, and the last of them to 1/V. The
    counts of the longest n-grams are those of the text; those of the others are the number of
    characters that stand before them.
    """
    if not 1 <= order <= longest(V):
        raise UsageError(
            f"n-grams of {order} of {V:,} symbols; they can have from 1 to {longest(V)}"
        )
    N = len(train)
    p = np.full(len(test), 1 / V)
    if N < 2:
        yield from ((n, -np.log(p)) for n in range(1, order + 1))
        return
    length = SHORT if order <= SHORT else LONG
    before = train[max(N - length + 1, 0) :]
    follows = np.concatenate([before, test])
    packing = Packing(V, length, train, follows)
    text = _Windows.sorted(packing, packing.of(train))
    tests = list(_tests(packing, packing.of(follows), len(before)))
    for n in range(1, order + 1):
        # The last windows have no n symbols any more.
        yield n, -np.log(_interpolated(_grams(text, n, min(n - 1, N)), packing, tests, p))
        if n < order:
            p = _interpolated(_preceded(text, n, packing), packing, tests, p)


class _Windows(NamedTuple):
    """Sorted windows (N,), and with how many symbols each begins like the one before it."""

    keys: Array
    common: Array

    @classmethod
    def sorted(cls, packing: Packing, keys: Array) -> "_Windows":
        """Sort `keys` in place."""
        keys.sort()
        return cls(keys, packing.in_common(keys))


class _Test(NamedTuple):
    """Sorted windows of the test text, and where in it each begins, before it too."""

    keys: Array
    common: Array
    begins: Array


class _Grams(NamedTuple):
    """The n-grams with which sorted windows begin.

    discounts: (4,), what is taken off a count of 0, 1, 2 and 3 or more.
    places: sorted, of the first one of each n-gram that stands there once, twice, more often.
    """

    n: int
    keys: Array
    discounts: Array
    places: list[Array]


def _tests(packing: Packing, keys: Array, before: int) -> Iterator[_Test]:
    """Yield windows in blocks; `before` of them begin before the test text."""
    for start in range(0, len(keys), BLOCK):
        order = np.argsort(keys[start : start + BLOCK])
        block = keys[start + order]
        yield _Test(block, packing.in_common(block), (order + (start - before)).astype(np.int32))


def _preceded(windows: _Windows, n: int, packing: Packing) -> _Grams:
    """Return the n-grams, each as often as there are symbols that stand before it."""
    longer = windows.keys[windows.common < n + 1]
    return _grams(_Windows.sorted(packing, packing.without_first(longer, n)), n, 0)


def _grams(windows: _Windows, n: int, unfinished: int) -> _Grams:
    """Return the n-grams; `unfinished` of them have fewer symbols, and stand there once each."""
    size = len(windows.keys)
    places: list[list[Array]] = [[], [], []]
    stand = np.zeros(5, np.int64)  # how many n-grams stand there so many times
    for start in range(0, max(size, 1), BLOCK):
        length = min(BLOCK, size - start)
        first = np.ones(length + 4, bool)  # past the end another one begins
        common = windows.common[start : start + length + 4]
        first[: len(common)] = common < n
        a, b, c, d, e = (first[k : k + length] for k in range(5))
        more = a & ~b & ~c
        for k, flags in enumerate((a & b, a & ~b & c, more)):
            places[k].append((np.flatnonzero(flags) + start).astype(np.uint32))
        stand[1:] += [
            len(places[0][-1]),
            len(places[1][-1]),
            (more & d).sum(),
            (more & ~d & e).sum(),
        ]
    stand[1] -= unfinished
    return _Grams(
        n, windows.keys, _discounts(*stand[1:].tolist()), list(map(np.concatenate, places))
    )


def _discounts(n1: int, n2: int, n3: int, n4: int) -> Array:
    """Return what is taken off a count of 0, 1, 2 and 3 or more (Chen & Goodman 1999, eq. 26).

    n1 … n4: how many n-grams stand in the text once, twice, three and four times.
    """
    if not (n1 and n2):
        return np.array([0, 0.5, 0.5, 0.5])
    y = n1 / (n1 + 2 * n2)
    found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3 if n3 else 0.5]
    # Within the range in which every probability stays positive.
    return np.array([0] + [min(max(d, 0.05), k - 0.05) for k, d in enumerate(found, 1)])


def _interpolated(grams: _Grams, packing: Packing, tests: list[_Test], below: Array) -> Array:
    """Return p of each character of the test text, (M,), from p `below`, of shorter n-grams."""
    n, p = grams.n, below.copy()
    for test in tests:
        own, of_own = _distinct(test, n)
        edges = [grams.keys.searchsorted(packing.least(own, n, n, add)) for add in (0, 1)]
        number = (edges[1] - edges[0])[of_own]

        contexts, of_context = _distinct(test, n - 1)
        begin, end = (
            grams.keys.searchsorted(packing.least(contexts, n - 1, at, 1)).astype(np.uint32)
            for at in (n, n - 1)
        )
        total = (end - begin).astype(np.int64)[of_context]
        held = np.zeros(len(contexts))  # what discounting sets aside in each context
        for discount, places in zip(grams.discounts[1:], grams.places, strict=True):
            held += discount * (places.searchsorted(end) - places.searchsorted(begin))

        known = total > 0
        of = np.where(known, total, 1)
        kept = np.maximum(number - grams.discounts[np.minimum(number, 3)], 0) / of
        at = test.begins + n - 1
        inside = (at >= 0) & (at < len(p))
        at, known, kept, rest = (x[inside] for x in (at, known, kept, held[of_context] / of))
        p[at] = np.where(known, kept + rest * below[at], below[at])
    return p


def _distinct(test: _Test, n: int) -> tuple[Array, Array]:
    """Return a window for each n-gram of `test`, and which of them each window begins with."""
    first = test.common < n
    first[0] = True
    return test.keys[first], np.cumsum(first) - 1
