"""What follows a run in a text, so that no run of a given length is copied from it.

A text is a plain array (N,) of symbols: whole numbers from 0 up, code points, bytes or ids.
"""

from collections.abc import Iterator

import numpy as np

from char_rnn.errors import DataError, UsageError

Array = np.ndarray

_LONGEST = 2**31 - 2
_WORD_BITS = 64
_FEW = 1 << 10
_BLOCK = 1 << 18
_COMPARED = 1 << 20
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse
_INVERSE = pow(_BASE, -1, 1 << _WORD_BITS)


class CopyIndex:
    """What follows each run of `length` − 1 symbols of a text.

    text: (n,), which is kept. length: of a run with the symbol that follows it, at least 1.

    The runs are one sorted array of 64-bit numbers, one for each place in the text: part of a hash
    of the run, then the number of the symbol that follows, then the place. So what follows a run
    stands together, and equal symbols do among it. A hash only narrows the search: what it finds
    is compared with the text. Beside the text this takes 8 bytes a symbol, while it is made, too.
    """

    hash_bits = _WORD_BITS
    """At most how many bits of a hash are used; as many as leave room for symbol and place."""

    def __init__(self, text: Array, length: int) -> None:
        if length < 1:
            raise UsageError(f"the length of a copied run is {length}; it must be at least 1")
        if len(text) > _LONGEST:
            raise DataError(f"{len(text):,} symbols are too many; at most {_LONGEST:,} fit")
        self.length = length
        self._text = text
        self._run = length - 1
        self._keys = np.empty(max(len(text) - self._run, 0), np.uint64)
        if not len(self._keys):
            return
        self._weights = _powers(_BASE, self._run)
        self._offsets = np.arange(self._run)
        numbers, self._symbols = _numbers(text)
        self._place_bits = len(text).bit_length()
        self._low_bits = self._place_bits + self._symbols.bit_length()
        self._hash_bits = min(self.hash_bits, _WORD_BITS - self._low_bits)
        for start, hashes in _hashes(text, self._run, len(self._keys)):
            stop = start + len(hashes)
            keys = self._keys[start:stop]
            np.right_shift(hashes, np.uint64(_WORD_BITS - self._hash_bits), out=keys)
            keys <<= np.uint64(self._symbols.bit_length())
            keys |= numbers[text[start + self._run : stop + self._run]]
            keys <<= np.uint64(self._place_bits)
            keys |= np.arange(start, stop, dtype=np.uint64)
        self._keys.sort()

    def followers(self, context: Array) -> Array:
        """Return the distinct symbols that follow the end of `context` somewhere in the text.

        context: (N,) symbols, of which the last `length` − 1 count; with fewer nothing follows.
        """
        if len(context) < self._run or not len(self._keys):
            return self._text[:0]
        tail = context[len(context) - self._run :]
        hashed = int(np.dot(tail.astype(np.uint64), self._weights))
        low = hashed >> (_WORD_BITS - self._hash_bits) << self._low_bits
        high = low | ((1 << self._low_bits) - 1)  # no key ends with ones alone, for no place does
        start, stop = self._keys.searchsorted(np.array([low, high], np.uint64))
        if start == stop:
            return self._text[:0]
        keys = self._keys[start:stop]
        edges = self._edges(keys, low)
        at = self._places(keys[edges[:-1]])
        held = self._hold(at, tail)
        for k in np.flatnonzero(~held):  # the first place is of another run with the same hash
            step = max(_COMPARED // (1 + self._run), 1)
            for first in range(edges[k] + 1, edges[k + 1], step):
                others = self._places(keys[first : min(first + step, edges[k + 1])])
                if (hits := self._hold(others, tail)).any():
                    at[k], held[k] = others[hits.argmax()], True
                    break
        found: Array = self._text[at[held] + self._run]
        return found

    def _edges(self, keys: Array, low: int) -> Array:
        """Return where each symbol begins among `keys`, from `low` on, and where the last ends."""
        shift = np.uint64(self._place_bits)
        if len(keys) <= _FEW:
            symbols = keys >> shift
            return np.flatnonzero(np.concatenate([[True], symbols[1:] != symbols[:-1], [True]]))
        numbers = np.arange(self._symbols + 1, dtype=np.uint64)
        edges = keys.searchsorted(np.uint64(low) | numbers << shift)
        found: Array = edges[np.concatenate([np.diff(edges) > 0, [True]])]
        return found

    def _places(self, keys: Array) -> Array:
        places: Array = (keys & np.uint64((1 << self._place_bits) - 1)).astype(np.int64)
        return places

    def _hold(self, at: Array, tail: Array) -> Array:
        """Tell which of the runs at `at` are `tail`, (len(at),) bool."""
        step = max(_COMPARED // (1 + self._run), 1)
        parts = (at[k : k + step, None] for k in range(0, len(at), step))
        return np.concatenate([(self._text[p + self._offsets] == tail).all(axis=1) for p in parts])


def _numbers(text: Array) -> tuple[Array, int]:
    """Return the table of numbers, from 0 up, of the symbols of `text`, and how many there are."""
    seen = np.zeros(int(text.max(initial=0)) + 1, bool)
    for start in range(0, len(text), _BLOCK):
        seen[text[start : start + _BLOCK]] = True
    return np.cumsum(seen, dtype=np.uint64) - np.uint64(1), int(seen.sum())


def _hashes(text: Array, length: int, count: int) -> Iterator[tuple[int, Array]]:
    """Yield Σ text[t + k] · base^(k + 1) (mod 2^64) over k < `length` for t < `count`, in blocks.

    Each is the t that it begins at and the hashes, uint64.
    """
    block = max(_BLOCK, length)
    up, down = _powers(_BASE, block + length), _powers(_INVERSE, block) * np.uint64(_BASE)
    for start in range(0, count, block):
        size = min(block, count - start)
        symbols = text[start : start + size + length].astype(np.uint64)
        sums = np.zeros(len(symbols) + 1, np.uint64)
        np.cumsum(symbols * up[: len(symbols)], out=sums[1:])
        hashes = (sums[length:] - sums[: len(sums) - length])[:size]
        hashes *= down[:size]
        yield start, hashes


def _powers(base: int, count: int) -> Array:
    """Return base^(k + 1) (mod 2^64) for k < `count`, uint64."""
    # Not from 1 on: the highest bits of a hash, which are kept, would not see the first symbol.
    return np.multiply.accumulate(np.full(count, base, np.uint64))
