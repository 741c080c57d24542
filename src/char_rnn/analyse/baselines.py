"""What a loss means: the same text under models that everybody knows, in nats a character.

uniform    every symbol alike: log V
1-gram     how often each symbol stands in the training text
n-gram     interpolated modified Kneser-Ney on the training text (ngrams.py)
zlib, bz2, lzma   how much longer the compressed file gets when the text follows the training text
"""

import bz2
import lzma
import math
import zlib
from collections.abc import Callable

import numpy as np

from char_rnn.data.corpus import Corpus
from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary

Array = np.ndarray

PIECE = 1 << 20


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
