"""Compressed files, .gz, .bz2 and .xz, and the members of .zip archives, read as they stream.

What a file is, its first bytes tell, never its name alone. Nothing is written anywhere, and a name
in an archive is only shown. A file that unpacks to very much more than it is, a bomb, is given up:
at more than `RATIO` times its size beyond `FREE` bytes, or at more than `MOST` bytes.
"""

import bz2
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from char_rnn.data.decoding import CHUNK, HEAD
from char_rnn.errors import DataError
from char_rnn.storage.reading import reason, shown

FREE, RATIO, MOST = 16 * 2**20, 1000, 64 * 2**30
MOST_MEMBERS = 1_000_000
_XZ_MEMORY = 512 * 2**20  # of its dictionary: a header may claim 4 GiB
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_ENCRYPTED = 0x1
_FAULTS = (
    *(OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, ValueError),
    *(NotImplementedError, RuntimeError, MemoryError),
)
# Word processors, books and programs come as archives, too; their members are no texts.
_DOCUMENTS = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF")


def kind_of(begin: bytes) -> str:
    """Return how a file that begins so is packed: gzip, bzip2, xz or zip; "" if it is not."""
    if begin.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if begin.startswith(b"BZh") and begin[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bzip2"
    if begin.startswith(b"\xfd7zXZ\0"):
        return "xz"
    return "zip" if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")) else ""


@dataclass(frozen=True)
class Packed:
    """A compressed file, or those members of an archive that are read, in their order."""

    file: Path | bytes = field(repr=False)
    kind: str
    members: tuple[zipfile.ZipInfo, ...] = field(default=(), repr=False)

    @property
    def label(self) -> str:
        """What an error calls it."""
        return "standard input" if isinstance(self.file, bytes) else shown(self.file)

    def files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield the name and the bytes of each file in it; each is read before the next is taken.

        Raises DataError for what is damaged, cut off, or a bomb.
        """
        with self._opened() as file:
            left = self._left(file)
            if self.kind != "zip":
                yield self.label, self._told(left.of(_unpacked(file, self.kind)))
                return
            with self._archive(file) as archive:
                for info in self.members:
                    pieces = left.of(_member(archive, info))
                    yield member_label(self.label, info), self._told(pieces)

    def begin(self) -> bytes:
        """Return the first 64 KiB of what is in a compressed file."""
        for _, pieces in self.files():
            return next(pieces, b"")[:HEAD]
        return b""

    def listing(self) -> Iterator[tuple[zipfile.ZipInfo, bytes, str]]:
        """Yield each file in an archive, by name: what it is, its first 64 KiB, why it is not read.

        Raises DataError if the archive is damaged.
        """
        with self._opened() as file, self._archive(file) as archive:
            left = self._left(file)
            infos = archive.infolist()
            if len(infos) > MOST_MEMBERS:
                raise DataError(f"{self.label}: more than {MOST_MEMBERS:,} files in it; unpack it")
            for info in sorted(infos, key=lambda info: info.filename):
                if info.is_dir() or _hidden(info.filename):
                    continue
                if info.flag_bits & _ENCRYPTED:
                    yield info, b"", "encrypted"
                elif info.compress_type not in _METHODS:
                    yield info, b"", "compressed in a way that is not known here"
                else:
                    begin, why = _begin_of(archive, info)
                    yield info, next(left.of(iter([begin]))), why

    @contextmanager
    def _archive(self, file: BinaryIO) -> Iterator[zipfile.ZipFile]:
        try:
            archive = zipfile.ZipFile(file)
        except _FAULTS as error:
            raise _damaged(self.label, self.kind, error) from None
        with archive:
            yield archive

    def _left(self, file: BinaryIO) -> "_Left":
        before = file.tell()
        size = file.seek(0, os.SEEK_END)
        file.seek(before)
        return _Left(self.label, min(MOST, max(FREE, RATIO * size)))

    def _opened(self) -> BinaryIO:
        return io.BytesIO(self.file) if isinstance(self.file, bytes) else self.file.open("rb")

    def _told(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from pieces
        except _FAULTS as error:
            raise _damaged(self.label, self.kind, error) from None


def member_label(archive: str, info: zipfile.ZipInfo) -> str:
    """Return what an error calls a member of an archive."""
    return f"{archive}: {shown(info.filename)}"


def is_document(names: Iterable[str]) -> bool:
    """Tell whether an archive of files with these names is a document or a program."""
    return any(name in _DOCUMENTS for name in names)


class _Left:
    """How many bytes may still come out of a packed file."""

    def __init__(self, label: str, most: int) -> None:
        self.label, self.most, self.left = label, most, most

    def of(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.left -= len(piece)
            if self.left < 0:
                raise DataError(
                    f"{self.label}: unpacks to more than {self.most:,} bytes, out of all "
                    "proportion to its size; unpack it yourself if you trust it"
                )
            yield piece


def _hidden(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return any(part.startswith(".") and part not in (".", "..") for part in parts) or (
        "__MACOSX" in parts
    )


def _begin_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[bytes, str]:
    """Return the first 64 KiB of a member, and why it cannot be read."""
    try:
        with archive.open(info) as member:
            return member.read(HEAD), ""
    except _FAULTS:
        return b"", "damaged"


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as member:
        while piece := member.read(CHUNK):
            yield piece


def _unpacked(file: BinaryIO, kind: str) -> Iterator[bytes]:
    if kind == "xz":
        yield from _unpacked_xz(file)
        return
    whole = gzip.GzipFile(fileobj=file) if kind == "gzip" else bz2.BZ2File(file)
    with whole:
        while piece := whole.read(CHUNK):
            yield piece


def _unpacked_xz(file: BinaryIO) -> Iterator[bytes]:
    """Yield what the streams in a .xz file unpack to, with less memory than a header may claim."""
    data = file.read(HEAD)
    while data:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        while not decoder.eof:
            piece = decoder.decompress(data, CHUNK)
            if piece:
                yield piece
            data = file.read(HEAD) if decoder.needs_input else b""
            if decoder.needs_input and not data:
                raise EOFError("cut off")
        data = decoder.unused_data or file.read(HEAD)
        while data and not data.strip(b"\0"):  # zeros may stand between two streams
            data = file.read(HEAD)
        data = data.lstrip(b"\0")


def _damaged(label: str, kind: str, error: BaseException) -> DataError:
    why = "not enough memory" if isinstance(error, MemoryError) else reason(error)
    return DataError(f"{label}: damaged or cut off, as {kind}: {why}; use a copy that is whole")
