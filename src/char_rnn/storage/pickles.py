"""A dictionary of plain data in a `.pkl` file that opens anywhere and is read without being run.

A pickle is a program for a small stack machine, and `pickle.load` lets that program call what it
likes. Python's own pickler writes the file here, and `pickle.load` can open it; but `load_pickle`
never hands a file to it. It runs a stack machine of its own (pickle_machine.py) that has only the
operations that plain data need and calls nothing by name. A guarded `pickle.Unpickler` would not
be shorter, and its C code would do all that a file asks for between the guards: it hashes
whatever is to be a key, and a tuple nested deep enough ends the process there.

What stays bounded: only strings and dtypes can be fetched from the memo, so that a file builds a
tree, no larger than the file, that can neither repeat nor contain itself. The number of operations,
the length of repeated strings and the depth of the tree have limits.

The key "checksum" of the file's dictionary holds a SHA-256 over the rest of it.
"""

import pickle
from collections.abc import Mapping
from typing import Any

from char_rnn.errors import UsageError
from char_rnn.storage.atomic import write_bytes
from char_rnn.storage.fields import MisfitError, found_shown, read
from char_rnn.storage.pickle_machine import run
from char_rnn.storage.plain import sealed
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
        plain, checksum = sealed(dict(obj))
        if CHECKSUM in plain:
            raise MisfitError(f"holds the key {CHECKSUM!r}, which is taken", "another")
        data = pickle.dumps({**plain, CHECKSUM: checksum}, protocol=PROTOCOL)
        _opened(data)
    except MisfitError as error:
        raise UsageError(f"{shown(path)}: this cannot be stored in a pickle: {error}") from error
    write_bytes(path, data)


def load_pickle(path: StrPath) -> dict[str, Any]:
    """Read the dictionary that `save_pickle` wrote to `path`; nothing in the file is ever run.

    Arrays are writable, row-major, of native byte order and own their memory. Needs about
    three times the file's size in memory, whatever the file claims to hold.
    Raises UnsafePickle if the file asks for anything but plain data, CorruptFile if it is damaged
    or was not written by char-rnn, FileError if it cannot be read.
    """
    return read(_opened, read_bytes(path, MAX_FILE_BYTES), path)


def _opened(data: bytes) -> dict[str, Any]:
    """Return what the pickle `data` holds, less its checksum, once that is known to be right."""
    found = run(data)
    if type(found) is not dict:
        raise MisfitError(f"holds {found_shown(found)}", "a dictionary that char-rnn wrote")
    checksum = found.pop(CHECKSUM, None)
    if type(checksum) is not str:
        raise MisfitError("is not a pickle that char-rnn wrote: it has no checksum")
    if sealed(found)[1] != checksum:
        raise MisfitError("is damaged: its content does not match its checksum")
    return found
