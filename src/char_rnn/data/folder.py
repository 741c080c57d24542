"""A folder as a text: the files in it, in order."""

import os
from pathlib import Path

from char_rnn.data.choosing import Chooser, matches, taken_raw
from char_rnn.data.decoding import empty
from char_rnn.data.parts import Part, expected, trouble
from char_rnn.errors import TextNotFound
from char_rnn.storage.reading import shown
from char_rnn.text_config import TextConfig

SEPARATOR = "\f\n"
"""What stands between two files where their ends matter: a form feed on a line of its own.

A form feed is a page break, rare in any text. To Python's parser it is white space, so that
joined source files are still source."""


def files_of(root: Path, config: TextConfig) -> tuple[list[Part], list[str]]:
    """Return the files of the folder `root`, sorted by relative path, and notes for the user.

    config: with a pattern, files must match one of them; see `matches`.
    Hidden files and folders and symbolic links to folders are left out, and so is what is not
    text unless it is read as bytes. Raises TextNotFound if nothing is left, TextTooShort if all
    is empty.
    """
    parts: list[Part] = []
    chooser = Chooser(config)
    for relative, path in _walk(root, config.pattern):
        if not path.is_file():
            chooser.skipped.add("not regular", shown(relative))
            continue
        part = chooser.part(path, shown(relative))
        if part is not None:
            parts.append(part)
    skipped = chooser.skipped
    if not parts:
        raise nothing(root, config, skipped.notes())
    if not chooser.anything:
        raise empty(shown(root))
    return parts, skipped.notes()


def nothing(root: Path, config: TextConfig, skipped: list[str]) -> TextNotFound:
    """Return the error for a folder, or an archive, without a file to read."""
    kind = "regular" if taken_raw(config) else "text"
    those = f" that match {' or '.join(map(repr, config.pattern))}" if config.pattern else ""
    others = f" ({'; '.join(skipped)})" if skipped else ""
    what = "give another pattern (--pattern)" if config.pattern else expected()
    if any("not UTF-8" in note for note in skipped):
        what = f"name their encoding (--encoding), or {what}"
    place = "folder" if root.is_dir() else "archive"
    return TextNotFound(f"{shown(root)}: no {kind} files{those} in this {place}{others}; {what}")


def _walk(root: Path, patterns: tuple[str, ...]) -> list[tuple[str, Path]]:
    """Return the relative path, with `/`, and the path of each file that is asked for, sorted."""

    def refuse(error: OSError) -> None:
        raise trouble(Path(error.filename or root), error) from None

    found = {}
    for folder, folders, files in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(folder).relative_to(root).as_posix()
        for name in files:
            relative = name if inside == "." else f"{inside}/{name}"
            if not name.startswith(".") and (not patterns or matches(relative, patterns)):
                found[relative] = Path(folder, name)
    return sorted(found.items())
