"""The parts of a text: files, compressed files, archives, and bytes in memory."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from char_rnn.data.builtin import BUILTIN
from char_rnn.data.decoding import CHUNK, HEAD
from char_rnn.data.packed import Packed
from char_rnn.errors import CharRNNError, DataError, TextNotFound
from char_rnn.storage.reading import shown


@dataclass(frozen=True)
class Small:
    """A small file as it was when the folder was opened, so that it is opened only once.

    fact: what changes when it does, of that moment.
    """

    path: Path
    data: bytes = field(repr=False)
    fact: bytes = field(repr=False)


Part = Path | bytes | Packed | Small
Where = str | tuple[str, ...]
"""Where a text came from: a path, a built-in name, "-"; of several texts a tuple."""


def where_shown(where: Where) -> str:
    """Return where a text came from, in a few words."""
    if isinstance(where, str):
        return where
    return ", ".join(where[:3]) + (f" and {len(where) - 3} more" if len(where) > 3 else "")


def files(part: Part) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the name and the bytes of each file of a part; there are several in an archive.

    Each is read before the next is taken. The name of bytes in memory is empty, and so is no piece.
    """
    if isinstance(part, bytes):
        yield "", _sliced(part)
    elif isinstance(part, Small):
        yield shown(part.path), _sliced(part.data)
    elif isinstance(part, Packed):
        try:
            yield from part.files()
        except OSError as error:
            raise _of_packed(part, error) from None
    else:
        yield shown(part), _of_file(part)


def head(path: Path) -> bytes:
    """Return the first 64 KiB of a file."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise trouble(path, error) from None


def begin_of(path: Path) -> tuple[bytes, Small | None]:
    """Return the first 64 KiB of a file; and the file, if that is all of it."""
    try:
        with path.open("rb", buffering=0) as file:
            begin = file.read(HEAD)
            whole = len(begin) < HEAD and not file.read(1)
            found = os.fstat(file.fileno())
    except OSError as error:
        raise trouble(path, error) from None
    return begin, Small(path, begin, _fact(path, found)) if whole else None


def _fact(path: Path, found: os.stat_result) -> bytes:
    times = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
    return b"file " + times.encode() + b" " + os.fsencode(path)


def fact(part: Part) -> bytes:
    """Return what changes when a part does."""
    if isinstance(part, bytes):
        return b"bytes %d " % len(part) + hashlib.sha256(part).digest()
    if isinstance(part, Small):
        return part.fact
    if isinstance(part, Packed):
        members = " ".join(f"{m.filename!r} {m.header_offset}" for m in part.members)
        return f"{part.kind} {members} ".encode("utf-8", "surrogatepass") + fact(part.file)
    try:
        return _fact(part, part.stat())
    except OSError as error:
        raise trouble(part, error) from None


def expected() -> str:
    """Say what the name of a text may be."""
    return f"give a file, a folder, - or a built-in text: {', '.join(BUILTIN)}"


def trouble(path: Path, error: OSError) -> CharRNNError:
    """Return the error for a file that the system refuses to read."""
    reason = (error.strerror or type(error).__name__).lower()
    if isinstance(error, FileNotFoundError):
        return TextNotFound(f"{shown(path)}: {reason}; {expected()}")
    return DataError(f"{shown(path)}: cannot be read: {reason}")


def _of_packed(part: Packed, error: OSError) -> CharRNNError:
    """Return the error for a packed file that cannot be opened."""
    return trouble(part.file, error) if isinstance(part.file, Path) else DataError(str(error))


def _sliced(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]


def _of_file(path: Path) -> Iterator[bytes]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise trouble(path, error) from None
    with file:
        while True:
            try:
                piece = file.read(CHUNK)
            except OSError as error:
                raise trouble(path, error) from None
            if not piece:
                return
            yield piece
