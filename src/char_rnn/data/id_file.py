"""The ids of a large text in a file: kept in the cache, and checked before they are believed."""

import hashlib
import json
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from char_rnn.data.cache import cache_folder
from char_rnn.data.vocabulary import AnyVocabulary, vocabulary_from_dict
from char_rnn.errors import CorruptFile, DataError, FileError
from char_rnn.storage import read_json, remove_leftovers, replacing, write_json
from char_rnn.storage.reading import reason, shown

Array = np.ndarray

PIECE = 4 * 2**20  # ids that are checked at a time
MAX_HEADER_BYTES = 16 * 2**20  # every character there is, as JSON writes it


class IdFile:
    """Ids (N,) of `vocabulary` in an open file; a slice is a new array.

    They are read and not mapped: what is missing or out of range is an error here, and no ids
    count as memory of this process. A file that is replaced or deleted stays readable; DataError
    tells of one that was written into.
    """

    def __init__(self, file: BinaryIO, length: int, vocabulary: AnyVocabulary) -> None:
        self._file, self._length = file, length
        self._dtype, self._size = np.dtype(vocabulary.dtype), vocabulary.size
        self._state = self._state_now()
        weakref.finalize(self, file.close)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, where: slice) -> Array:
        wanted = range(self._length)[where]
        ids = np.empty(len(wanted), self._dtype)
        left = ids.view(np.uint8).data
        self._file.seek(wanted.start * self._dtype.itemsize)
        while left and (count := self._file.readinto(left)):  # type: ignore[attr-defined]
            left = left[count:]
        if left or self._state_now() != self._state or ids.max(initial=0) >= self._size:
            raise DataError(
                "the file of the encoded text was changed while it was in use; "
                "start again, and the text is encoded anew"
            )
        return ids

    def pieces(self) -> Iterator[Array]:
        """Yield all the ids, some millions at a time."""
        for start in range(0, self._length, PIECE):
            yield self[start : start + PIECE]

    def _state_now(self) -> tuple[int, int]:
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns


def digest_of(vocabulary: AnyVocabulary, pieces: Iterable[Array]) -> str:
    """Return the SHA-256 of a vocabulary and its ids, in hex."""
    sha = _begun(vocabulary)
    for ids in pieces:
        sha.update(np.ascontiguousarray(ids))
    return str(sha.hexdigest())


def find(
    key: str, expected: AnyVocabulary | None = None
) -> tuple[IdFile, AnyVocabulary, str] | None:
    """Return the ids cached under `key`, their vocabulary and digest, or None if there are none.

    All the bytes are read: ids that are not those that were written raise CorruptFile, and so
    does a vocabulary other than the `expected` one.
    """
    path, header_path = _cache_files(key)
    if not (os.path.exists(header_path) and os.path.exists(path)):  # noqa: PTH110 - never raises
        return None
    try:
        read = read_json(header_path, MAX_HEADER_BYTES)
        header: dict[str, Any] = read if isinstance(read, dict) else {}
        vocabulary = vocabulary_from_dict(header.get("vocabulary", {}))
        if expected is not None and vocabulary != expected:
            raise CorruptFile(f"{shown(header_path)}: the vocabulary is another one")
        if not path.is_file():  # a pipe would wait for ever
            raise CorruptFile(f"{shown(path)}: not a regular file")
        itemsize = vocabulary.dtype.itemsize
        ids = IdFile(_opened(path), path.stat().st_size // itemsize, vocabulary)
        if header.get("length") != len(ids) or path.stat().st_size % itemsize:
            raise CorruptFile(f"{shown(path)}: {len(ids):,} ids; {shown(header_path)} tells others")
        digest = digest_of(vocabulary, ids.pieces())
    except (FileError, DataError, OSError) as error:
        raise CorruptFile(f"{shown(path)}: cannot be used: {reason(error)}") from error
    if digest != header.get("sha256"):
        raise CorruptFile(f"{shown(path)}: damaged: its SHA-256 is not the one that was noted")
    return ids, vocabulary, digest


def write(
    key: str, pieces: Iterable[Array], vocabulary: AnyVocabulary, notes: list[str]
) -> tuple[IdFile, str]:
    """Write `pieces` to the cache under `key`; return the file and its digest.

    Where the cache cannot be written they go to a nameless file, and `notes` gets a sentence.
    Raises DataError if the disk is full, or if there is no place at all.
    """
    path, header_path = _cache_files(key)
    sha, length = _begun(vocabulary), 0
    place = path.parent
    try:
        with ExitStack() as stack:
            kept: BinaryIO | None = None
            try:
                _prepare(path, header_path)
                file = stack.enter_context(replacing(path))
            except (OSError, FileError) as error:
                place = Path(tempfile.gettempdir())
                file = kept = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
                notes.append(
                    f"the encoded text cannot be kept in {shown(path.parent)} ({reason(error)}) "
                    "and is encoded again each time; CHAR_RNN_CACHE names another folder"
                )
            for ids in pieces:
                file.write(np.ascontiguousarray(ids).data)
                sha.update(np.ascontiguousarray(ids))
                length += len(ids)
            file.flush()
        written = IdFile(kept or _opened(path), length, vocabulary)
    except (OSError, FileError) as error:
        raise DataError(
            f"the encoded text cannot be written to {shown(place)}: {reason(error)}; make room, "
            "or set CHAR_RNN_CACHE to another folder"
        ) from error
    if kept is None:
        facts = {"length": length, "sha256": sha.hexdigest(), "vocabulary": vocabulary.to_dict()}
        with suppress(FileError):  # without it the ids are not found again, and that is all
            write_json(header_path, facts)
    return written, sha.hexdigest()


def _prepare(*paths: Path) -> None:
    """Make the folder of `paths`, without what killed writers left, and links that lead out."""
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(paths[0].parent)
    for path in paths:
        if path.is_symlink():
            path.unlink()


def _cache_files(key: str) -> tuple[Path, Path]:
    folder = cache_folder()
    return folder / f"ids-{key}.bin", folder / f"ids-{key}.json"


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, path.open("rb", buffering=0))


def _begun(vocabulary: AnyVocabulary) -> Any:
    return hashlib.sha256(json.dumps(vocabulary.to_dict()).encode())
