"""Six symbols as one number of 64 bits, in the order of the symbols."""

import numpy as np

Array = np.ndarray

LONGEST = 6
_BLOCK = 1 << 18
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)


class Packing:
    """Makes windows of six symbols: an id plus 1 each, and 0 past the end of a text.

    A window is two numbers below 2^31, of three symbols each: their bits where V is below 1,024,
    else their rank among all that stand in `texts`, which then have to hold all that is packed.
    """

    def __init__(self, V: int, *texts: Array) -> None:
        self._bits = V.bit_length()
        self._dtype = np.min_scalar_type(V)
        self._triples: Array | None = None
        if 3 * self._bits > 31:
            triples = np.concatenate([self._packed(self._symbols(text)) for text in texts])
            triples.sort()
            self._triples = triples[np.concatenate([[True], triples[1:] != triples[:-1]])]

    def of(self, text: Array) -> Array:
        """Return the windows that begin at each place of `text` (N,), uint64."""
        symbols = self._symbols(text)
        windows = np.empty(len(text), np.uint64)
        for start in range(0, len(text), _BLOCK):
            stop = min(start + _BLOCK, len(text))
            triples = self._numbers(self._packed(symbols[start : stop + LONGEST - 1]))
            windows[start:stop] = triples[:-3] << _HALF | triples[3:]
        return windows

    def least(self, windows: Array, n: int, at: int, add: int) -> Array:
        """Return what is not above any window with the first `n` symbols of `windows`.

        add: added to symbol `at`, n or n + 1, counted from 1. So at = n and add = 1 is above all
        of those windows, and at = n + 1 and add = 1 above those that end there.
        """
        high, low = self._halves(windows)
        if at <= 3:
            return self._numbers(self._first(high, n) + self._one(at, add)) << _HALF
        low = self._numbers(self._first(low, n - 3) + self._one(at - 3, add))
        least: Array = windows & ~_LOW | low
        return least

    def without_first(self, windows: Array, n: int) -> Array:
        """Return windows of the `n` symbols after the first one, of those that have so many.

        They take the place of `windows`, which are lost.
        """
        one, two, all_three = (np.uint64(k * self._bits) for k in (1, 2, 3))
        mask = (np.uint64(1) << all_three) - np.uint64(1)
        size = 0
        for start in range(0, len(windows), _BLOCK):
            high, low = self._halves(windows[start : start + _BLOCK])
            real = (high if n < 3 else low) & self._one(n % 3 + 1, (1 << self._bits) - 1) > 0
            high, low = high[real], low[real]
            high, low = (high << one | low >> two) & mask, low << one & mask
            high, low = self._first(high, min(n, 3)), self._first(low, max(n - 3, 0))
            windows[size : size + len(high)] = self._numbers(high) << _HALF | self._numbers(low)
            size += len(high)
        return windows[:size]

    def in_common(self, windows: Array) -> Array:
        """Return with how many symbols each window begins like the one before it, (N,) uint8."""
        common = np.zeros(len(windows), np.uint8)
        for start in range(1, len(windows), _BLOCK):
            high, low = self._halves(windows[start - 1 : start + _BLOCK])
            differ = high[1:] ^ high[:-1]
            same = differ == 0
            differ[same] = (low[1:] ^ low[:-1])[same]
            count = 3 * same.view(np.uint8)
            for k in range(3):
                count += differ >> np.uint64(k * self._bits) == 0
            common[start : start + len(count)] = count
        return common

    def _symbols(self, text: Array) -> Array:
        symbols = np.zeros(len(text) + LONGEST - 1, self._dtype)
        np.add(text, 1, out=symbols[: len(text)], dtype=self._dtype, casting="unsafe")
        return symbols

    def _packed(self, symbols: Array) -> Array:
        """Return the bits of the three symbols from each place on, (N − 2,) uint64."""
        packed = symbols[:-2].astype(np.uint64)
        for k in (1, 2):
            packed <<= np.uint64(self._bits)
            packed |= symbols[k : k + len(packed)]
        return packed

    def _numbers(self, packed: Array) -> Array:
        """Return the numbers of three symbols; of three that there are not, that of the next."""
        if self._triples is None:
            return packed
        return self._triples.searchsorted(packed).astype(np.uint64)

    def _halves(self, windows: Array) -> tuple[Array, Array]:
        """Return the bits of the first three symbols and of the last three."""
        high, low = windows >> _HALF, windows & _LOW
        if self._triples is None:
            return high, low
        return self._triples[high], self._triples[low]

    def _first(self, packed: Array, n: int) -> Array:
        """Return three symbols with zeros in the place of all but the first `n`."""
        shift = np.uint64((3 - n) * self._bits)
        return packed >> shift << shift

    def _one(self, at: int, add: int) -> np.uint64:
        """Return `add` as it is added to symbol `at` of three, counted from 1."""
        return np.uint64(add << (3 - at) * self._bits)
