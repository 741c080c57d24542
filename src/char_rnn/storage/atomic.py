"""Write a file so that it is either the old one or the new one, never half of each.

The new content goes to a temporary file in the same folder, is flushed to the disk, and is then
renamed over the old one. A writer that is killed leaves the old file as it was and a temporary
behind, which `remove_leftovers` finds by its name.
"""

import contextlib
import json
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from char_rnn.errors import UsageError
from char_rnn.storage.reading import StrPath, reason, refusals, shown

_TEMPORARY_NAME = re.compile(r"\.char-rnn-[0-9a-f]{16}\.tmp")
_ON_WINDOWS = os.name == "nt"
_RENAME_DELAYS = (0.01, 0.03, 0.1, 0.3, 1.0)  # seconds; a virus scanner may hold the file open


@contextmanager
def replacing(path: StrPath) -> Iterator[BinaryIO]:
    """Open a file for writing that becomes `path`, all at once, when the block ends well.

    If the block raises anything, `path` stays as it was and nothing is left behind. A new file
    gets the usual permissions, a replaced one keeps its own, a link keeps pointing where it did.
    Raises FileError if the folder is missing or read-only, the disk is full, or `path` is there
    and is not a regular file that may be written.
    """
    with refusals(path, "cannot be written"):
        target = Path(os.path.realpath(path))
        mode = _mode_to_keep(target)
        file = _create(target.parent)
    temporary = Path(file.name)
    try:
        with refusals(path, "cannot be written", (OSError,)):  # the block's ValueErrors are its own
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if mode is not None and not _ON_WINDOWS:
                temporary.chmod(mode)
            _rename(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def check_writable(path: StrPath) -> None:
    """Raise now the FileError that writing the file `path` would raise later; make its folders.

    Call it before long work whose result goes there. What is there already stays as it is.
    """
    with refusals(path, "cannot be written"):
        target = Path(os.path.realpath(path))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise OSError(f"{target.parent} is not a folder") from None
        _mode_to_keep(target)
        _try_out(target.parent)


def check_folder(path: StrPath) -> None:
    """Raise FileError if `path` is no folder to write in, nor could be made; make nothing."""
    with refusals(path, "cannot be written"):
        place = Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps the ".."
        while True:
            try:
                place.stat()
                break
            except FileNotFoundError:
                place = place.parent
        if not place.is_dir():
            raise OSError(f"{place} is not a folder")
        _try_out(place)


def write_bytes(path: StrPath, data: bytes | bytearray | memoryview) -> None:
    """Write `data` to `path` atomically; raise FileError, and change nothing, if that fails."""
    with replacing(path) as file:
        file.write(data)


def write_text(path: StrPath, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8 with its line ends as they are.

    Raises FileError if it cannot be written, UsageError if `text` holds half a surrogate pair.
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(f"{shown(path)}: the text is not valid Unicode: {error}") from error
    write_bytes(path, data)


def write_json(path: StrPath, obj: Any) -> None:
    """Write `obj` to `path` atomically, as indented JSON in ASCII.

    Raises FileError if it cannot be written, UsageError if JSON cannot hold `obj` (a NaN, say).
    """
    write_text(path, to_json(obj, indent=2) + "\n")


def to_json(obj: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """Return `obj` as JSON in ASCII; raise UsageError if JSON cannot hold it."""
    try:
        return json.dumps(obj, indent=indent, sort_keys=sort_keys, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"this cannot be stored as JSON: {reason(error)}") from error


def remove_leftovers(folder: StrPath, older_than: float = 3600.0) -> list[Path]:
    """Delete the temporaries that killed writers left in `folder`; return their paths.

    older_than: seconds since the last write to a temporary. Give 0 where no other writer can be
        at work; one that is would fail with a FileError and change nothing.
    A file that cannot be deleted is skipped. Raises FileError if `folder` cannot be listed.
    """
    removed = []
    with refusals(folder, "cannot be listed"):
        found = [file for file in Path(folder).iterdir() if is_leftover(file.name)]
    for file in found:
        with contextlib.suppress(OSError):
            if older_than <= 0 or time.time() - file.lstat().st_mtime >= older_than:
                file.unlink()
                removed.append(file)
    return removed


def is_leftover(name: str) -> bool:
    """Tell whether `name` is that of a temporary."""
    return _TEMPORARY_NAME.fullmatch(name) is not None


def _mode_to_keep(target: Path) -> int | None:
    """Return the permissions of the file that is to be replaced, or None if there is none."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is there and is not a regular file")
    if not os.access(target, os.W_OK):
        raise OSError("it is write-protected")
    return stat.S_IMODE(status.st_mode) & 0o777


def _create(folder: Path) -> BinaryIO:
    """Make a new file in `folder`, under a name that `is_leftover` knows, and open it."""
    return (folder / f".char-rnn-{secrets.token_hex(8)}.tmp").open("xb")


def _try_out(folder: Path) -> None:
    """Make a file in `folder` and remove it: only that tells whether it can be done."""
    with _create(folder) as file:
        pass
    Path(file.name).unlink()


def _rename(temporary: Path, target: Path) -> None:
    for delay in _RENAME_DELAYS if _ON_WINDOWS else ():
        try:
            temporary.replace(target)
            return
        except PermissionError:
            time.sleep(delay)
    temporary.replace(target)


def _sync_folder(folder: Path) -> None:
    """Flush the folder's entry to the disk where the platform can (Windows cannot)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
