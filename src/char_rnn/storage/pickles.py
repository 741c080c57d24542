"""A dictionary of plain data in a `.pkl` file that opens anywhere and is read without being run.

A pickle is a program for a small stack machine, and `pickle.load` lets that program call what it
likes. Python's own pickler writes the file here, and `pickle.load` can open it; but `load_pickle`
never hands a file to it. It runs a stack machine of its own (pickle_machine.py) that has only the
operations that plain data need and calls nothing by name. That is easier to be sure of than a
guarded `pickle.Unpickler`, whose C code would do all that a file asks for between the guards.

What stays bounded: only strings and dtypes can be fetched from the memo, so that a file builds a
tree, no larger than the file, that can neither repeat nor contain itself. The number of operations,
the length of repeated strings and the depth of the tree have limits.

The key "checksum" of the file's dictionary holds a SHA-256 over the rest of it.
"""

import pickle
from collections.abc import Mapping
from typing import Any

from char_rnn.errors import CorruptFile, FileError, UnsafePickle, UsageError
from char_rnn.storage.atomic import write_bytes
from char_rnn.storage.pickle_machine import Machine, MalformedError
from char_rnn.storage.plain import NotPlainError, checksum, rebuilt
from char_rnn.storage.reading import StrPath, read_bytes, shown

CHECKSUM = "checksum"
PROTOCOL = 4  # NumPy 1.26 cannot read what NumPy 2 writes in protocol 5
MAX_FILE_BYTES = 4 * 2**30


def save_pickle(path: StrPath, obj: Mapping[str, Any]) -> None:
    """Write the dictionary `obj` of plain data to `path`, atomically, with a checksum.

    Plain data: see plain.py. Arrays are stored row-major, NumPy's float64 scalars as floats. What
    is about to be written is read back first, so that no file comes about that cannot be loaded.
    Raises UsageError if `obj` is not plain data, FileError if the file cannot be written.
    """
    if not isinstance(obj, Mapping):
        raise UsageError(f"a pickle holds a dictionary; got a {type(obj).__name__}")
    try:
        plain = rebuilt(dict(obj))
        if CHECKSUM in plain:
            raise NotPlainError(f"it holds the key {CHECKSUM!r}, which is taken; choose another")
        data = pickle.dumps({**plain, CHECKSUM: checksum(plain)}, protocol=PROTOCOL)
        _verified(Machine().run(data))
    except (NotPlainError, MalformedError, UnsafePickle) as error:
        raise UsageError(f"{shown(path)}: this cannot be stored in a pickle: {error}") from error
    write_bytes(path, data)


def load_pickle(path: StrPath) -> dict[str, Any]:
    """Read the dictionary that `save_pickle` wrote to `path`; nothing in the file is ever run.

    Arrays are writable, row-major, of native byte order and own their memory. Needs about
    three times the file's size in memory, whatever the file claims to hold.
    Raises UnsafePickle if the file asks for anything but plain data, CorruptFile if it is damaged
    or was not written by char-rnn, FileError if it cannot be read.
    """
    data = read_bytes(path, MAX_FILE_BYTES)
    try:
        return _verified(Machine().run(data))
    except UnsafePickle as error:
        raise UnsafePickle(
            f"{shown(path)}: {error}; a pickle of char-rnn holds plain data only; nothing was "
            "run: do not open this file"
        ) from None
    except (MalformedError, NotPlainError) as error:
        raise CorruptFile(
            f"{shown(path)}: damaged or not a pickle that char-rnn wrote: {error}; "
            "use a copy that is whole"
        ) from error
    except MemoryError:
        raise FileError(f"{shown(path)}: too large for this machine's memory") from None


def _verified(found: Any) -> dict[str, Any]:
    """Return the dictionary `found` less its checksum, once that is known to be right."""
    if type(found) is not dict:
        raise MalformedError(f"it holds a {type(found).__name__}; expected a dictionary")
    expected = found.pop(CHECKSUM, None)
    if type(expected) is not str:
        raise MalformedError("it has no checksum")
    if checksum(found) != expected:
        raise MalformedError("its content does not match its checksum")
    return found
