"""What a loss means: the same text under models that everybody knows, in nats a character.

uniform    every symbol alike: log V
1-gram     how often each symbol stands in the training text
n-gram     interpolated modified Kneser-Ney on the training text (ngrams.py)
zlib, bz2, lzma   how much longer the compressed file gets when the text follows the training text

On few characters only the first means anything: `losses` leaves the others out there.
"""

import bz2
import lzma
import math
import zlib
from collections.abc import Callable

import numpy as np

from char_rnn.analyse.ngrams import ngram_nats
from char_rnn.data.corpus import Corpus
from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary
from char_rnn.scoring import Tell

Array = np.ndarray

PIECE = 1 << 20
MOST_GRAMS = 6
MOST_TRAINING = 20_000_000
"""Characters before those that are scored that the baselines learn from, the last ones."""
GRAMS, FEWEST_FOR_GRAMS = "n-grams", 100
COMPRESSED, FEWEST_TO_COMPRESS = "zlib, bz2, lzma", 1_000


def losses(corpus: Corpus, start: int, progress: Tell) -> dict[str, float]:
    """Return the losses of those baselines that mean something on ids[start + 1 :] of `corpus`.

    They learn from what stands before, and n-grams need that.
    """
    V = corpus.vocabulary.size
    few = too_few(corpus, start)
    found = {"uniform": uniform(V)}
    test = corpus.read(start + 1, corpus.length)
    train = corpus.read(max(0, start + 1 - MOST_TRAINING), start + 1)
    if start and GRAMS not in few:
        for n, nats in ngram_nats(train, test, V, MOST_GRAMS):
            found["unigram" if n == 1 else f"{n}-gram"] = float(nats.mean())
    progress(0.5)
    if COMPRESSED not in few:
        before = encoded(corpus.vocabulary, train) if start else b""
        after = encoded(corpus.vocabulary, test)
        for name in COMPRESSORS:
            found[name] = compressed(name, before, after, len(test))
    return found


def too_few(corpus: Corpus, start: int) -> dict[str, str]:
    """Return why baselines mean nothing on ids[start + 1 :], by their name; of the others nothing.

    They are too few, or those before them are.
    """
    count = corpus.length - start - 1
    few = {}
    if start and min(start + 1, count) < FEWEST_FOR_GRAMS:
        few[GRAMS] = f"fewer than {FEWEST_FOR_GRAMS} characters, or before them, are chance"
    if count < FEWEST_TO_COMPRESS:
        few[COMPRESSED] = f"below {FEWEST_TO_COMPRESS:,} characters mostly headers"
    return few


def uniform(V: int) -> float:
    """Return the loss of guessing among V symbols."""
    return math.log(V)


def unigram_entropy(ids: Corpus, length: int) -> float:
    """Return the entropy of single characters in the first million of `length`, in nats."""
    counts = np.bincount(ids.read(0, min(length, 1_000_000)))
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": lambda data: zlib.compress(data, 9),
    "bz2": lambda data: bz2.compress(data, 9),
    "lzma": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
}


def encoded(vocabulary: AnyVocabulary, ids: Array) -> bytes:
    """Return the text of `ids` as a file has it, in UTF-8; bytes as they are."""
    if isinstance(vocabulary, ByteVocabulary):
        return vocabulary.decode_bytes(ids)
    # Piece by piece: as one text it would have four bytes a character, several times.
    pieces = (ids[start : start + PIECE] for start in range(0, len(ids), PIECE))
    return b"".join(vocabulary.decode(piece).encode("utf-8", "surrogatepass") for piece in pieces)


def compressed(name: str, train: bytes, test: bytes, characters: int) -> float:
    """Return how much `test` adds to compressed `train`, in nats for each of its characters.

    The longer file may come out a few bytes shorter; no text tells less than nothing, so it is 0.
    """
    compress = COMPRESSORS[name]
    size = max(0, len(compress(train + test)) - (len(compress(train)) if train else 0))
    return 8 * size * math.log(2) / characters
