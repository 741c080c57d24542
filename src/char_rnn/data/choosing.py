"""Which of the files of a folder or of an archive are read, and as what; the others are told."""

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from char_rnn.data.decoding import encoding_of, is_empty, looks_like_text, shown_encoding
from char_rnn.data.packed import Packed, is_document, kind_of
from char_rnn.data.parts import Part, begin_of
from char_rnn.data.records import form_of
from char_rnn.data.skipped import Skipped
from char_rnn.errors import DataError
from char_rnn.storage.reading import shown
from char_rnn.text_config import TextConfig

MOST_KEPT = 16 * 2**20
_TAR = slice(257, 262), b"ustar"


def matches(relative: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a file's path within the folder, or its name, matches one of `patterns`.

    relative: with `/` between its parts on every system. In a pattern `*` stands for any
    characters, `/` among them, `?` for one and `[abc]` for one of these; case counts.
    """
    name = relative.rpartition("/")[2]
    return any(fnmatchcase(relative, p) or fnmatchcase(name, p) for p in patterns)


def taken_raw(config: TextConfig) -> bool:
    """Tell whether the bytes of files are taken as they are, compressed ones too."""
    return bool(config.bytes) and not config.column


@dataclass
class Chooser:
    """Chooses files; `anything` tells whether one of them holds anything.

    kept: bytes of small files that are held until they are read.
    """

    config: TextConfig
    skipped: Skipped = field(default_factory=lambda: Skipped("file"))
    anything: bool = False
    kept: int = 0

    def part(self, path: Path, name: str) -> Part | None:
        """Return the part that the file `path`, called `name` in notes, is; None if it is none."""
        begin, small = begin_of(path)
        kind = "" if taken_raw(self.config) else kind_of(begin)
        if not kind:
            if not self._is_text(begin, name):
                return None
            if small is None or self.kept + len(begin) > MOST_KEPT:
                return path
            self.kept += len(begin)
            return small
        packed = Packed(path, kind)
        try:
            if kind == "zip":
                return self.archive(packed, name)
            begin = packed.begin()
        except DataError as error:
            self.skipped.add("damaged", f"{name} ({error})")
            return None
        return packed if self._is_text(begin, name) else None

    def archive(self, packed: Packed, name: str) -> Packed | None:
        """Return an archive with those of its members that are read, None if there are none."""
        listing = list(packed.listing())
        if is_document(info.filename for info, _, _ in listing):
            self.skipped.add("packed, but a document or a program", name)
            return None
        members = []
        for info, begin, why in listing:
            called = f"{name}: {shown(info.filename)}"
            if self.config.pattern and not matches(info.filename, self.config.pattern):
                continue
            if why:
                self.skipped.add(why, called)
            elif self._is_text(begin, called):
                members.append(info)
        return replace(packed, members=tuple(members)) if members else None

    def _is_text(self, begin: bytes, name: str) -> bool:
        """Tell whether a file that begins so is a text that is asked for; tell of it if not."""
        encoding = self.config.encoding
        if taken_raw(self.config):
            self.anything = self.anything or bool(begin)
            return True
        if self.config.column and not form_of(name):
            self.skipped.add("neither JSON lines nor CSV", name)
        elif kind_of(begin) or begin[_TAR[0]] == _TAR[1]:
            self.skipped.add("packed inside another", name)
        elif not looks_like_text(begin, encoding):
            what = shown_encoding(encoding_of(b"", encoding))
            self.skipped.add(f"not {what} text", name)
        else:
            self.anything = self.anything or not is_empty(begin, False)
            return True
        return False
