"""Named arrays and facts about them in one safetensors file, with a checksum.

Any safetensors reader opens these files. Their metadata holds four strings:

format          "char-rnn"
format_version  "2"; "1" is read too: it had the same form, and other names for some tensors
                (model/parameters.py)
facts           a JSON dictionary: configuration, vocabulary, whatever the caller adds
checksum        SHA-256 over the version, the facts and each tensor's name, dtype, shape and bytes

The file is written here and not by the safetensors library, for three reasons: the library writes
metadata in random order, so that equal models would give unequal files; it builds the file in
memory; and its release 0.8.0 writes wrong bytes for arrays that are not contiguous. It is read by
the library, which checks that the tensors' places make sense.
"""

import hashlib
import io
import json
import math
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from char_rnn.errors import CharRNNError, CorruptFile, FileError, NewerFormat, UsageError
from char_rnn.storage.atomic import replacing, to_json
from char_rnn.storage.reading import StrPath, opened, parse_json, read_bytes, shown

FORMAT = "char-rnn"
FORMAT_VERSION = 2
READABLE_VERSIONS = ("1", str(FORMAT_VERSION))
MAX_HEADER_BYTES = 8 * 2**20
MAX_FILE_BYTES = 16 * 2**30
MAX_DIMENSIONS = 32  # of NumPy 1.26

_CODES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "float16": "F16",
    "uint32": "U32",
    "int32": "I32",
    "float32": "F32",
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
}
_DTYPES = {code: np.dtype(name) for name, code in _CODES.items()}


class _Tensor(NamedTuple):
    """A tensor as the file holds it: `data` is row-major and little-endian."""

    code: str
    shape: tuple[int, ...]
    data: memoryview | bytes | bytearray


def save_tensors(
    path: StrPath, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]
) -> None:
    """Write `tensors` and `facts` to `path`, atomically; equal input gives equal bytes.

    tensors: arrays of booleans, integers or floats of 8 to 64 bits, of any shape, order and byte
        order; layout is not kept.
    facts: what JSON can hold; tuples come back as lists, keys as strings.
    Raises UsageError if something cannot be stored, FileError if the file cannot be written.
    """
    if not isinstance(facts, Mapping):
        raise UsageError(f"facts are a dictionary; got a {type(facts).__name__}")
    stored = {name: _stored(name, array) for name, array in tensors.items()}
    order = sorted(stored, key=lambda name: (-_DTYPES[stored[name].code].itemsize, name))
    header = _header(stored, order, to_json(dict(facts), sort_keys=True))
    with replacing(path) as file:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for name in order:
            file.write(stored[name].data)


def load_tensors(path: StrPath) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read the tensors, in the order of their names, and the facts of the file `path`.

    The arrays are writable, row-major, of native byte order and own their memory. Needs about
    twice the file's size in memory, whatever the file claims to hold.
    Raises FileError if the file cannot be read or is not char-rnn's, NewerFormat if a later
    char-rnn wrote it, CorruptFile if anything in it is not as it was written.
    """
    data = read_bytes(path, MAX_FILE_BYTES)
    metadata = _read_metadata(path, io.BytesIO(data), len(data))
    facts = _facts(path, metadata)
    try:
        stored = _parse(path, data)
        del data
        version = int(metadata["format_version"])
        if _checksum(stored, metadata["facts"], version) != metadata["checksum"]:
            raise _corrupt(path, "its content does not match its checksum")
        return {name: _array(stored.pop(name)) for name in sorted(stored)}, facts
    except MemoryError:
        raise FileError(f"{shown(path)}: too large for this machine's memory") from None


def read_facts(path: StrPath) -> dict[str, Any]:
    """Read the facts of the file `path` without reading, or checking, its tensors.

    Raises what `load_tensors` raises, as far as the file's header shows it.
    """
    with opened(path) as (file, size):
        return _facts(path, _read_metadata(path, file, size))


def _stored(name: str, array: NDArray[Any]) -> _Tensor:
    if not isinstance(name, str):
        raise UsageError(f"tensor name {name!r} is a {type(name).__name__}; expected a string")
    if not isinstance(array, np.ndarray):
        raise UsageError(f"tensor {name!r} is a {type(array).__name__}; expected a NumPy array")
    code = _CODES.get(array.dtype.name)
    if code is None:
        raise UsageError(
            f"tensor {name!r} is of {array.dtype}; expected one of {', '.join(_CODES)}"
        )
    if array.ndim > MAX_DIMENSIONS:
        raise UsageError(f"tensor {name!r} has {array.ndim} axes; at most {MAX_DIMENSIONS} fit")
    # Not np.ascontiguousarray, which turns shape () into (1,).
    plain = np.asarray(array, dtype=_DTYPES[code].newbyteorder("<"), order="C")
    return _Tensor(code, plain.shape, plain.reshape(-1).view(np.uint8).data)


def _array(tensor: _Tensor) -> NDArray[Any]:
    dtype = _DTYPES[tensor.code]
    array: NDArray[Any] = np.empty(tensor.shape, dtype)
    if array.size:
        array.reshape(-1)[:] = np.frombuffer(tensor.data, dtype.newbyteorder("<"))
    return array


def _header(stored: dict[str, _Tensor], order: list[str], facts: str) -> bytes:
    entries: dict[str, Any] = {
        "__metadata__": {
            "checksum": _checksum(stored, facts, FORMAT_VERSION),
            "facts": facts,
            "format": FORMAT,
            "format_version": str(FORMAT_VERSION),
        }
    }
    end = 0
    for name in order:
        if name in entries or not _is_text(name):
            raise UsageError(f"tensor name {name!r} cannot be stored; choose another")
        code, shape, data = stored[name]
        start, end = end, end + len(data)
        entries[name] = {"dtype": code, "shape": shape, "data_offsets": [start, end]}
    header = json.dumps(entries, separators=(",", ":")).encode("ascii")
    header += b" " * (-len(header) % 8)
    if len(header) > MAX_HEADER_BYTES:
        raise UsageError(f"the facts take {len(header):,} bytes; at most {MAX_HEADER_BYTES:,} fit")
    return header


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True


def _checksum(stored: dict[str, _Tensor], facts: str, version: int) -> str:
    names = sorted(stored)
    plan = [[name, stored[name].code, list(stored[name].shape)] for name in names]
    digest = hashlib.sha256(json.dumps([FORMAT, version, facts, plan]).encode("ascii"))
    for name in names:
        digest.update(stored[name].data)
    return digest.hexdigest()


def _read_metadata(path: StrPath, file: BinaryIO, size: int) -> dict[str, str]:
    """Return the file's metadata once they are known to be those of a char-rnn file."""
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= size - 8:
        raise _corrupt(path, f"{size:,} bytes, of which the header claims {length:,}")
    if length > MAX_HEADER_BYTES:
        raise _corrupt(path, f"a header of {length:,} bytes; expected at most {MAX_HEADER_BYTES:,}")
    try:
        header = parse_json(file.read(length))
    except ValueError as error:
        raise _corrupt(path, "its header is not JSON") from error
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise CorruptFile(
            f"{shown(path)}: not a char-rnn model file (no format {FORMAT!r} in its metadata); "
            "give a file that char-rnn wrote"
        )
    _check_version(path, metadata.get("format_version"))
    for key in ("facts", "checksum"):
        if not isinstance(metadata.get(key), str):
            raise _corrupt(path, f"its metadata lacks the {key}")
    return metadata


def _check_version(path: StrPath, version: object) -> None:
    if version in READABLE_VERSIONS:
        return
    known = isinstance(version, str) and version.isascii() and version.isdigit()
    if known and len(str(version)) <= 9 and int(str(version)) > FORMAT_VERSION:
        raise NewerFormat(
            f"{shown(path)}: format version {version}, written by a later char-rnn; this one reads "
            f"up to version {FORMAT_VERSION}: upgrade char-rnn"
        )
    raise _corrupt(path, f"format version {str(version)[:20]!r}; expected {FORMAT_VERSION}")


def _facts(path: StrPath, metadata: dict[str, str]) -> dict[str, Any]:
    try:
        facts = parse_json(metadata["facts"])
    except ValueError as error:
        raise _corrupt(path, "its facts are not JSON") from error
    if not isinstance(facts, dict):
        raise _corrupt(path, f"its facts are a {type(facts).__name__}; expected a dictionary")
    return facts


def _parse(path: StrPath, data: bytes) -> dict[str, _Tensor]:
    """Split `data` into tensors with the safetensors library, which checks that they fit."""
    from safetensors import deserialize  # noqa: PLC0415 (importing char_rnn loads NumPy alone)

    try:
        found = {
            name: _Tensor(entry["dtype"], tuple(entry["shape"]), entry["data"])
            for name, entry in deserialize(data)  # type: ignore[no-untyped-call]
        }
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic in the library is no Exception
        raise _corrupt(path, f"not valid safetensors ({str(error)[:120]!r})") from error
    for name, (code, shape, content) in found.items():
        if code not in _DTYPES:
            raise _corrupt(path, f"tensor {name[:80]!r} is of the unknown type {code!r}")
        size = math.prod(shape) * _DTYPES[code].itemsize
        if size != len(content) or len(shape) > MAX_DIMENSIONS or max(shape, default=0) >= 2**31:
            raise _corrupt(path, f"tensor {name[:80]!r} has an impossible shape")
    return found


def _corrupt(path: StrPath, found: str) -> CharRNNError:
    return CorruptFile(
        f"{shown(path)}: damaged or not a char-rnn model file: {found}; use a copy that is whole"
    )
