"""Open a text by its name: a file, a folder, standard input or a built-in text."""

import codecs
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from char_rnn.data import builtin
from char_rnn.errors import CharRNNError, DataError, NotText, TextNotFound, TextTooShort

CHUNK = 1 << 20
"""About how many bytes or characters a chunk has."""

_HEAD = 1 << 16
_OTHER_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@dataclass(frozen=True)
class Source:
    """A text that can be read as often as needed.

    `name` is short, for file names; `where` is the absolute path, the built-in name or "-";
    `notes` are lines for the user; `parts` are the files, or the bytes themselves, in order.
    """

    name: str
    where: str
    parts: tuple[Path | bytes, ...] = field(repr=False)
    notes: list[str] = field(default_factory=list)

    def chunks(self) -> Iterator[str]:
        """Yield the text, about a million characters at a time.

        It is decoded as UTF-8, without a byte order mark at a file's start and with the newlines
        as they are. Of several files, each but the last ends with a newline: one is added where
        it is missing.
        """
        held: list[str] = []
        size = 0
        last = "\n"  # of the whole text so far
        anything = False
        for part in self.parts:
            first = True
            for piece in _decoded(part, self._label(part)):
                joint = "\n" if first and last != "\n" else ""
                first, last, anything = False, piece[-1], True
                held.append(joint + piece)
                size += len(held[-1])
                if size >= CHUNK:
                    yield "".join(held)
                    held, size = [], 0
        if held:
            yield "".join(held)
        if not anything:
            raise _empty(self.where)

    def byte_chunks(self) -> Iterator[bytes]:
        """Yield the bytes of every part, exactly as they are, about a million at a time.

        Nothing is added between two files and nothing is dropped.
        """
        held: list[bytes] = []
        size = 0
        anything = False
        for part in self.parts:
            for piece in _raw(part):
                anything = True
                held.append(piece)
                size += len(piece)
                if size >= CHUNK:
                    yield b"".join(held)
                    held, size = [], 0
        if held:
            yield b"".join(held)
        if not anything:
            raise _empty(self.where)

    def key(self) -> str:
        """Return a hex digest that changes when the text does.

        It is cheap: files count by their paths, sizes and times, not by their contents.
        """
        digest = hashlib.sha256()
        for part in self.parts:
            if isinstance(part, bytes):
                fact = b"bytes %d " % len(part) + hashlib.sha256(part).digest()
            else:
                try:
                    found = part.stat()
                except OSError as error:
                    raise _trouble(part, error) from None
                times = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
                fact = b"file " + times.encode() + b" " + os.fsencode(part)
            digest.update(b"%d:" % len(fact) + fact)
        return digest.hexdigest()

    def _label(self, part: Path | bytes) -> str:
        """Return what an error calls a part."""
        if isinstance(part, bytes):
            return "standard input" if self.where == "-" else self.where
        return _shown(part)


def open_source(text: str | os.PathLike[str], *, as_bytes: bool = False) -> Source:
    """Open a text: a file, a folder, "-" for standard input, or the name of a built-in text.

    A folder stands for every text file in it and in its folders, sorted by relative path; hidden
    ones and symbolic links to folders are left out, and so is what is not text unless `as_bytes`.
    Missing, empty and unreadable texts are errors here; bytes that are not UTF-8 are errors of
    `Source.chunks`.
    """
    given = os.fspath(text)
    if given == "-":
        return _standard_input()
    if not given:
        raise TextNotFound(f"the name of the text is empty; {_expected()}")
    path = Path(given)
    notes = []
    if given in builtin.BUILTIN:
        if not os.path.lexists(given):
            return _built_in(given)
        notes.append(
            f"{given} is read from the current folder, where something has that name; "
            "the built-in text of that name is not used"
        )
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise TextNotFound(f"{_shown(path)}: no such file or folder; {_expected()}") from None
    except OSError as error:
        raise _trouble(path, error) from None
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps the ".."
    if stat.S_ISDIR(mode):
        return _folder(whole, notes, as_bytes)
    if not stat.S_ISREG(mode):
        raise DataError(
            f"{_shown(path)}: not a regular file; pipe it into standard input and name it -"
        )
    head = _head(whole)
    if not head or (head == codecs.BOM_UTF8 and not as_bytes):
        raise _empty(_shown(whole))
    return Source(whole.stem, str(whole), (whole,), notes)


def _built_in(name: str) -> Source:
    """Open a built-in text."""
    if name == "python-docs":
        return Source(name, name, (builtin.python_docs().encode("utf-8"),))
    if name == "python-code":
        return Source(name, name, tuple(builtin.python_code()))
    return Source(name, name, (builtin.shakespeare_file(),))


def _standard_input() -> Source:
    """Read standard input to its end."""
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:
        raise DataError("standard input: there is none to read from; name a file instead of -")
    try:
        data = buffer.read()
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise DataError(f"standard input: cannot be read ({error})") from None
    if not data or data == codecs.BOM_UTF8:
        raise _empty("standard input")
    return Source("stdin", "-", (data,))


def _folder(root: Path, notes: list[str], as_bytes: bool) -> Source:
    """Open a folder."""

    def refuse(error: OSError) -> None:
        raise _trouble(Path(error.filename or root), error) from None

    found = []
    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(folder, name) for name in files if not name.startswith(".")]
    found.sort(key=lambda path: path.relative_to(root).as_posix())
    parts = []
    skipped = 0
    empty = True
    for path in found:
        if not path.is_file():  # a socket, a pipe, a link to nothing
            skipped += 1
            continue
        head = _head(path)
        if as_bytes or _looks_like_text(head):
            parts.append(path)
            empty = empty and (not head or (head == codecs.BOM_UTF8 and not as_bytes))
        else:
            skipped += 1
    kind = "regular" if as_bytes else "text"
    if skipped:
        files_are = "file that is" if skipped == 1 else "files that are"
        what = "not regular" if as_bytes else "not UTF-8 text"
        notes.append(f"skipped {skipped} {files_are} {what} in {_shown(root)}")
    if not parts:
        others = f" ({skipped} skipped)" if skipped else ""
        raise TextNotFound(f"{_shown(root)}: no {kind} files in this folder{others}; {_expected()}")
    if empty:
        raise _empty(_shown(root))
    return Source(root.name or "folder", str(root), tuple(parts), notes)


def _looks_like_text(head: bytes) -> bool:
    """Tell whether the first 64 KiB of a file are UTF-8 without a NUL byte."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _HEAD)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _head(path: Path) -> bytes:
    """Return the first 64 KiB of a file."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise _trouble(path, error) from None


def _raw(part: Path | bytes) -> Iterator[bytes]:
    """Yield the bytes of a part; none of the pieces is empty."""
    if isinstance(part, bytes):
        for start in range(0, len(part), CHUNK):
            yield part[start : start + CHUNK]
        return
    try:
        file = part.open("rb")
    except OSError as error:
        raise _trouble(part, error) from None
    with file:
        while True:
            try:
                piece = file.read(CHUNK)
            except OSError as error:
                raise _trouble(part, error) from None
            if not piece:
                return
            yield piece


def _decoded(part: Path | bytes, label: str) -> Iterator[str]:
    """Yield the text of a part; none of the pieces is empty."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0  # of the first byte that the decoder has not turned into text
    for raw in _raw(part):
        piece = raw
        if offset == 0 and not decoder.getstate()[0]:
            for mark, encoding in _OTHER_BOMS:
                if piece.startswith(mark):
                    raise NotText(
                        f"{label}: text in {encoding} (by its byte order mark), not UTF-8; "
                        "convert it to UTF-8, or read its bytes with --bytes"
                    )
            if piece.startswith(codecs.BOM_UTF8):
                piece = piece[len(codecs.BOM_UTF8) :]
                offset = len(codecs.BOM_UTF8)
        held = len(decoder.getstate()[0])
        nul = piece.find(b"\0")
        if nul >= 0:
            raise NotText(
                f"{label}: a NUL byte at byte offset {offset + held + nul}, so it looks binary; "
                "read its bytes with --bytes"
            )
        text = _decode(decoder, piece, offset, label)
        offset += held + len(piece) - len(decoder.getstate()[0])
        if text:
            yield text
    _decode(decoder, b"", offset, label, final=True)


def _decode(
    decoder: codecs.IncrementalDecoder, piece: bytes, offset: int, label: str, final: bool = False
) -> str:
    """Decode a piece; an error's offset counts from the file's first byte."""
    try:
        return decoder.decode(piece, final)
    except UnicodeDecodeError as error:
        raise NotText(
            f"{label}: not valid UTF-8 at byte offset {offset + error.start} ({error.reason}); "
            "convert it to UTF-8, or read its bytes with --bytes"
        ) from None


def _expected() -> str:
    """Say what the name of a text may be."""
    return f"give a file, a folder, - or a built-in text: {', '.join(builtin.BUILTIN)}"


def _empty(label: str) -> TextTooShort:
    """Return the error for a text without a character."""
    return TextTooShort(f"{label}: empty; a text to train on is needed")


def _trouble(path: Path, error: OSError) -> CharRNNError:
    """Return the error for a file that the system refuses to read."""
    reason = (error.strerror or type(error).__name__).lower()
    if isinstance(error, FileNotFoundError):
        return TextNotFound(f"{_shown(path)}: {reason}; {_expected()}")
    return DataError(f"{_shown(path)}: cannot be read: {reason}")


def _shown(path: Path) -> str:
    """Return a path in one line, whatever characters it holds."""
    text = str(path)
    return text if text.isprintable() else repr(text)
