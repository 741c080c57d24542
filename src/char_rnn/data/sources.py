"""Open a text by its name: a file, a folder, standard input or a built-in text."""

import codecs
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, AnyStr

from char_rnn.data import builtin
from char_rnn.data.decoding import (
    CHUNK,
    Part,
    decoded,
    empty,
    expected,
    head,
    is_empty,
    raw,
    shown,
    trouble,
)
from char_rnn.data.folder import SEPARATOR, files_of
from char_rnn.errors import DataError, TextNotFound, UsageError, did_you_mean
from char_rnn.storage.reading import beside
from char_rnn.text_config import USUAL, TextConfig


@dataclass(frozen=True)
class Source:
    """A text that can be read as often as needed.

    `name` is short, for file names; `where` is the absolute path, the built-in name or "-";
    `notes` are lines for the user; `parts` are the files, or the bytes themselves, in order;
    `separator` stands between two parts that hold anything, on a line of its own; `config` says
    how it is read.
    """

    name: str
    where: str
    parts: tuple[Part, ...] = field(repr=False)
    notes: list[str] = field(default_factory=list)
    separator: str = ""
    config: TextConfig = USUAL

    def chunks(self) -> Iterator[str]:
        """Yield the text, about a million characters at a time.

        It is decoded as UTF-8, without a byte order mark at a file's start and with the newlines
        as they are. Of several files, each but the last ends with a newline: one is added where
        it is missing. The separator, if there is one, follows it.
        """
        texts = (decoded(part, self._label(part)) for part in self.parts)
        return self._gathered(_joined(texts, "\n", self.separator))

    def byte_chunks(self) -> Iterator[bytes]:
        """Yield the bytes of every part, exactly as they are, about a million at a time.

        Nothing is dropped, and nothing is added between two files but the separator, if there is
        one, on a line of its own.
        """
        parts = (raw(part) for part in self.parts)
        newline = b"\n" if self.separator else b""
        return self._gathered(_joined(parts, newline, self.separator.encode()))

    def units(self, as_bytes: bool) -> Iterator[Iterator[Any]]:
        """Yield the pieces of each file."""
        for part in self.parts:
            yield raw(part) if as_bytes else decoded(part, self._label(part))

    def _gathered(self, pieces: Iterator[AnyStr]) -> Iterator[AnyStr]:
        """Yield `pieces` put together to chunks; raise if there are none."""
        held: list[AnyStr] = []
        size = 0
        anything = False
        for piece in pieces:
            anything = True
            held.append(piece)
            size += len(piece)
            if size >= CHUNK:
                yield piece[:0].join(held)
                held, size = [], 0
        if held:
            yield held[0][:0].join(held)
        if not anything:
            raise empty(self.where)

    def key(self) -> str:
        """Return a hex digest that changes when the text does.

        It is cheap: files count by their paths, sizes and times, not by their contents.
        """
        digest = hashlib.sha256()
        facts = [b"separator " + self.separator.encode()] if self.separator else []
        facts += [_fact(part) for part in self.parts]
        for fact in facts:
            digest.update(b"%d:" % len(fact) + fact)
        return digest.hexdigest()

    def _label(self, part: Part) -> str:
        """Return what an error calls a part."""
        if isinstance(part, bytes):
            return "standard input" if self.where == "-" else self.where
        return shown(part)


def open_source(text: str | os.PathLike[str], config: TextConfig = USUAL) -> Source:
    """Open a text: a file, a folder, "-" for standard input, or the name of a built-in text.

    A folder stands for every text file in it and in its folders, sorted by relative path; hidden
    ones and symbolic links to folders are left out, and so is what is not text unless it is read
    as bytes.
    config: how it is read. With a pattern only the folder's files count that match one of them
        (`folder.matches`), with a separator between two files, as the built-in python-code has.
    Missing, empty and unreadable texts are errors here; bytes that are not UTF-8 are errors of
    `Source.chunks`.
    """
    given = os.fspath(text)
    path = Path(given)
    built_in = given in builtin.BUILTIN and not os.path.lexists(given)
    if config.pattern and (built_in or given == "-" or path.is_file()):
        raise UsageError(
            f"the pattern {config.pattern[0]!r} chooses among the files of a folder, and {given!r} "
            "is none; leave it out (--pattern), or name a folder"
        )
    if given == "-":
        return _standard_input(config)
    if not given:
        raise TextNotFound(f"the name of the text is empty; {expected()}")
    if built_in:
        return _built_in(given, config)
    notes = []
    if given in builtin.BUILTIN:
        notes.append(
            f"{given} is read from the current folder, where something has that name; "
            "the built-in text of that name is not used"
        )
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        alike = did_you_mean(path, [*builtin.BUILTIN, *beside(path)])
        raise TextNotFound(f"{shown(path)}: no such file or folder{alike}; {expected()}") from None
    except OSError as error:
        raise trouble(path, error) from None
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps the ".."
    if stat.S_ISDIR(mode):
        paths, more = files_of(whole, config)
        separator = SEPARATOR if config.pattern else ""
        name = whole.name or "folder"
        return Source(name, str(whole), tuple(paths), notes + more, separator, config)
    if not stat.S_ISREG(mode):
        raise DataError(
            f"{shown(path)}: not a regular file; pipe it into standard input and name it -"
        )
    if is_empty(head(whole), bool(config.bytes)):
        raise empty(shown(whole))
    return Source(whole.stem, str(whole), (whole,), notes, config=config)


def _built_in(name: str, config: TextConfig) -> Source:
    """Open a built-in text."""
    if name == "python-docs":
        return Source(name, name, (builtin.python_docs().encode("utf-8"),), config=config)
    if name == "python-code":
        paths = tuple(builtin.python_code())
        return Source(name, name, paths, separator=SEPARATOR, config=config)
    return Source(name, name, (builtin.shakespeare_file(),), config=config)


def _standard_input(config: TextConfig) -> Source:
    """Read standard input to its end."""
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:
        raise DataError("standard input: there is none to read from; name a file instead of -")
    try:
        data = buffer.read()
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise DataError(f"standard input: cannot be read ({error})") from None
    if not data or data == codecs.BOM_UTF8:
        raise empty("standard input")
    return Source("stdin", "-", (data,), config=config)


def _joined(
    parts: Iterator[Iterator[AnyStr]], newline: AnyStr, separator: AnyStr
) -> Iterator[AnyStr]:
    """Yield the pieces of all parts; between two, a `newline` where it is missing, and `separator`.

    A part without a piece, an empty file, does not count.
    """
    last: AnyStr | None = None  # piece of the text so far
    for pieces in parts:
        first = True
        for piece in pieces:
            if first and last is not None:
                missing = newline if not last.endswith(newline) else newline[:0]
                yield missing + separator + piece
            else:
                yield piece
            first, last = False, piece


def _fact(part: Part) -> bytes:
    """Return what changes when a part does."""
    if isinstance(part, bytes):
        return b"bytes %d " % len(part) + hashlib.sha256(part).digest()
    try:
        found = part.stat()
    except OSError as error:
        raise trouble(part, error) from None
    times = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
    return b"file " + times.encode() + b" " + os.fsencode(part)
