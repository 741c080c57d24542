"""What stands word for word in a text: the longest runs that a sample shares with it, and what
follows a run.

Texts are plain arrays (N,) of symbols: whole numbers from 0 up, code points or bytes.
"""

from collections.abc import Callable

import numpy as np

from char_rnn.errors import DataError, UsageError

Array = np.ndarray
Progress = Callable[[float], None]

_LONGEST = 2**31 - 2
_WORD_BITS = 64
_PAST, _BETWEEN, _FIRST = 0, 1, 2  # codes: of no symbol of the text, of its end, of its first one


def longest_runs(
    sample: Array, text: Array, progress: Progress | None = None
) -> tuple[Array, Array]:
    """Return for each position of `sample` the longest run that starts there and stands in `text`.

    sample: (m,). text: (n,). Returns lengths (m,) and places in `text` where such runs begin (m,),
    −1 where the length is 0; both int64 and exact.

    Text and sample are sorted together by prefix doubling (Manber and Myers 1993), with the groups
    of Larsson and Sadakane (1999): after a round, positions in one group agree in their first
    `reach` symbols, and the next round sorts each group by the groups of what comes `reach` later.
    A group without a sample or without the text is finished: its members agree with everything on
    the other side in less than `reach` symbols, and all alike, so their order does not matter. A
    sample that finishes has its longest run in common with the nearest text above or below it.

    Chosen by measurement, on 10 MB and a sample of 100 kB: nearly all of the time goes into the
    first round, an argsort of all positions by their first 8 symbols or so; few go on to the next
    one, since the sample has few windows. A suffix array of the whole text would sort on what the
    sample never asks for. Sorted hashes of the windows of one length are found faster, but where a
    common window stands in thousands of places they do not tell which one goes on the longest.
    A text that repeats the whole sample many times is the worst case: all positions go on.
    """
    n, m = len(text), len(sample)
    if n + m > _LONGEST:
        raise DataError(f"{n + m:,} symbols are too many to compare; at most {_LONGEST:,} fit")
    if not n or not m:
        return np.zeros(m, np.int64), np.full(m, -1, np.int64)
    words, width = _both_in_words(sample, text)
    levels, near = _sorted_together(words, width, n, progress)
    ours = np.arange(n + 1, n + 1 + m)
    best, where = np.zeros(m, np.int64), np.full(m, -1, np.int64)
    for theirs in near:
        length = _in_common(levels, words, width, ours, theirs)
        better = length > best
        best[better], where[better] = length[better], theirs[better]
    return best, where


def _both_in_words(sample: Array, text: Array) -> tuple[Array, int]:
    """Return text, its end, sample and its end as words of `width` symbols (n + m + 2,)."""
    codes, table = _codes(text)
    inside = np.minimum(sample.astype(np.int64), len(table) - 1)
    end = np.array([_BETWEEN], codes.dtype)
    past = np.array([_PAST], codes.dtype)
    return _words(np.concatenate([codes, end, table[inside], past]), int(table.max()))


def _sorted_together(
    words: Array, width: int, n: int, progress: Progress | None
) -> tuple[list[tuple[int, Array]], Array]:
    """Sort until every sample has finished.

    Returns, for each round, how many symbols it told apart and the group of each position; and the
    nearest texts above and below each sample (2, m), −1 where there is none.
    """
    size = len(words) - 1
    near = np.full((2, size - n - 1), -1, np.int64)
    group = np.zeros(size + 1, np.int32)  # of each position: the slot of its first member
    levels: list[tuple[int, Array]] = []
    reach, finished = 0, 0
    order = np.argsort(words[:-1])
    key = words[order]
    slots = np.arange(size, dtype=np.int32)  # where `order` stands in the order of everything
    while len(order):
        starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
        sizes = np.diff(starts, append=len(order))
        samples = np.flatnonzero(order > n)
        among = np.searchsorted(starts, samples, "right") - 1
        held, counts = np.unique(among, return_counts=True)
        shared = np.zeros(len(starts), bool)
        shared[held] = sizes[held] > counts

        alone = ~shared[among]
        finished += int(alone.sum())
        for side, beside in enumerate(_next_texts(samples)):
            # From another group, it has less in common than the one on the other side.
            ours, theirs = order[samples[alone]], order[np.clip(beside[alone], 0, len(order) - 1)]
            fits = theirs <= n  # past either end of the order there is none
            near[side, ours[fits] - n - 1] = theirs[fits]

        group = group.copy()
        group[order] = np.repeat(slots[starts], sizes)
        group[size] = -1
        reach = 2 * reach or width
        levels.append((reach, group))
        if progress is not None:
            progress(finished / near.shape[1])

        goes_on = np.repeat(shared, sizes)
        order, slots = order[goes_on], slots[goes_on]
        later = group[np.minimum(order + reach, size)].astype(np.int64) + 1
        key = group[order].astype(np.int64) << 32 | later
        by = np.argsort(key)
        order, key = order[by], key[by]
    return levels, near


def _next_texts(samples: Array) -> tuple[Array, Array]:
    """Return the nearest index before and after each of `samples` (sorted) that is not in it."""
    gap = np.flatnonzero(np.diff(samples) > 1)
    first = np.concatenate([[0], gap + 1])[: len(samples)]
    last = np.concatenate([gap, [len(samples) - 1]])[: len(samples)]
    lengths = last - first + 1
    return np.repeat(samples[first] - 1, lengths), np.repeat(samples[last] + 1, lengths)


def _in_common(
    levels: list[tuple[int, Array]], words: Array, width: int, ours: Array, theirs: Array
) -> Array:
    """Return how many symbols from `ours` on are those from `theirs` on, (m,); 0 for theirs < 0.

    In the longest steps first. A sample and a text in one group do agree in its `reach` symbols.
    """
    length = np.zeros(len(ours), np.int64)
    some = theirs >= 0
    a, b = ours[some].astype(np.int64), theirs[some].astype(np.int64)
    for reach, group in reversed(levels):
        step = reach * (group[a] == group[b])
        a += step
        b += step
    bits = _WORD_BITS // width
    step = width // 2
    while step:
        differ = (words[a] ^ words[b]) >> np.uint64(bits * (width - step))
        a += step * (differ == 0)
        b += step * (differ == 0)
        step //= 2
    length[some] = a - ours[some]
    return length


class CopyIndex:
    """What follows each run of `length` − 1 symbols of a text.

    text: (n,). length: of a run with the symbol that follows it, at least 1.

    The runs are kept as one sorted array of 64-bit numbers: part of a hash of the run, then the
    symbol that follows, then the place of one such run. A hash only narrows the search: everything
    it finds is compared with the text, here and in `followers`.
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
        self._weights = _powers(_BASE, self._run)
        self._offsets = np.arange(self._run)
        count = max(len(text) - self._run, 0)
        codes, table = _codes(text)
        highest = int(table.max())
        self._place_bits = len(text).bit_length()
        self._low_bits = self._place_bits + highest.bit_length()
        self._hash_bits = min(self.hash_bits, _WORD_BITS - self._low_bits)
        keys = _hashes(text, self._run, count)
        keys >>= np.uint64(_WORD_BITS - self._hash_bits)
        keys <<= np.uint64(self._low_bits)
        keys |= codes[self._run :][:count].astype(np.uint64) << np.uint64(self._place_bits)
        keys |= np.arange(count, dtype=np.uint64)
        keys.sort()
        self._keys = self._distinct(keys, *_words(codes, highest))

    def followers(self, context: Array) -> Array:
        """Return the distinct symbols that follow the end of `context` somewhere in the text.

        context: (N,) symbols, of which the last `length` − 1 count; with fewer nothing follows.
        """
        if len(context) < self._run:
            return self._text[:0]
        tail = context[len(context) - self._run :]
        hashed = int(np.dot(tail.astype(np.uint64), self._weights))
        low = hashed >> (_WORD_BITS - self._hash_bits) << self._low_bits
        high = low | ((1 << self._low_bits) - 1)  # no key ends with ones alone, for no place does
        start, stop = self._keys.searchsorted(np.array([low, high], np.uint64))
        if start == stop:
            return self._text[:0]
        at = self._places(self._keys[start:stop])
        same = (self._text[at[:, None] + self._offsets] == tail).all(axis=1)
        found: Array = self._text[at[same] + self._run]
        return found

    def _places(self, keys: Array) -> Array:
        places: Array = (keys & np.uint64((1 << self._place_bits) - 1)).astype(np.int64)
        return places

    def _distinct(self, keys: Array, words: Array, width: int) -> Array:
        """Return the sorted `keys` without those whose run and symbol another one has, too."""
        kept = []
        while len(keys):
            top = keys >> np.uint64(self._place_bits)
            first = np.concatenate([[True], top[1:] != top[:-1]])
            kept.append(keys[first])
            # Where runs of one hash differ, each round takes one of them away.
            leader = np.repeat(keys[first], np.diff(np.flatnonzero(first), append=len(keys)))
            rest = keys[~first]
            at, other = self._places(rest), self._places(leader[~first])
            keys = rest[~_equal(words, width, at, other, self._run)]
        return np.sort(np.concatenate(kept)) if kept else keys


def _equal(words: Array, width: int, a: Array, b: Array, length: int) -> Array:
    """Tell which runs of `length` symbols from `a` on are those from `b` on, (len(a),) bool."""
    same = np.ones(len(a), bool)
    left = np.arange(len(a))
    for offset in range(0, length, width):
        differ = words[a[left] + offset] ^ words[b[left] + offset]
        over = max(offset + width - length, 0)  # symbols of the word that no longer count
        equal = differ >> np.uint64(_WORD_BITS // width * over) == 0
        same[left[~equal]] = False
        left = left[equal]
    return same


_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse
_INVERSE = pow(_BASE, -1, 1 << _WORD_BITS)
_BLOCK = 1 << 18


def _hashes(text: Array, length: int, count: int) -> Array:
    """Return Σ text[t + k] · base^k (mod 2^64) over k < `length` for each t < `count`, uint64."""
    hashes = np.zeros(count, np.uint64)
    block = max(_BLOCK, length)
    up, down = _powers(_BASE, block + length), _powers(_INVERSE, block)
    for start in range(0, count, block):
        size = min(block, count - start)
        symbols = text[start : start + size + length].astype(np.uint64)
        sums = np.zeros(len(symbols) + 1, np.uint64)
        np.cumsum(symbols * up[: len(symbols)], out=sums[1:])
        hashes[start : start + size] = (sums[length:] - sums[: len(sums) - length])[:size]
        hashes[start : start + size] *= down[:size]
    return hashes


def _powers(base: int, count: int) -> Array:
    """Return base^k (mod 2^64) for k < `count`, uint64."""
    factors = np.full(count, base, np.uint64)
    factors[:1] = 1
    return np.multiply.accumulate(factors)


def _codes(text: Array) -> tuple[Array, Array]:
    """Number the symbols of `text` from `_FIRST` up, in their order.

    Returns the codes (n,) and the table from symbol to code, whose last entry is `_PAST`.
    """
    seen = np.zeros(int(text.max(initial=0)) + 2, bool)
    seen[text] = True
    count = int(seen.sum())
    table = np.full(len(seen), _PAST, np.min_scalar_type(count + _FIRST))
    table[seen] = np.arange(_FIRST, _FIRST + count)
    return table[text], table


def _words(codes: Array, highest: int) -> tuple[Array, int]:
    """Return the word that begins at each place, (N,) uint64, and how many codes a word has.

    highest: the largest code. The first code of a word has the highest bits, so that words are in
    the order of what they hold. `_PAST` fills those at the end.
    """
    width = 2
    while max(highest, _FIRST) < 1 << _WORD_BITS // (2 * width):
        width *= 2
    words = codes.astype(np.uint64)
    bits, held = _WORD_BITS // width, 1
    while held < width:
        doubled = words << np.uint64(bits * held)
        doubled[:-held] |= words[held:]
        words, held = doubled, 2 * held
    return words, width
