"""Where a text comes from: a file, a folder, standard input or a built-in name.

A source is read in pieces, as often as need be, so that a text need not fit into memory.
"""

import codecs
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from char_rnn.data.builtin import BUILTIN, python_code, python_docs, shakespeare_file
from char_rnn.errors import DataError, NotText, TextNotFound, TextTooShort

PIECE = 2**20
LOOK = 2**16
OTHER_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip


@dataclass
class Source:
    """A text that can be read in pieces.

    name: short, for folder names. where: what finds it again. notes: sentences for the user.
    """

    name: str
    where: str
    _files: list[Path] = field(default_factory=list)
    _data: bytes | None = None
    _separate: bool = False
    notes: list[str] = field(default_factory=list)

    def byte_chunks(self) -> Iterator[bytes]:
        """Yield the text's bytes, about a megabyte at a time."""
        if self._data is not None:
            for start in range(0, len(self._data), PIECE):
                yield self._data[start : start + PIECE]
        for path in self._files:
            last = b"\n"
            for data in _read(path):
                yield data
                last = data[-1:]
            if self._separate and last != b"\n":
                yield b"\n"

    def chunks(self) -> Iterator[str]:
        """Yield the text, decoded; raises NotText with the offset of the first wrong byte."""
        if self._data is not None:
            yield from _decode(iter([self._data]), self.where)
        for path in self._files:
            last = "\n"
            for text in _decode(_read(path), str(path)):
                yield text
                last = text[-1:]
            if self._separate and last != "\n":
                yield "\n"

    def key(self) -> str:
        """Return a digest that changes when the text changes."""
        digest = hashlib.sha256(self._data or b"")
        for path in self._files:
            facts = path.stat()
            digest.update(
                f"{path} {facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}\n".encode(
                    "utf-8", "surrogateescape"
                )
            )
        return digest.hexdigest()


def open_source(text: "str | os.PathLike[str]", *, as_bytes: bool = False) -> Source:
    """Return the source that `text` names; a path wins over a built-in name.

    as_bytes: whether it will be read as bytes, so that a folder's binary files belong to it.
    Raises TextNotFound, TextTooShort for an empty file, NotText or DataError.
    """
    if text == "-":
        return Source("stdin", "-", _data=_standard_input())
    path = Path(text)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if str(text) in BUILTIN:
            return _builtin(str(text))
        raise TextNotFound(
            f"there is no file or folder {str(text)!r}; built-in texts are {', '.join(BUILTIN)}"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {str(text)!r}: {error}") from error
    where = str(path.resolve())
    if stat.S_ISDIR(mode):
        source = _folder(path, where, as_bytes)
    elif stat.S_ISREG(mode):
        if path.stat().st_size == 0:
            raise TextTooShort(f"{path} is empty; there is nothing to train on")
        next(_read(path))  # a file that may not be read is told of here
        source = Source(path.stem or path.name, where, [path.resolve()])
    else:
        raise DataError(f"{path} is neither a file nor a folder; use - to read from a pipe")
    if str(text) in BUILTIN:
        source.notes.append(f"{text} is a path here, which goes before the built-in text")
    return source


def _builtin(name: str) -> Source:
    if name == "python-docs":
        return Source(name, name, _data=python_docs().encode("utf-8"))
    if name == "python-code":
        files = [path for path in python_code() if _is_text(path)]
        return Source(name, name, files, _separate=True)
    return Source(name, name, [shakespeare_file()])


def _standard_input() -> bytes:
    data = sys.stdin.buffer.read()
    if not data:
        raise TextTooShort("standard input is empty; there is nothing to train on")
    return data


def _folder(folder: Path, where: str, as_bytes: bool) -> Source:
    files: list[Path] = []
    for parent, folders, names in os.walk(folder.resolve()):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(parent) / name for name in names if not name.startswith(".")]
    files = [path for path in files if path.is_file() and path.stat().st_size > 0]
    files.sort(key=lambda path: path.relative_to(folder.resolve()).as_posix())
    wanted: Callable[[Path], bool] = (lambda _: True) if as_bytes else _is_text
    chosen = [path for path in files if wanted(path)]
    if not chosen:
        raise TextNotFound(f"the folder {folder} holds no text file; name a file or another folder")
    source = Source(folder.resolve().name or "folder", where, chosen, _separate=not as_bytes)
    if len(chosen) < len(files):
        source.notes.append(f"{len(files) - len(chosen)} files of {folder} are not text: left out")
    return source


def _is_text(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(LOOK)
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except (OSError, UnicodeDecodeError):
        return False
    return b"\0" not in head


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while data := file.read(PIECE):
                yield data
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _decode(pieces: Iterator[bytes], where: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0  # of the first byte that the decoder has not turned into text
    for data in pieces:
        if offset == 0:
            for bom, encoding in OTHER_BOMS.items():
                if data.startswith(bom):
                    raise NotText(f"{where} is {encoding}, not UTF-8; convert it, or use --bytes")
        at = data.find(b"\0")
        if at >= 0:
            held = len(decoder.getstate()[0])
            raise NotText(
                f"{where} looks binary: byte {offset + held + at:,} is zero; "
                "use --bytes to model its bytes"
            )
        begins = offset == 0
        text = _feed(decoder, data, offset, where)
        offset += len(text.encode("utf-8"))
        yield text.removeprefix("\ufeff") if begins else text
    _feed(decoder, b"", offset, where, final=True)


def _feed(
    decoder: codecs.IncrementalDecoder, data: bytes, offset: int, where: str, final: bool = False
) -> str:
    try:
        return decoder.decode(data, final)
    except UnicodeDecodeError as error:
        raise NotText(
            f"{where} is not valid UTF-8: byte {offset + error.start:,} is "
            f"0x{error.object[error.start]:02x}; convert it, or use --bytes to model its bytes"
        ) from error
