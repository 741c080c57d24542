"""A folder as a text: which of its files are read, and what tells the end of one."""

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from char_rnn.data.decoding import empty, expected, head, is_empty, looks_like_text, shown, trouble
from char_rnn.errors import TextNotFound
from char_rnn.text_config import TextConfig

SEPARATOR = "\f\n"
"""What stands between two files where their ends matter: a form feed on a line of its own.

A form feed is a page break, rare in any text. To Python's parser it is white space, so that
joined source files are still source."""


def files_of(root: Path, config: TextConfig) -> tuple[list[Path], list[str]]:
    """Return the files of the folder `root`, sorted by relative path, and notes for the user.

    config: with a pattern, files must match one of them; see `matches`.
    Hidden files and folders and symbolic links to folders are left out, and so is what is not
    text unless it is read as bytes. Raises TextNotFound if nothing is left, TextTooShort if all
    is empty.
    """
    patterns, as_bytes = config.pattern, bool(config.bytes)
    paths, skipped, anything = [], 0, False
    for path in _walk(root, patterns):
        if not path.is_file():  # a socket, a pipe, a link to nothing
            skipped += 1
            continue
        begin = head(path)
        if as_bytes or looks_like_text(begin):
            paths.append(path)
            anything = anything or not is_empty(begin, as_bytes)
        else:
            skipped += 1
    notes = []
    if skipped:
        files_are = "file that is" if skipped == 1 else "files that are"
        what = "not regular" if as_bytes else "not UTF-8 text"
        notes.append(f"skipped {skipped} {files_are} {what} in {shown(root)}")
    if not paths:
        kind = "regular" if as_bytes else "text"
        those = f" that match {' or '.join(map(repr, patterns))}" if patterns else ""
        others = f" ({skipped} skipped)" if skipped else ""
        what = "give another pattern (--pattern)" if patterns else expected()
        raise TextNotFound(f"{shown(root)}: no {kind} files{those} in this folder{others}; {what}")
    if not anything:
        raise empty(shown(root))
    return paths, notes


def matches(relative: str, patterns: Sequence[str]) -> bool:
    """Tell whether a file's path within the folder, or its name, matches one of `patterns`.

    relative: with `/` between its parts on every system. In a pattern `*` stands for any
    characters, `/` among them, `?` for one and `[abc]` for one of these; case counts.
    """
    name = relative.rpartition("/")[2]
    return any(fnmatchcase(relative, p) or fnmatchcase(name, p) for p in patterns)


def _walk(root: Path, patterns: Sequence[str]) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise trouble(Path(error.filename or root), error) from None

    found = {}
    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if not name.startswith(".") and (not patterns or matches(relative, patterns)):
                found[relative] = path
    return [found[relative] for relative in sorted(found)]
