"""Read a whole file that may be anything: under a limit, and with every failure as one line."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeAlias

from char_rnn.errors import CorruptFile, FileError, UsageError

StrPath: TypeAlias = str | os.PathLike[str]

MAX_JSON_BYTES = 2**20
MAX_LINE_BYTES = 2**16
MAX_LINES = 1_000_000
MOST_BESIDE = 1000


def as_path(name: str, value: Any) -> Path:
    """Return `value` as a path; raise UsageError, by its `name`, for what is none."""
    if not isinstance(value, str | os.PathLike):
        raise UsageError(f"{name} is {value!r}; it must be a path: a str or a Path")
    return Path(value)


def shown(path: StrPath) -> str:
    """Return `path` as it appears in a message: as it is, or quoted if it would break the line."""
    text = os.fspath(path)
    return text if text.isprintable() and text else repr(text)


def reason(error: BaseException) -> str:
    """Return why the system refused, as one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = " ".join(text.split())[:200]
    return text if text.isprintable() and text else repr(error)[:200]


@contextmanager
def refusals(
    path: StrPath, what: str, kinds: tuple[type[Exception], ...] = (OSError, ValueError)
) -> Iterator[None]:
    """Turn what the system refuses into a FileError that says `what` is wrong with `path`, and why.

    A path with a zero character is a ValueError.
    """
    try:
        yield
    except kinds as error:
        raise FileError(f"{shown(path)}: {what}: {reason(error)}") from error


@contextmanager
def opened(path: StrPath) -> Iterator[tuple[BinaryIO, int]]:
    """Open the regular file `path` for reading; yield it and its size in bytes.

    Raises FileError if there is none, or if it is a folder, a pipe or a device; nothing that is
    not a regular file is ever opened, as a pipe would wait for ever.
    """
    with refusals(path, "cannot be read"):
        try:
            _check_regular(path, Path(path).stat())
            with Path(path).open("rb") as file:
                status = os.fstat(file.fileno())
                _check_regular(path, status)
                yield file, status.st_size
        except FileNotFoundError:
            raise FileError(f"{shown(path)}: no such file; check the path") from None
        except MemoryError:
            raise FileError(f"{shown(path)}: too large for this machine's memory") from None


def read_bytes(path: StrPath, limit: int) -> bytes:
    """Read the regular file `path`, of at most `limit` bytes.

    Raises FileError if it cannot be read or is larger, CorruptFile if it is empty.
    """
    with opened(path) as (file, size):
        if size > limit:
            raise FileError(f"{shown(path)}: {size:,} bytes; expected at most {limit:,}")
        data = file.read(size)
    if not data:
        raise CorruptFile(f"{shown(path)}: the file is empty; use a copy that is whole")
    return data


def read_json(path: StrPath, limit: int = MAX_JSON_BYTES) -> Any:
    """Read what the JSON file `path` (UTF-8, at most `limit` bytes) holds.

    Raises FileError if it cannot be read, CorruptFile if it is not JSON.
    """
    data = read_bytes(path, limit)
    try:
        return parse_json(data)
    except ValueError as error:
        raise CorruptFile(
            f"{shown(path)}: not valid JSON ({reason(error)}); mend it or use a copy that is whole"
        ) from error


def read_json_lines(path: StrPath) -> Iterator[tuple[str, Any]]:
    """Yield what each line of `path` (UTF-8, at most 64 KiB) holds, after what to call it.

    A last line that was not written to its end is left out. Raises FileError if the file cannot
    be read, CorruptFile for a line that is not JSON or too long, and for more than a million.
    """
    with opened(path) as (file, _):
        for n in range(1, MAX_LINES + 1):
            line = file.readline(MAX_LINE_BYTES)
            if not line:
                return
            where = f"{shown(path)}, line {n:,}"
            try:
                found = parse_json(line)
            except ValueError as error:
                if len(line) < MAX_LINE_BYTES and not line.endswith(b"\n"):
                    return
                raise CorruptFile(f"{where}: not valid JSON ({reason(error)}); mend it") from error
            yield where, found
    raise CorruptFile(f"{shown(path)}: more than {MAX_LINES:,} lines; shorten it")


def parse_json(data: bytes | str) -> Any:
    """Return what the JSON `data` holds; raise ValueError, and nothing else, if it is not JSON.

    NaN and infinities, which JSON does not know, are refused. A byte order mark is skipped.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _check_regular(path: StrPath, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise FileError(f"{shown(path)}: {kind}; expected a file")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def beside(path: StrPath) -> list[str]:
    """Return the paths in the folder of `path`, a thousand at most, to find one like it."""
    try:
        return [str(other) for other in islice(Path(path).parent.iterdir(), MOST_BESIDE)]
    except (OSError, ValueError):
        return []
