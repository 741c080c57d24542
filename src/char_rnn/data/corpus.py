"""A text as ids: in memory while it is small, in a memory-mapped file when it is not."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from char_rnn.data.cache import cache_folder
from char_rnn.data.vocabulary import (
    AnyVocabulary,
    ByteVocabulary,
    Vocabulary,
    code_points,
    from_code_points,
)
from char_rnn.errors import DataError, TextTooShort

Array = np.ndarray

MEMORY_LIMIT = 32 * 2**20
PAGES_LIMIT = 64 * 2**20
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

    def chunks(self) -> Iterator[str]:
        """Yield the text in pieces."""

    def byte_chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces."""

    def key(self) -> str:
        """Return what changes when the text changes."""


class Corpus:
    """A text as ids, with its vocabulary.

    vocabulary; length: characters (or bytes); sha256: of the ids and the vocabulary;
    name, where: what the text is called and where it came from; notes: sentences for the user.
    """

    def __init__(
        self, ids: "Array | IdFile", vocabulary: AnyVocabulary, sha256: str, name: str = "text",
        where: str = "", notes: list[str] | None = None,
    ) -> None:  # fmt: skip
        self._ids = ids
        self.vocabulary = vocabulary
        self.length = len(ids)
        self.sha256 = sha256
        self.name, self.where = name, where
        self.notes = list(notes or [])
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
        ids = vocabulary.encode(text)  # type: ignore[arg-type]
        return cls(ids, vocabulary, _digest(vocabulary, [ids]))

    @classmethod
    def from_source(
        cls, source: Text, *, as_bytes: bool = False, memory_limit: int = MEMORY_LIMIT,
        vocabulary: AnyVocabulary | None = None,
    ) -> "Corpus":  # fmt: skip
        """Read `source` in chunks: once for its characters, once to encode it.

        More than `memory_limit` bytes of ids go to a file in the cache folder, which is found
        again the next time unless the text has changed.
        """
        if vocabulary is None and as_bytes:
            vocabulary = ByteVocabulary()
        if isinstance(vocabulary, ByteVocabulary):
            as_bytes = True
        kind = json.dumps(vocabulary.to_dict() if vocabulary else "characters")
        key = hashlib.sha256(f"{source.key()} {kind}".encode()).hexdigest()[:32]
        cached = IdFile.find(key)
        if cached is not None:
            ids, vocabulary, digest = cached
            return cls(ids, vocabulary, digest, source.name, source.where, source.notes)

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
            return cls(
                data, vocabulary, _digest(vocabulary, [data]), source.name, source.where,
                source.notes,
            )  # fmt: skip
        ids, digest = IdFile.write(key, _checked(pieces, source, length), vocabulary)
        return cls(ids, vocabulary, digest, source.name, source.where, source.notes)

    def __len__(self) -> int:
        return self.length

    def read(self, start: int, stop: int) -> Array:
        """Return the ids of [start, stop) as a new array."""
        return self._ids[start:stop].copy()

    def read_rows(self, starts: Array, length: int) -> Array:
        """Return the ids (len(starts), length) that begin at `starts`."""
        return np.stack([self._ids[int(s) : int(s) + length] for s in starts])

    def preview(self, n: int) -> str:
        """Return the first `n` characters."""
        return self.vocabulary.decode(self.read(0, min(n, self.length)))


class IdFile:
    """Ids in a file, read through a memory map that is closed and opened again now and then.

    Pages that a map has touched count as the process's memory; opening it anew lets them go, so
    that a file of any size trains in little memory.
    """

    def __init__(self, path: Path, dtype: "np.dtype[Any]", length: int) -> None:
        self._path, self._dtype, self._length = path, dtype, length
        self._open()

    def _open(self) -> None:
        self._map = np.memmap(self._path, self._dtype, "r", shape=(self._length,))
        self._touched = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, where: slice) -> Array:
        # A page is 4 KiB, and the system maps the sixteen around it at once.
        self._touched += (where.stop - where.start) * self._dtype.itemsize + 65536
        if self._touched > PAGES_LIMIT:
            self._open()
        return np.array(self._map[where])

    @classmethod
    def find(cls, key: str) -> "tuple[IdFile, AnyVocabulary, str] | None":
        """Return the ids that were cached under `key`, unless they are missing or incomplete."""
        from char_rnn.data.vocabulary import vocabulary_from_dict  # noqa: PLC0415

        path, header_path = _cache_files(key)
        try:
            header = json.loads(header_path.read_text("utf-8"))
            vocabulary = vocabulary_from_dict(header["vocabulary"])
            length = int(header["length"])
            if path.stat().st_size != length * vocabulary.dtype.itemsize:
                return None
            return cls(path, np.dtype(vocabulary.dtype), length), vocabulary, header["sha256"]
        except Exception:  # whatever is wrong with a cache, the text is still there
            return None

    @classmethod
    def write(
        cls, key: str, pieces: Iterator[Array], vocabulary: AnyVocabulary
    ) -> "tuple[IdFile, str]":
        """Write `pieces` to the cache, beside and then renamed; return the file and its digest."""
        path, header_path = _cache_files(key)
        beside = path.with_suffix(f".{os.getpid()}.tmp")
        digest = _Digest(vocabulary)
        length = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                for piece in pieces:
                    file.write(piece.tobytes())
                    digest.add(piece)
                    length += len(piece)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            header = {
                "length": length, "sha256": digest.hex(), "vocabulary": vocabulary.to_dict(),
            }  # fmt: skip
            beside.write_text(json.dumps(header), "utf-8")
            beside.replace(header_path)
        except OSError as error:
            raise DataError(
                f"cannot write the encoded text to {path}: {error.strerror}; "
                "make room, or set CHAR_RNN_CACHE to another folder"
            ) from error
        finally:
            beside.unlink(missing_ok=True)
        return cls(path, np.dtype(vocabulary.dtype), length), digest.hex()


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


def _cache_files(key: str) -> tuple[Path, Path]:
    folder = cache_folder()
    return folder / f"ids-{key}.bin", folder / f"ids-{key}.json"


def _pieces(source: Text, as_bytes: bool) -> Iterator[Array]:
    if as_bytes:
        for data in source.byte_chunks():
            yield np.frombuffer(data, np.uint8)
    else:
        for text in source.chunks():
            yield code_points(text)


class _Digest:
    def __init__(self, vocabulary: AnyVocabulary) -> None:
        self._sha = hashlib.sha256(json.dumps(vocabulary.to_dict()).encode())

    def add(self, ids: Array) -> None:
        self._sha.update(ids.tobytes())

    def hex(self) -> str:
        return self._sha.hexdigest()


def _digest(vocabulary: AnyVocabulary, pieces: list[Array]) -> str:
    digest = _Digest(vocabulary)
    for piece in pieces:
        digest.add(piece)
    return digest.hex()
