"""A text as ids: in memory while it is small, in a file when it is not."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from char_rnn.data.id_file import IdFile, digest_of, find, write
from char_rnn.data.vocabulary import (
    AnyVocabulary,
    ByteVocabulary,
    Vocabulary,
    code_points,
    from_code_points,
)
from char_rnn.errors import CorruptFile, DataError, TextTooShort, UsageError
from char_rnn.text_config import TextConfig

Array = np.ndarray

MEMORY_LIMIT = 32 * 2**20
UNICODE = 0x110000


class Text(Protocol):
    """What a corpus is made from: a Source, read twice in chunks."""

    @property
    def name(self) -> str:
        """What the text is called."""

    @property
    def where(self) -> str:
        """Where it came from."""

    @property
    def notes(self) -> list[str]:
        """What the user should know about it."""

    @property
    def config(self) -> TextConfig:
        """How it is read."""

    def chunks(self) -> Iterator[str]:
        """Yield the text in pieces."""

    def byte_chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces."""

    def key(self) -> str:
        """Return what changes when the text changes."""


class Corpus:
    """A text as ids, with its vocabulary.

    vocabulary; length: characters (or bytes); sha256: of the ids and the vocabulary;
    name, where: what the text is called and where it came from; notes: sentences for the user;
    config: how it was read.
    """

    def __init__(
        self,
        ids: Array | IdFile,
        vocabulary: AnyVocabulary,
        sha256: str,
        name: str = "text",
        where: str = "",
        notes: list[str] | None = None,
        config: TextConfig | None = None,
    ) -> None:
        self._ids = ids
        self.vocabulary = vocabulary
        self.length = len(ids)
        self.sha256 = sha256
        self.name, self.where = name, where
        self.notes = list(notes or [])
        # Of a text in memory not even line ends were changed.
        config = TextConfig(keep_line_ends=True) if config is None else config
        self.config = dataclasses.replace(config, bytes=vocabulary.kind == "bytes")
        if self.length == 0:
            raise TextTooShort(f"{name} is empty; there is nothing to train on")
        if vocabulary.kind == "characters" and vocabulary.size == 1:
            only = vocabulary.idx_to_char[0]
            self.notes.append(f"the text holds nothing but {only!r}: there is little to learn")

    @classmethod
    def from_text(cls, text: str | bytes, vocabulary: AnyVocabulary | None = None) -> "Corpus":
        """Return the corpus of a text in memory; bytes are modelled as bytes."""
        if vocabulary is None:
            vocabulary = ByteVocabulary() if isinstance(text, bytes) else Vocabulary(text)
        if not isinstance(vocabulary, AnyVocabulary):
            raise UsageError(f"vocabulary is {vocabulary!r}; it must be a Vocabulary, of its text")
        ids = vocabulary.encode(text)  # type: ignore[arg-type]
        return cls(ids, vocabulary, digest_of(vocabulary, [ids]))

    @classmethod
    def from_source(
        cls,
        source: Text,
        *,
        vocabulary: AnyVocabulary | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> "Corpus":
        """Read `source` in chunks, as its config says: once for its characters, once to encode it.

        More than `memory_limit` bytes of ids go to a file in the cache folder, which is found
        again the next time unless the text has changed, and is made anew if it is damaged.
        """
        if vocabulary is None and source.config.bytes:
            vocabulary = ByteVocabulary()
        as_bytes = isinstance(vocabulary, ByteVocabulary)
        kind = json.dumps(vocabulary.to_dict() if vocabulary else "characters")
        key = hashlib.sha256(f"{source.key()} {kind}".encode()).hexdigest()[:32]
        notes = list(source.notes)
        try:
            cached = find(key, vocabulary)
        except CorruptFile:
            cached = None
            notes.append("the encoded text in the cache is damaged; it is encoded again")
        if cached is not None:
            ids, vocabulary, digest = cached
            return cls(ids, vocabulary, digest, source.name, source.where, notes, source.config)

        length = 0
        seen = np.zeros(UNICODE, bool)
        for chunk in _pieces(source, as_bytes):
            length += len(chunk)
            if vocabulary is None:
                seen[chunk] = True
        if vocabulary is None:
            vocabulary = Vocabulary(from_code_points(np.flatnonzero(seen)))
        pieces = (
            chunk if as_bytes else vocabulary.encode_codes(chunk)  # type: ignore[union-attr]
            for chunk in _pieces(source, as_bytes)
        )
        if length * vocabulary.dtype.itemsize <= memory_limit:
            parts = list(pieces)
            data = np.concatenate(parts) if parts else np.zeros(0, vocabulary.dtype)
            _same_length(source, length, len(data))
            digest = digest_of(vocabulary, [data])
            return cls(data, vocabulary, digest, source.name, source.where, notes, source.config)
        ids, digest = write(key, _checked(pieces, source, length), vocabulary, notes)
        return cls(ids, vocabulary, digest, source.name, source.where, notes, source.config)

    def __len__(self) -> int:
        return self.length

    def __repr__(self) -> str:
        kind, V = self.vocabulary.kind, self.vocabulary.size
        return f"Corpus({self.name}, {self.length:_} {kind}, {V} distinct)"

    def to_bytes(self) -> bytes:
        """Return the whole text, in UTF-8 where it is one of characters."""
        ids = self.read(0, self.length)
        if isinstance(self.vocabulary, ByteVocabulary):
            return ids.astype(np.uint8).tobytes()
        return self.vocabulary.decode(ids).encode("utf-8", "surrogatepass")

    def read(self, start: int, stop: int) -> Array:
        """Return the ids of [start, stop) as a new array."""
        return self._ids[start:stop].copy()

    def read_rows(self, starts: Array, length: int) -> Array:
        """Return the ids (len(starts), length) that begin at `starts`."""
        return np.stack([self._ids[int(s) : int(s) + length] for s in starts])

    def preview(self, n: int) -> str:
        """Return the first `n` characters."""
        return self.vocabulary.decode(self.read(0, min(n, self.length)))


def _checked(pieces: Iterator[Array], source: Text, length: int) -> Iterator[Array]:
    """Pass `pieces` on, and raise before the last one is done if they are not `length` long."""
    total = 0
    for piece in pieces:
        total += len(piece)
        yield piece
    _same_length(source, length, total)


def _same_length(source: Text, first: int, second: int) -> None:
    if first != second:
        raise DataError(
            f"{source.name} changed while it was read ({first:,} characters, then {second:,}); "
            "try again when nothing writes to it"
        )


def _pieces(source: Text, as_bytes: bool) -> Iterator[Array]:
    if as_bytes:
        for data in source.byte_chunks():
            yield np.frombuffer(data, np.uint8)
    else:
        for text in source.chunks():
            yield code_points(text)
