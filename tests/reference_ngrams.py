"""The slow, obvious truth of n-grams: every position has a number for each of its n-grams."""

import numpy as np


def ngram_nats(train, test, V, order):
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
    found = {}
    for n in range(1, order + 1):
        found[n] = -np.log(interpolate(grams, n, True, N, at, p))
        before = np.concatenate([[0], grams[n][:-1]])
        grams.append(np.unique(before * (V + 1) + ids, return_inverse=True)[1].astype(np.int64))
        p = interpolate(grams, n, False, N, at, p)
    return found


def interpolate(grams, m, top, N, at, below):
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
    taken = discounts(counts)
    held = np.zeros(size)  # what discounting sets aside in each context
    for k in (1, 2, 3):
        those = counts == k if k < 3 else counts >= 3
        held += taken[k] * np.bincount(context[those], minlength=size)
    c = grams[m - 1][at - 1] if m > 1 else np.zeros(len(at), np.int64)
    n = number[grams[m][at]]
    known = total[c] > 0
    of = np.where(known, total[c], 1)
    kept = np.maximum(n - taken[np.minimum(n, 3).astype(int)], 0) / of
    return np.where(known, kept + held[c] / of * below, below)


def discounts(counts):
    """Return what is taken off a count of 0, 1, 2 and 3 or more (Chen & Goodman 1999, eq. 26)."""
    n1, n2, n3, n4 = (int((counts == k).sum()) for k in (1, 2, 3, 4))
    if not (n1 and n2):
        return np.array([0, 0.5, 0.5, 0.5])
    y = n1 / (n1 + 2 * n2)
    found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3 if n3 else 0.5]
    # Within the range in which every probability stays positive.
    return np.array([0] + [min(max(d, 0.05), k - 0.05) for k, d in enumerate(found, 1)])
