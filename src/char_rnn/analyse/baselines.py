"""What a loss means: the same text under models that everybody knows, in nats a character.

uniform    every symbol alike: log V
1-gram     how often each symbol stands in the training text
n-gram     interpolated modified Kneser-Ney (Chen & Goodman 1999) on the training text
zlib, bz2, lzma   how much longer the compressed file gets when the text follows the training text
"""

import bz2
import lzma
import math
import zlib
from collections.abc import Callable

import numpy as np

from char_rnn.data.corpus import Corpus

Array = np.ndarray


def uniform(V: int) -> float:
    """Return the loss of guessing among V symbols."""
    return math.log(V)


def unigram_entropy(ids: Corpus, length: int) -> float:
    """Return the entropy of single characters in the first million of `length`, in nats."""
    counts = np.bincount(ids.read(0, min(length, 1_000_000)))
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())


def ngram_nats(train: Array, test: Array, V: int, order: int) -> dict[int, Array]:
    """Return −log p of each id of `test` (M,) under n-grams of `train` (N,), by n up to `order`.

    A character is predicted from up to n − 1 characters before it; `test` follows `train`
    directly. Unseen contexts leave the word to shorter ones, and the last of them to 1/V.
    """
    ids = np.concatenate([train, test]).astype(np.int64)
    N, at = len(train), np.arange(len(train), len(ids))
    p = np.full(len(test), 1 / V)
    if N < 2:
        return {n: -np.log(p) for n in range(1, order + 1)}
    grams = [np.zeros(len(ids), np.int64), np.unique(ids, return_inverse=True)[1].astype(np.int64)]
    found: dict[int, Array] = {}
    for n in range(1, order + 1):
        found[n] = -np.log(_interpolate(grams, n, True, N, at, p))
        before = np.concatenate([[0], grams[n][:-1]])
        grams.append(np.unique(before * (V + 1) + ids, return_inverse=True)[1].astype(np.int64))
        p = _interpolate(grams, n, False, N, at, p)
    return found


def _interpolate(grams: list[Array], m: int, top: bool, N: int, at: Array, below: Array) -> Array:
    """Return p of the characters `at`, from m-grams and from p `below`, of (m − 1)-grams.

    grams[m][i] numbers the m-gram that ends at i. The counts of the longest n-grams are those of
    the text; those of the others are the number of characters that stand before them.
    """
    seen = grams[m][m - 1 : N]
    types, first, counts = np.unique(seen, return_index=True, return_counts=True)
    first = first + m - 1  # where each type stands for the first time
    if not top:
        longer = np.unique(grams[m + 1][m:N], return_index=True)[1] + m
        counts = np.bincount(grams[m][longer], minlength=int(grams[m].max()) + 1)[types]
    number = np.zeros(int(grams[m].max()) + 1)
    number[types] = counts
    context = grams[m - 1][first - 1] if m > 1 else np.zeros(len(types), np.int64)
    size = int(grams[m - 1].max()) + 1 if m > 1 else 1
    total = np.bincount(context, counts, size)
    discounts = _discounts(counts)
    held = np.zeros(size)  # what discounting sets aside in each context
    for k in (1, 2, 3):
        those = counts == k if k < 3 else counts >= 3
        held += discounts[k] * np.bincount(context[those], minlength=size)
    c = grams[m - 1][at - 1] if m > 1 else np.zeros(len(at), np.int64)
    n = number[grams[m][at]]
    known = total[c] > 0
    of = np.where(known, total[c], 1)
    kept = np.maximum(n - discounts[np.minimum(n, 3).astype(int)], 0) / of
    p: Array = np.where(known, kept + held[c] / of * below, below)
    return p


def _discounts(counts: Array) -> Array:
    """Return what is taken off a count of 0, 1, 2 and 3 or more (Chen & Goodman 1999, eq. 26)."""
    n1, n2, n3, n4 = (int((counts == k).sum()) for k in (1, 2, 3, 4))
    if not (n1 and n2):
        return np.array([0, 0.5, 0.5, 0.5])
    y = n1 / (n1 + 2 * n2)
    found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3 if n3 else 0.5]
    # Within the range in which every probability stays positive.
    return np.array([0] + [min(max(d, 0.05), k - 0.05) for k, d in enumerate(found, 1)])


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": lambda data: zlib.compress(data, 9),
    "bz2": lambda data: bz2.compress(data, 9),
    "lzma": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
}


def compressed(name: str, train: bytes, test: bytes, characters: int) -> float:
    """Return how much `test` adds to compressed `train`, in nats for each of its characters."""
    compress = COMPRESSORS[name]
    size = len(compress(train + test)) - (len(compress(train)) if train else 0)
    return 8 * size * math.log(2) / characters
