"""What a model can write: characters, each as one id or as one to four bytes."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from char_rnn.constrain.base import Characters
from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary, Vocabulary

Array = np.ndarray

MOST_CACHED = 20_000
"""Masks kept for when they are needed again; then all are dropped."""


class Letters(ABC):
    """The characters that a model can write, and how sets of them become masks over its ids.

    unit: what an id is called. longest: ids of the longest character.
    """

    unit: ClassVar[str]
    longest: ClassVar[int]

    def __init__(self, size: int) -> None:
        self._size = size
        self._masks: dict[tuple[Characters, bytes], Array] = {}
        self._both: dict[tuple[Characters, Characters], Characters] = {}

    @abstractmethod
    def ids(self, char: str) -> int:
        """Return how many ids `char` takes; 0 if the model cannot write it."""

    @abstractmethod
    def singles(self) -> list[str]:
        """Return the characters that take one id."""

    @abstractmethod
    def shortest_but(self, chars: frozenset[str]) -> int:
        """Return how many ids the shortest character takes that is not in `chars`; 0 for none."""

    @abstractmethod
    def read(self, begun: bytes, idx: int) -> tuple[str, bytes]:
        """Return the character that `idx` completes, or "", and what has now begun of one."""

    @abstractmethod
    def _mask(self, characters: Characters, begun: bytes) -> Array:
        """Compute what `mask` keeps, of the characters or bytes alone."""

    def cost(self, text: str) -> int:
        """Return how many ids `text` takes; 0 if the model cannot write it."""
        each = [self.ids(char) for char in text]
        return sum(each) if all(each) else 0

    def mask(self, characters: Characters, begun: bytes) -> Array:
        """Return which ids, (V,) bool, go on from `begun` with one of `characters`; not to change.

        Symbols that are no characters are never among them.
        begun: the first bytes of a character, for a model of bytes.
        """
        key = (characters, begun)
        found = self._masks.get(key)
        if found is None:
            if len(self._masks) >= MOST_CACHED:
                self._masks.clear()
            found = self._masks[key] = np.zeros(self._size, bool)
            of_characters = self._mask(characters, begun)
            found[: len(of_characters)] = of_characters
        return found

    def both(self, a: Characters, b: Characters) -> Characters:
        """Return what is in `a` and in `b`."""
        found = self._both.get((a, b))
        if found is None:
            if len(self._both) >= MOST_CACHED:
                self._both.clear()
            named = a.named | b.named
            chosen = {
                char
                for char in named
                if a.holds(char, self.ids(char)) and b.holds(char, self.ids(char))
            }
            found = Characters(frozenset(chosen), named, min(a.others, b.others))
            self._both[a, b] = found
        return found


class OneIdEach(Letters):
    """The characters of a vocabulary without those that are forbidden (V,)."""

    unit: ClassVar[str] = "characters"
    longest: ClassVar[int] = 1

    def __init__(self, vocabulary: Vocabulary, forbidden: Array) -> None:
        super().__init__(vocabulary.size)
        self._chars = vocabulary.chars
        self._known = {char for char, out in zip(self._chars, forbidden, strict=False) if not out}

    def ids(self, char: str) -> int:
        """Return 1, or 0 if the model cannot write `char`."""
        return int(char in self._known)

    def singles(self) -> list[str]:
        """Return all characters that the model can write."""
        return [char for char in self._chars if char in self._known]

    def shortest_but(self, chars: frozenset[str]) -> int:
        """Return 1, or 0 if `chars` are all that the model can write."""
        return int(not self._known <= chars)

    def read(self, begun: bytes, idx: int) -> tuple[str, bytes]:
        """Return the character of `idx`; nothing is ever begun."""
        return self._chars[idx], b""

    def _mask(self, characters: Characters, begun: bytes) -> Array:
        return np.array([characters.holds(char, self.ids(char)) for char in self._chars])


class Utf8(Letters):
    """All of Unicode as UTF-8, without the single bytes that are forbidden (V,)."""

    unit: ClassVar[str] = "bytes"
    longest: ClassVar[int] = 4

    def __init__(self, forbidden: Array) -> None:
        super().__init__(len(forbidden))
        self._forbidden = frozenset(chr(idx) for idx in np.flatnonzero(forbidden[:128]))

    def ids(self, char: str) -> int:
        """Return how many bytes `char` takes, 0 for a forbidden one and for half a surrogate."""
        if char in self._forbidden or "\ud800" <= char <= "\udfff":
            return 0
        return len(char.encode())

    def singles(self) -> list[str]:
        """Return ASCII without what is forbidden."""
        return [char for char in map(chr, range(128)) if char not in self._forbidden]

    def shortest_but(self, chars: frozenset[str]) -> int:
        """Return how many bytes the shortest character takes that is not in `chars`."""
        there = {1: 128 - len(self._forbidden), 2: 1920, 3: 61440, 4: 1048576}
        for char in chars:
            size = self.ids(char)
            if size:
                there[size] -= 1
        return min((size for size, count in there.items() if count), default=0)

    def read(self, begun: bytes, idx: int) -> tuple[str, bytes]:
        """Return the character that the byte `idx` completes, or "", and what has begun."""
        begun += bytes([idx])
        if len(begun) < _size(begun[0]):
            return "", begun
        return begun.decode("utf-8", "replace"), b""

    def _mask(self, characters: Characters, begun: bytes) -> Array:
        """Allow the bytes below which a character of the set stands in the tree of UTF-8."""
        counts = np.zeros(256, np.int64)
        for byte in _next_bytes(begun):
            if _size((begun or bytes([byte]))[0]) <= characters.others:
                counts[byte] = _beneath(begun + bytes([byte]))
        # Named ones are counted one by one; without them everything is among the others.
        counts -= self._count(characters.named | self._forbidden, begun, characters.others)
        counts += self._count(characters.chosen, begun, self.longest)
        return counts > 0

    def _count(self, chars: Iterable[str], begun: bytes, most: int) -> Array:
        """Count the characters of at most so many bytes that go on from `begun` with each byte."""
        counts = np.zeros(256, np.int64)
        at = len(begun)
        for char in chars:
            if "\ud800" <= char <= "\udfff":
                continue
            data = char.encode()
            if data.startswith(begun) and len(data) <= most:
                counts[data[at]] += 1
        return counts


def _size(first: int) -> int:
    """Return how many bytes a character has that begins with `first`."""
    return 1 + (first >= 0xC2) + (first >= 0xE0) + (first >= 0xF0)


def _next_bytes(begun: bytes) -> range | list[int]:
    """Return which bytes can go on from `begun` in UTF-8 (Unicode 15, table 3-7)."""
    if not begun:
        return [*range(0x80), *range(0xC2, 0xF5)]
    first = begun[0]
    if len(begun) == 1:
        low = {0xE0: 0xA0, 0xF0: 0x90}.get(first, 0x80)
        high = {0xED: 0x9F, 0xF4: 0x8F}.get(first, 0xBF)
        return range(low, high + 1)
    return range(0x80, 0xC0)


def _beneath(begun: bytes) -> int:
    """Return how many characters begin with the bytes `begun`."""
    missing = _size(begun[0]) - len(begun)
    if missing == 0:
        return 1
    return len(_next_bytes(begun)) << 6 * (missing - 1)


def letters_of(vocabulary: AnyVocabulary, forbidden: Array | None = None) -> Letters:
    """Return what a model with `vocabulary` can write, without `forbidden` ids (V,) bool."""
    if forbidden is None:
        forbidden = np.zeros(vocabulary.size, bool)
    if isinstance(vocabulary, ByteVocabulary):
        return Utf8(forbidden)
    return OneIdEach(vocabulary, forbidden)
