"""Open a text by its name: a file, a folder, standard input or a built-in text; or several."""

import codecs
import glob
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import AnyStr, Literal, overload

from char_rnn.data import builtin
from char_rnn.data.choosing import Chooser, taken_raw
from char_rnn.data.decoding import CHUNK, decoded, empty, is_empty
from char_rnn.data.folder import SEPARATOR, files_of, nothing
from char_rnn.data.line_ends import LineEnds
from char_rnn.data.packed import Packed, kind_of
from char_rnn.data.parts import Part, Where, expected, fact, files, head, trouble, where_shown
from char_rnn.data.records import Records
from char_rnn.errors import DataError, TextNotFound, UsageError, did_you_mean
from char_rnn.storage.reading import StrPath, beside, shown
from char_rnn.text_config import USUAL, TextConfig

STDIN = "-"


@dataclass(frozen=True)
class Source:
    """A text that can be read as often as needed.

    `name` is short, for file names; `where` is the absolute path, the built-in name or "-", or a
    tuple of these; `notes` are lines for the user, some of which come only when it is read;
    `parts` are the files, or the bytes themselves, in order; `separator` stands between two files
    that hold anything, on a line of its own; `config` says how it is read.
    """

    name: str
    where: Where
    parts: tuple[Part, ...] = field(repr=False)
    notes: list[str] = field(default_factory=list)
    separator: str = ""
    config: TextConfig = USUAL

    def chunks(self) -> Iterator[str]:
        """Yield the text, about a million characters at a time.

        It is decoded, without a byte order mark at a file's start, and each line ends with LF
        unless they are kept. Of several files, or records of a column, each but the last ends with
        a newline: one is added where it is missing. The separator, if there is one, follows it.
        """
        return self._gathered(_joined(self.units(False), "\n", self.separator))

    def byte_chunks(self) -> Iterator[bytes]:
        """Yield the bytes of every part, exactly as they are, about a million at a time.

        Nothing is dropped, and nothing is added between two files but the separator, if there is
        one, on a line of its own. Records of a column are UTF-8, with a newline between two.
        """
        newline = b"\n" if self.separator or self.config.column else b""
        return self._gathered(_joined(self.units(True), newline, self.separator.encode()))

    @overload
    def units(self, as_bytes: Literal[False]) -> Iterator[Iterator[str]]: ...

    @overload
    def units(self, as_bytes: Literal[True]) -> Iterator[Iterator[bytes]]: ...

    @overload
    def units(self, as_bytes: bool) -> Iterator[Iterator[str]] | Iterator[Iterator[bytes]]: ...

    def units(self, as_bytes: bool) -> Iterator[Iterator[str]] | Iterator[Iterator[bytes]]:
        """Yield the pieces of each file, of each member of an archive, or of each record.

        They are what `chunks`, or `byte_chunks`, put together. Those that hold nothing are left
        out; each is read before the next is taken.
        """
        if not as_bytes:
            return _filled(self._texts())
        if self.config.column:
            return _filled(map(_encoded, self._texts()))
        return _filled(pieces for part in self.parts for _, pieces in files(part))

    def _texts(self) -> Iterator[Iterator[str]]:
        config = self.config
        ends = LineEnds(config.keep_line_ends)
        records = Records(config.column) if config.column else None
        for part in self.parts:
            for name, pieces in files(part):
                text = decoded(pieces, name or self._itself(), config.encoding)
                if records is None:
                    yield ends.of(text)
                    continue
                # The ends of lines between records are of no text.
                text = LineEnds(config.keep_line_ends).of(text)
                for record in records.of(text, name):
                    yield ends.of(iter((record,)))
        if records is not None and not records.count:
            raise records.none(where_shown(self.where))
        for note in (ends.note(), *(records.notes() if records is not None else ())):
            if note and note not in self.notes:  # it is read more than once
                self.notes.append(note)

    def _itself(self) -> str:
        """Return what an error calls bytes in memory."""
        return "standard input" if self.where == STDIN else where_shown(self.where)

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
            raise empty(where_shown(self.where))

    def key(self) -> str:
        """Return a hex digest that changes when the text does.

        It is cheap: files count by their paths, sizes and times, not by their contents.
        """
        digest = hashlib.sha256()
        config = self.config
        facts = [b"separator " + self.separator.encode()] if self.separator else []
        if not taken_raw(config):  # nothing is said of what bytes always were
            how = (config.encoding, config.column, config.keep_line_ends)
            facts.append(f"reading {how}".encode("utf-8", "surrogatepass"))
        facts += [fact(part) for part in self.parts]
        for one in facts:
            digest.update(b"%d:" % len(one) + one)
        return digest.hexdigest()


def open_source(text: StrPath | Sequence[StrPath], config: TextConfig = USUAL) -> Source:
    """Open a text: a file, a folder, "-" for standard input, or the name of a built-in text.

    Several are joined in the order given, as the files of a folder are. A name with a `*`, `?` or
    `[` in it that is not there stands for those files that match it, sorted.

    A folder, and a .zip archive, stands for every text file in it and in its folders, sorted by
    relative path; hidden ones and symbolic links to folders are left out, and so is what is not
    text unless it is read as bytes. Compressed files are read as what they hold, unless as bytes.
    config: how it is read. With a pattern only the folder's files count that match one of them
        (`choosing.matches`), with a separator between two files, as the built-in python-code has.
    Missing, empty and unreadable texts are errors here; bytes that are no text are errors of
    `Source.chunks`.
    """
    given = [text] if isinstance(text, str | os.PathLike) else text
    names = [found for name in given for found in _filled_in(os.fspath(name))]
    if not names:
        raise TextNotFound(f"there is no text in an empty list; {expected()}")
    if names.count(STDIN) > 1:
        raise UsageError("standard input can be read only once; name - once")
    if config.pattern and not any(map(_holds_files, names)):
        none = "none of these texts is one" if len(names) > 1 else f"{names[0]!r} is none"
        raise UsageError(
            f"the pattern {config.pattern[0]!r} chooses among the files of a folder, and {none}; "
            "leave it out (--pattern), or name a folder"
        )
    if len(names) == 1:
        return _open(names[0], config)
    sources = [_open(name, config) for name in names]
    separators = [source.separator for source in sources]
    return Source(
        f"{sources[0].name}+{len(sources) - 1}",
        tuple(str(source.where) for source in sources),
        tuple(part for source in sources for part in source.parts),
        [note for source in sources for note in source.notes],
        max(separators),
        config,
    )


def _filled_in(name: str) -> list[str]:
    """Return the names that a pattern of a shell stands for, or `name` itself."""
    if not glob.has_magic(name) or os.path.lexists(name):
        return [name]
    found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - as a shell does
    if not found:
        raise TextNotFound(f"{shown(name)}: no file or folder has a name like that; {expected()}")
    return found


def _is_built_in(name: str) -> bool:
    return name in builtin.BUILTIN and not os.path.lexists(name)


def _holds_files(name: str) -> bool:
    """Tell whether a text is one of several files, or may be."""
    if name == STDIN or _is_built_in(name):
        return False
    path = Path(name)
    return not path.is_file() or kind_of(head(path)) == "zip"


def _open(name: str, config: TextConfig) -> Source:
    """Open one text by its name."""
    if name == STDIN:
        return _standard_input(config)
    if not name:
        raise TextNotFound(f"the name of the text is empty; {expected()}")
    if _is_built_in(name):
        return _built_in(name, config)
    notes = []
    if name in builtin.BUILTIN:
        notes.append(
            f"{name} is read from the current folder, where something has that name; "
            "the built-in text of that name is not used"
        )
    path = Path(name)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        alike = did_you_mean(path, [*builtin.BUILTIN, *beside(path)])
        raise TextNotFound(f"{shown(path)}: no such file or folder{alike}; {expected()}") from None
    except OSError as error:
        raise trouble(path, error) from None
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps the ".."
    separator = SEPARATOR if config.pattern else ""
    if stat.S_ISDIR(mode):
        paths, more = files_of(whole, config)
        stem = whole.name or "folder"
        return Source(stem, str(whole), tuple(paths), notes + more, separator, config)
    if not stat.S_ISREG(mode):
        raise DataError(
            f"{shown(path)}: not a regular file; pipe it into standard input and name it -"
        )
    part, more = _file(whole, config)
    return Source(_stem(whole), str(whole), (part,), notes + more, separator, config)


def _file(path: Path, config: TextConfig) -> tuple[Part, list[str]]:
    """Return a file as a part, and notes; raise if it is empty or an archive without a text."""
    begin = head(path)
    kind = "" if taken_raw(config) else kind_of(begin)
    packed = Packed(path, kind)
    if kind == "zip":
        chooser = Chooser(config)
        found = chooser.archive(packed, shown(path.name))
        notes = chooser.skipped.notes()
        if found is None:
            raise nothing(path, config, notes)
        if not chooser.anything:
            raise empty(shown(path))
        return found, notes
    if is_empty(packed.begin() if kind else begin, taken_raw(config)):
        raise empty(shown(path))
    return packed if kind else path, []


def _stem(path: Path) -> str:
    """Return the name of a file without its suffix, and without that below .gz and the like."""
    stem = path.stem
    return Path(stem).stem if path.suffix in (".gz", ".bz2", ".xz") else stem


def _built_in(name: str, config: TextConfig) -> Source:
    """Open a built-in text."""
    for option, value in (("encoding", config.encoding), ("column", config.column)):
        if value:
            raise UsageError(
                f"the {option} {value!r} is not that of the built-in {name}, which is plain UTF-8; "
                f"leave it out (--{option})"
            )
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
        data: bytes = buffer.read()
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise DataError(f"standard input: cannot be read ({error})") from None
    if not data or data == codecs.BOM_UTF8:
        raise empty("standard input")
    part, notes = _bytes(data, config)
    return Source("stdin", STDIN, (part,), notes, config=config)


def _bytes(data: bytes, config: TextConfig) -> tuple[Part, list[str]]:
    """Return what came from standard input as a part, and notes."""
    kind = "" if taken_raw(config) else kind_of(data)
    if kind != "zip":
        return Packed(data, kind) if kind else data, []
    chooser = Chooser(config)
    found = chooser.archive(Packed(data, kind), "standard input")
    if found is None or not chooser.anything:
        raise empty("standard input")
    return found, chooser.skipped.notes()


def _encoded(pieces: Iterator[str]) -> Iterator[bytes]:
    return (piece.encode("utf-8") for piece in pieces)


def _filled(units: Iterator[Iterator[AnyStr]]) -> Iterator[Iterator[AnyStr]]:
    """Yield those of the `units` that hold anything."""
    for pieces in units:
        for first in pieces:
            yield chain((first,), pieces)
            break


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
