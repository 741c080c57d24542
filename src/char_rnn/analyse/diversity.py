"""How much a text, or several samples, repeat themselves: n-grams, loops, and one another.

A model whose mode has collapsed writes the same few phrases: few distinct n-grams, loops, and
samples that are alike. Every figure falls or rises with the length and number of the samples, so
compare only samples as long and as many; a piece of the training text shows what is usual.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from char_rnn.analyse.loops import REPETITIONS, is_loop

Array = np.ndarray

ORDERS = (1, 2, 3, 4)
LONGEST_PERIOD = 400
SHARED = 10  # characters that two samples must have in common


class Diversity(NamedTuple):
    """How much samples repeat themselves.

    samples, characters, words: how many there are. A word is a run of letters and digits, in
        lower case.
    distinct_characters: for n = 1, 2, 3, 4 the distinct n-grams of characters, as a share of all
        n-grams; no n-gram reaches from one sample into the next. 0 where there is none.
    distinct_words: the same for words. Source: Li et al. 2016, who divide by the number of words.
    looped: share of the characters that stand in loops, as analyse/loops.py defines them, of up
        to `LONGEST_PERIOD` characters.
    overlap: see `overlap`; None for a single sample.
    """

    samples: int
    characters: int
    words: int
    distinct_characters: tuple[float, ...]
    distinct_words: tuple[float, ...]
    looped: float
    overlap: float | None


def diversity(samples: str | Sequence[str]) -> Diversity:
    """Return how much `samples`, one text or several, repeat themselves."""
    texts = [samples] if isinstance(samples, str) else list(samples)
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    characters = sum(map(len, texts))
    in_loops = sum(int(looped(text).sum()) for text in texts)
    return Diversity(
        samples=len(texts),
        characters=characters,
        words=sum(map(len, words)),
        distinct_characters=tuple(distinct(texts, n) for n in ORDERS),
        distinct_words=tuple(distinct(words, n) for n in ORDERS),
        looped=in_loops / characters if characters else 0.0,
        overlap=overlap(texts) if len(texts) > 1 else None,
    )


def distinct(samples: Sequence[Sequence[str]], n: int) -> float:
    """Return the distinct `n`-grams of `samples` as a share of all of them; 0 if there is none.

    samples: texts, for n-grams of characters, or lists of words.
    """
    grams = [gram for sample in samples for gram in _grams(sample, n)]
    return len(set(grams)) / len(grams) if grams else 0.0


def overlap(samples: Sequence[str], n: int = SHARED) -> float:
    """Return how much of a sample stands in another one too, as a mean over the samples.

    Of each sample that has one: the share of its passages of `n` characters, of which one begins at
    every character, that any other sample holds. 0 if they share nothing, 1 if they are all alike.
    """
    passages = [list(_grams(sample, n)) for sample in samples]
    holders: dict[Sequence[str], int] = {}  # how many samples hold a passage
    for own in passages:
        for passage in set(own):
            holders[passage] = holders.get(passage, 0) + 1
    shares = [sum(holders[p] > 1 for p in own) / len(own) for own in passages if own]
    return float(np.mean(shares)) if shares else 0.0


def looped(text: str) -> Array:
    """Return which characters of `text` stand in a loop, (N,) of booleans.

    Loops of up to `LONGEST_PERIOD` characters, anywhere in the text, from their first repetition
    to their last.
    """
    found = np.zeros(len(text), bool)
    codes = np.array([ord(char) for char in text], np.uint32)
    for period in range(1, min(LONGEST_PERIOD, len(text) // REPETITIONS) + 1):
        same = np.zeros(len(text) - period + 2, np.int8)  # with an end on both sides
        same[1:-1] = codes[period:] == codes[:-period]
        edges = np.flatnonzero(np.diff(same))
        for start, stop in zip(edges[::2], edges[1::2] + period, strict=True):
            if is_loop(text[start : start + period], period, int(stop - start)):
                found[start:stop] = True
    return found


def _grams(sample: Sequence[str], n: int) -> list[Sequence[str]]:
    sample = sample if isinstance(sample, str) else tuple(sample)
    return [sample[at : at + n] for at in range(len(sample) - n + 1)]
