"""Six or eight symbols as one number of 64 bits, in the order of the symbols."""

import numpy as np

Array = np.ndarray

SHORT, LONG = 6, 8
_LONG_BITS = 15  # of a symbol, at most, where four of them are one number
_BLOCK = 1 << 18
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)


def longest(V: int) -> int:
    """Return how many of V symbols one window can hold."""
    return LONG if V.bit_length() <= _LONG_BITS else SHORT


class Packing:
    """Makes windows of `length` symbols, 6 or 8: an id plus 1 each, and 0 past the end of a text.

    A window is two numbers below 2^31, of half of the symbols each: their bits where these are
    few, else their rank among all that stand in `texts`, which then have to hold all that is
    packed.
    """

    def __init__(self, V: int, length: int, *texts: Array) -> None:
        self.length, self._half = length, length // 2
        self._bits = V.bit_length()
        self._dtype = np.min_scalar_type(V)
        self._ranked: Array | None = None
        if self._half * self._bits > 31:
            halves = np.concatenate([self._packed(self._symbols(text)) for text in texts])
            halves.sort()
            self._ranked = halves[np.concatenate([[True], halves[1:] != halves[:-1]])]

    def of(self, text: Array) -> Array:
        """Return the windows that begin at each place of `text` (N,), uint64."""
        symbols = self._symbols(text)
        windows = np.empty(len(text), np.uint64)
        for start in range(0, len(text), _BLOCK):
            stop = min(start + _BLOCK, len(text))
            halves = self._numbers(self._packed(symbols[start : stop + self.length - 1]))
            windows[start:stop] = halves[: -self._half] << _HALF | halves[self._half :]
        return windows

    def least(self, windows: Array, n: int, at: int, add: int) -> Array:
        """Return what is not above any window with the first `n` symbols of `windows`.

        add: added to symbol `at`, n or n + 1, counted from 1. So at = n and add = 1 is above all
        of those windows, and at = n + 1 and add = 1 above those that end there.
        """
        high, low = self._halves(windows)
        half = self._half
        if at <= half:
            return self._numbers(self._first(high, n) + self._one(at, add)) << _HALF
        low = self._numbers(self._first(low, n - half) + self._one(at - half, add))
        least: Array = windows & ~_LOW | low
        return least

    def without_first(self, windows: Array, n: int) -> Array:
        """Return windows of the `n` symbols after the first one, of those that have so many.

        They take the place of `windows`, which are lost.
        """
        half = self._half
        one, others, all_of_half = (np.uint64(k * self._bits) for k in (1, half - 1, half))
        mask = (np.uint64(1) << all_of_half) - np.uint64(1)
        size = 0
        for start in range(0, len(windows), _BLOCK):
            high, low = self._halves(windows[start : start + _BLOCK])
            last = self._one(n % half + 1, (1 << self._bits) - 1)
            real = (high if n < half else low) & last > 0
            high, low = high[real], low[real]
            high, low = (high << one | low >> others) & mask, low << one & mask
            high, low = self._first(high, min(n, half)), self._first(low, max(n - half, 0))
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
            count = self._half * same.view(np.uint8)
            for k in range(self._half):
                count += differ >> np.uint64(k * self._bits) == 0
            common[start : start + len(count)] = count
        return common

    def _symbols(self, text: Array) -> Array:
        symbols = np.zeros(len(text) + self.length - 1, self._dtype)
        np.add(text, 1, out=symbols[: len(text)], dtype=self._dtype, casting="unsafe")
        return symbols

    def _packed(self, symbols: Array) -> Array:
        """Return the bits of half a window from each place on, (N − length / 2 + 1,) uint64."""
        packed = symbols[: len(symbols) - self._half + 1].astype(np.uint64)
        for k in range(1, self._half):
            packed <<= np.uint64(self._bits)
            packed |= symbols[k : k + len(packed)]
        return packed

    def _numbers(self, packed: Array) -> Array:
        """Return the numbers of half windows; of one that there is not, that of the next."""
        if self._ranked is None:
            return packed
        return self._ranked.searchsorted(packed).astype(np.uint64)

    def _halves(self, windows: Array) -> tuple[Array, Array]:
        """Return the bits of the first half of the symbols and of the last."""
        high, low = windows >> _HALF, windows & _LOW
        if self._ranked is None:
            return high, low
        return self._ranked[high], self._ranked[low]

    def _first(self, packed: Array, n: int) -> Array:
        """Return half windows with zeros in the place of all but the first `n` symbols."""
        shift = np.uint64((self._half - n) * self._bits)
        return packed >> shift << shift

    def _one(self, at: int, add: int) -> np.uint64:
        """Return `add` as it is added to symbol `at` of half a window, counted from 1."""
        return np.uint64(add << (self._half - at) * self._bits)
