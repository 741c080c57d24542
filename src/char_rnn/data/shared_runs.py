"""The longest runs that a sample has in common with a text.

Both are plain arrays (N,) of symbols: whole numbers from 0 up, code points or bytes.
"""

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Progress = Callable[[float], None]

BLOCK = 1 << 20
"""So many symbols of the text are compared at a time, and of the sample if it is long."""
REACH = 1 << 12
"""So many more are read beyond them, that a run which begins there may end there."""
PARTS = 16
"""A sample is not cut into pieces that are shorter than this part of the text."""

_WORD_BITS = 64
_PAST, _OTHER, _FIRST = 0, 1, 2  # codes: of the end, of what the sample lacks, of its first symbol


def longest_runs(
    sample: Array, text: Array, progress: Progress | None = None
) -> tuple[Array, Array]:
    """Return for each position of `sample` the longest run that starts there and stands in `text`.

    sample: (m,). text: (n,). Returns lengths (m,) and places in `text` where such runs begin (m,),
    −1 where the length is 0; both int64 and exact.

    Text and sample are compared block by block, so that the memory is that of two blocks however
    long the text is. What is read beyond a block makes it exact: as long as no run reaches so far,
    no run was cut short; where one does, the block is read again with more beyond it.
    """
    n, m = len(text), len(sample)
    lengths, places = np.zeros(m, np.int64), np.full(m, -1, np.int64)
    table, most = _table(sample, text), _most(sample, text)
    piece = max(BLOCK, n // PARTS)
    block = max(BLOCK, min(piece, m))
    if n + m <= 3 * BLOCK:
        piece, block = m, n
    blocks = [(a, t) for a in range(0, m, piece or 1) for t in range(0, n, block or 1)]
    reach = REACH
    for done, (a, t) in enumerate(blocks, 1):
        own = slice(a, a + piece)
        while (lengths[own] < most[own]).any():
            ours = slice(a, a + piece + reach)
            theirs = slice(t, t + block + reach)
            known = np.minimum(lengths[ours], reach - 1)  # of runs cut short nothing is known
            found, where = _compared(table[sample[ours]], table[text[theirs]], known)
            longest = found[:piece].max()
            if longest < reach or (ours.stop >= m and theirs.stop >= n):
                better = found > lengths[ours]
                lengths[ours][better], places[ours][better] = found[better], where[better] + t
                reach = reach if longest >= reach // 8 else max(reach // 8, REACH)
                break
            reach *= 8
        if progress is not None:
            progress(done / len(blocks))
    return lengths, places


def _most(sample: Array, text: Array) -> Array:
    """Return how long a run from each position of `sample` can be: up to what `text` lacks."""
    present = np.zeros(max(int(symbols.max(initial=0)) for symbols in (sample, text)) + 1, bool)
    for start in range(0, len(text), BLOCK):
        present[text[start : start + BLOCK]] = True
    at = np.arange(len(sample))
    ends = np.append(np.flatnonzero(~present[sample]), len(sample))
    most: Array = ends[np.searchsorted(ends, at)] - at
    return most


def _table(sample: Array, text: Array) -> Array:
    """Return the codes of all symbols: those of the sample from `_FIRST` up, in their order."""
    highest = max(int(symbols.max(initial=0)) for symbols in (sample, text))
    seen = np.zeros(highest + 1, bool)
    seen[sample] = True
    count = int(seen.sum())
    table = np.full(len(seen), _OTHER, np.min_scalar_type(count + _FIRST))
    table[seen] = np.arange(_FIRST, _FIRST + count)
    return table


def _compared(sample: Array, text: Array, known: Array) -> tuple[Array, Array]:
    """Return what `longest_runs` does, of the codes of a sample and of a text.

    known: (m,) lengths that are already known; what is not longer may come out as 0.

    Both are sorted together by prefix doubling (Manber and Myers 1993), with the groups of Larsson
    and Sadakane (1999): after a round, positions in one group agree in their first `reach` symbols,
    and the next round sorts each group by the groups of what comes `reach` later. A group without a
    sample or without the text is finished: its members agree with everything on the other side in
    less than `reach` symbols, and all alike, so their order does not matter. A sample that finishes
    has its longest run in common with the nearest text above or below it.

    Nearly all of the time goes into the first round, an argsort of all positions by their first 8
    symbols or so; few go on to the next one, since the sample has few windows. A text that repeats
    the whole sample many times is the worst case: all positions go on.
    """
    n, m = len(text), len(sample)
    ends = np.array([_OTHER], text.dtype), np.array([_PAST], text.dtype)
    words, width = _words(np.concatenate([text, ends[0], sample, ends[1]]))
    levels, near = _sorted_together(words, width, n, known)
    ours = np.arange(n + 1, n + 1 + m)
    best, where = np.zeros(m, np.int64), np.full(m, -1, np.int64)
    for theirs in near:
        length = _in_common(levels, words, width, ours, theirs)
        better = length > best
        best[better], where[better] = length[better], theirs[better]
    return best, where


def _words(codes: Array) -> tuple[Array, int]:
    """Return the word that begins at each place, (N,) uint64, and how many codes a word has.

    The first code of a word has the highest bits, so that words are in the order of what they
    hold. `_PAST` fills those at the end.
    """
    highest, width = max(int(codes.max()), _FIRST), 2
    while highest < 1 << _WORD_BITS // (2 * width):
        width *= 2
    bits, held = _WORD_BITS // width, 1
    words = codes
    while held < width:
        wide = bits * held
        doubled = words.astype(f"u{max(wide // 4, 1)}")
        doubled <<= doubled.dtype.type(wide)
        doubled[:-held] |= words[held:]
        words, held = doubled, 2 * held
    return words, width


def _sorted_together(
    words: Array, width: int, n: int, known: Array
) -> tuple[list[tuple[int, Array]], Array]:
    """Sort until every sample has finished.

    Returns, for each round, how many symbols it told apart and the group of each position; and the
    nearest texts above and below each sample (2, m), −1 where there is none, or none that has more
    in common with it than is known.
    """
    size = len(words) - 1
    near = np.full((2, size - n - 1), -1, np.int64)
    group = np.zeros(size + 1, np.int32)  # of each position: the slot of its first member
    levels: list[tuple[int, Array]] = []
    reach = 0
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

        group = group.copy()
        group[order] = np.repeat(slots[starts], sizes)
        group[size] = -1
        reach = 2 * reach or width
        levels.append((reach, group))

        ends = ~shared[among] & (known[order[samples] - n - 1] < reach - 1)
        for side, beside in enumerate(_next_texts(samples)):
            # From another group, it has less in common than the one on the other side.
            ours, theirs = order[samples[ends]], order[np.clip(beside[ends], 0, len(order) - 1)]
            fits = theirs <= n  # past either end of the order there is none
            near[side, ours[fits] - n - 1] = theirs[fits]

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
