"""Named arrays and facts about them in one safetensors file, with a checksum.

Any safetensors reader opens these files. Their metadata holds four strings:

format          "char-rnn"
format_version  "2"; "1" is read too: it had the same form, and other names for some tensors
                (model/parameters.py)
facts           a JSON dictionary: configuration, vocabulary, whatever the caller adds
checksum        SHA-256 over the version, the facts and each tensor's name, dtype, shape and bytes

The library reads them, and checks that the tensors' places make sense. It does not write them: it
would need a second copy of all tensors (a third and fourth to return the file as bytes), and it
writes several metadata in random order, so that equal models would give unequal files.
"""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from char_rnn.errors import NewerFormat, UsageError
from char_rnn.storage.arrays import DTYPES, Array, content, from_content, standard
from char_rnn.storage.atomic import replacing, to_json
from char_rnn.storage.fields import MisfitError, found_shown, inside, misfit, read, record, text
from char_rnn.storage.reading import StrPath, opened, parse_json, read_bytes, shown

FORMAT = "char-rnn"
METADATA = "__metadata__"  # the library's name for them
FORMAT_VERSION = 2
READABLE_VERSIONS = ("1", str(FORMAT_VERSION))
MAX_HEADER_BYTES = 8 * 2**20
MAX_FILE_BYTES = 16 * 2**30


class ForeignError(MisfitError):
    """A file is that of another program."""

    advice = "give a file that char-rnn wrote"


class NewerError(MisfitError):
    """A file is that of a later char-rnn."""

    error = NewerFormat
    advice = "upgrade char-rnn"


def save_tensors(path: StrPath, tensors: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
    """Write `tensors` and `facts` to `path`, atomically; equal input gives equal bytes.

    tensors: arrays of booleans, integers or floats of 8 to 64 bits, of any shape, order and byte
        order; layout is not kept.
    facts: what JSON can hold; tuples come back as lists, keys as strings.
    Raises UsageError if something cannot be stored, FileError if the file cannot be written.
    """
    if not isinstance(facts, Mapping):
        raise UsageError(f"facts are a dictionary; got a {type(facts).__name__}")
    try:
        stored = {name: _stored(name, array) for name, array in tensors.items()}
        order = sorted(stored, key=lambda name: (-stored[name].itemsize, name))
        header = _header(stored, order, to_json(dict(facts), sort_keys=True))
    except MisfitError as error:
        raise UsageError(f"{shown(path)}: this cannot be stored: {error}") from error
    with replacing(path) as file:
        file.write(header)
        for name in order:
            file.write(content(stored[name]))


def load_tensors(path: StrPath) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read the tensors, in the order of their names, and the facts of the file `path`.

    The arrays are writable, row-major, of native byte order and own their memory. Needs about
    twice the file's size in memory, whatever the file claims to hold.
    Raises FileError if the file cannot be read, NewerFormat if a later char-rnn wrote it,
    CorruptFile if it is not char-rnn's or anything in it is not as it was written.
    """
    return read(_loaded, path, path)


def read_facts(path: StrPath) -> dict[str, Any]:
    """Read the facts of the file `path` without reading, or checking, its tensors.

    Raises what `load_tensors` raises, as far as the file's header shows it.
    """
    with opened(path) as (file, size):
        return read(lambda file: _described(file, size), file, path)[1]


def _stored(name: Any, array: Any) -> Array:
    # A name with half a surrogate pair is none in UTF-8.
    is_text = isinstance(name, str) and name.encode(errors="ignore").decode() == name
    if not is_text or name == METADATA:
        raise MisfitError("cannot be the name of a tensor").at(name)
    return inside(name, standard, array)


def _header(stored: Mapping[str, Array], order: list[str], facts: str) -> bytes:
    """Return what stands in the file before the tensors, which follow in this `order`."""
    entries: dict[str, Any] = {
        METADATA: {
            "checksum": _checksum(stored, facts, FORMAT_VERSION),
            "facts": facts,
            "format": FORMAT,
            "format_version": str(FORMAT_VERSION),
        }
    }
    end = 0
    for name in order:
        array = stored[name]
        place = [end, end := end + array.nbytes]
        entries[name] = {"dtype": _code(array.dtype), "shape": array.shape, "data_offsets": place}
    header = json.dumps(entries, separators=(",", ":")).encode("ascii")
    header += b" " * (-len(header) % 8)
    if len(header) > MAX_HEADER_BYTES:
        expected = f"at most {MAX_HEADER_BYTES:,}"
        raise MisfitError(f"needs a header of {len(header):,} bytes", expected)
    return len(header).to_bytes(8, "little") + header


def _checksum(stored: Mapping[str, Array], facts: str, version: int) -> str:
    names = sorted(stored)
    plan = [[name, _code(stored[name].dtype), list(stored[name].shape)] for name in names]
    digest = hashlib.sha256(json.dumps([FORMAT, version, facts, plan]).encode("ascii"))
    for name in names:
        digest.update(content(stored[name]))
    return digest.hexdigest()


def _code(dtype: np.dtype[Any]) -> str:
    """Return what safetensors calls `dtype`."""
    return "BOOL" if dtype.kind == "b" else f"{dtype.kind.upper()}{8 * dtype.itemsize}"


_DTYPES = {_code(dtype): dtype for dtype in DTYPES.values()}


def _loaded(path: StrPath) -> tuple[dict[str, Array], dict[str, Any]]:
    data = read_bytes(path, MAX_FILE_BYTES)
    metadata, facts = _described(io.BytesIO(data), len(data))
    parts = _parsed(data)
    del data  # each part goes, too, once its array is made
    tensors = {name: _array(name, **parts.pop(name)) for name in sorted(parts)}
    if _checksum(tensors, metadata["facts"], metadata["format_version"]) != metadata["checksum"]:
        raise _damaged("its content does not match its checksum")
    return tensors, facts


def _described(file: BinaryIO, size: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the metadata, and the facts in them, of a file that proves to be char-rnn's."""
    length = int.from_bytes(file.read(8), "little")
    most = min(size - 8, MAX_HEADER_BYTES)
    if not 2 <= length <= most:
        claim = f"{size:,} bytes, of which the header claims {length:,}"
        raise _damaged(f"{claim}; expected at most {most:,}")
    metadata = _json(file.read(length), "header").get(METADATA)
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ForeignError(f"is not a char-rnn model file: its metadata name no format {FORMAT!r}")
    metadata = _METADATA(metadata)
    return metadata, _json(metadata["facts"], "facts")


def _version(value: Any) -> int:
    if value in READABLE_VERSIONS:
        return int(value)
    if isinstance(value, str) and re.fullmatch("[1-9][0-9]{0,8}", value):
        known = f"this one reads up to {FORMAT_VERSION}"
        raise NewerError(f"tells of version {value}, of a later char-rnn; {known}")
    raise misfit(value, f"{str(FORMAT_VERSION)!r}")


_METADATA = record(
    {"format_version": _version, "facts": text(MAX_HEADER_BYTES), "checksum": text()}
)


def _json(data: bytes | str, name: str) -> dict[str, Any]:
    try:
        found = parse_json(data)
    except ValueError as error:
        raise _damaged(f"its {name} is not JSON") from error
    if not isinstance(found, dict):
        raise _damaged(f"{found_shown(found)} for its {name}; expected a record")
    return found


def _parsed(data: bytes) -> dict[str, dict[str, Any]]:
    """Split `data` into tensors with the safetensors library, which checks that they fit."""
    from safetensors import deserialize

    try:
        return dict(deserialize(data))  # type: ignore[no-untyped-call]
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic in the library is no Exception
        raise _damaged(f"not valid safetensors ({str(error)[:120]!r})") from error


def _array(name: str, dtype: str, shape: Any, data: bytes) -> Array:
    if dtype not in _DTYPES:
        raise misfit(dtype, ", ".join(_DTYPES)).at("dtype").at(name)
    return inside(name, lambda data: from_content(_DTYPES[dtype], shape, data), data)


def _damaged(found: str) -> MisfitError:
    return MisfitError(f"is damaged or not a char-rnn model file: {found}")
