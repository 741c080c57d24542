"""Whatever is in a file: it loads to what was saved, or it is one line of FileError."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
import stored
from traced import traced

from char_rnn.errors import CorruptFile, FileError, NewerFormat
from char_rnn.storage import load_tensors, read_facts, save_tensors, tensors

Header = dict[str, Any]

SAVED = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.arange(4, dtype=np.float64),
    "c": np.array(7, np.int64),
}
FACTS = {"vocabulary": ["a", "é"], "config": {"cell": "gru"}}


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    save_tensors(tmp_path / "model.safetensors", SAVED, FACTS)
    return tmp_path / "model.safetensors"


def refused(path: Path, kind: type[FileError] = CorruptFile) -> str:
    return stored.refused(load_tensors, path, kind)


def edited(path: Path, edit: Callable[[Header], object]) -> Path:
    """Let `edit` change the header of `path`, or replace it with the bytes that it returns."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    text = edit(header)
    if not isinstance(text, bytes):
        text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[end:])
    return path


def test_two_thousand_damaged_files(path: Path) -> None:
    good, same = path.read_bytes(), 0
    for data in stored.damaged(good, 2000, 1):
        path.write_bytes(data)
        try:
            found, facts = load_tensors(path)
        except FileError as error:
            assert str(error).isprintable()
        else:
            same += 1
            assert facts == FACTS
            stored.assert_same(found, SAVED)
        try:
            assert isinstance(read_facts(path), dict)
        except FileError as error:
            assert str(error).isprintable()
    assert same < 50  # spaces after the header, and keys that are not ours


def test_every_truncation(path: Path) -> None:
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        refused(path)


def test_every_bit_of_the_tensors(path: Path) -> None:
    good = path.read_bytes()
    start = 8 + int.from_bytes(good[:8], "little")
    for bit in range(8 * start, 8 * len(good)):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        assert "does not match its checksum" in refused(path)


def tensor(name: str, **fields: object) -> Callable[[Header], object]:
    return lambda header: header[name].update(fields)


def metadata(**fields: object) -> Callable[[Header], object]:
    return lambda header: header["__metadata__"].update(fields)


@pytest.mark.parametrize(
    "edit",
    [
        tensor("a", shape=[3, 2]),
        tensor("a", shape=[6]),
        tensor("a", shape=[2, 4]),
        tensor("a", shape=[-2, -3]),
        tensor("a", shape=[2**40, 2**40]),
        tensor("a", shape=[2**63]),
        tensor("a", shape=[0, 2**63]),
        tensor("a", shape=["2", 3]),
        tensor("a", shape=None),
        tensor("a", shape=[1] * 60 + [2, 3]),
        tensor("a", dtype="I32"),
        tensor("a", dtype="F64"),
        tensor("a", dtype="BF16", shape=[2, 6]),
        tensor("a", dtype="Q7"),
        tensor("a", dtype=None),
        tensor("a", data_offsets=[0, 24]),
        tensor("a", data_offsets=[24, 0]),
        tensor("a", data_offsets=[0, 2**62]),
        tensor("a", data_offsets=[-24, 0]),
        tensor("a", data_offsets=[]),
        lambda header: header.pop("a"),
        lambda header: header.update(d=header["a"]),
        lambda header: header.update(d=header.pop("a")),
        lambda header: header.update(
            d={"dtype": "F32", "shape": [0, 2**40], "data_offsets": [0, 0]}
        ),
        lambda header: header.update(a=1),
        metadata(facts="{}"),
        metadata(facts="[" * 100_000),
        metadata(facts="[1]"),
        metadata(facts="{"),
        metadata(facts=1),
        metadata(checksum="0" * 64),
        metadata(checksum=None),
        metadata(format_version="0"),
        metadata(format_version="x\n"),
        metadata(format_version="²"),
        metadata(format_version=2),
        metadata(format_version=[1]),
        metadata(format_version="1"),
        metadata(format_version="9" * 5000),
        metadata(more=1),
        lambda header: header["__metadata__"].pop("checksum"),
        lambda header: header["__metadata__"].pop("facts"),
        lambda _: b"[" * 1_000_000,
        lambda _: b'{"a":' * 1_000_000,
        lambda _: b"\xff\xfe" * 50,
        lambda _: b"[1]",
        lambda _: b"null",
        lambda _: b"9" * 10_000,
        lambda header: json.dumps(header).encode() + b"}",
        lambda header: b" " + json.dumps(header).encode()[:-1] + b',"\\ud800":1}',
    ],
)
def test_edited_headers(path: Path, edit: Callable[[Header], object]) -> None:
    refused(edited(path, edit))


def test_a_later_version(path: Path) -> None:
    message = refused(edited(path, metadata(format_version="3", facts=None)), NewerFormat)
    assert "version 3" in message
    assert "upgrade char-rnn" in message
    with pytest.raises(NewerFormat):
        read_facts(path)


def test_a_safetensors_file_of_someone_else(path: Path) -> None:
    safetensors.numpy.save_file(SAVED, path)
    assert "not a char-rnn model file" in refused(path)
    safetensors.numpy.save_file(SAVED, path, metadata={"format": "pt"})
    assert "not a char-rnn model file" in refused(path)


@pytest.mark.parametrize("length", [0, 1, 2**20, 2**31, 2**62, 2**63, 2**64 - 1])
def test_absurd_header_lengths(path: Path, length: int) -> None:
    path.write_bytes(length.to_bytes(8, "little") + path.read_bytes()[8:])
    assert f"the header claims {length:,}" in refused(path)
    with traced() as most:
        with pytest.raises(CorruptFile):
            read_facts(path)
        assert most() < 2**20


def test_a_large_header_is_not_parsed(path: Path) -> None:
    edited(path, lambda header: json.dumps(header).encode() + b" " * (8 * 2**20))
    assert "expected at most 8,388,608" in refused(path)


@pytest.mark.parametrize("shape", [[0, 2**62], [2**62, 0], [1] * 70, [0, 2**31]])
def test_shapes_that_numpy_cannot_hold_under_a_right_checksum(path: Path, shape: list[int]) -> None:
    """Whoever makes a hostile file can make its checksum too."""
    data = b"" if 0 in shape else b"\0\0\0\0"
    plan = json.dumps(["char-rnn", 2, "{}", [["w", "F32", shape]]]).encode()
    checksum = hashlib.sha256(plan + data).hexdigest()
    save_tensors(path, {"w": np.frombuffer(data, np.float32)}, {})
    edited(
        path, lambda header: [tensor("w", shape=shape)(header), metadata(checksum=checksum)(header)]
    )
    assert "impossible shape" in refused(path)


def test_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "none", FileError)
    refused(tmp_path, FileError)
    (tmp_path / "empty").touch()
    assert "empty" in refused(tmp_path / "empty")


def test_a_file_of_a_terabyte_is_not_read(path: Path) -> None:
    try:
        with path.open("r+b") as file:
            file.truncate(2**40)
    except OSError:
        pytest.skip("no sparse files here")
    assert "expected at most" in refused(path, FileError)


def test_a_panic_of_the_library_is_a_corrupt_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicException(BaseException):
        pass

    def panic(_: bytes) -> None:
        raise PanicException("index out of\nbounds")

    monkeypatch.setattr(safetensors, "deserialize", panic)
    refused(path)


def test_an_interrupt_is_not_swallowed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(safetensors, "deserialize", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_tensors(path)


def test_want_of_memory_is_a_file_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(tensors, "from_content", full)
    assert "memory" in refused(path, FileError)


def test_memory_is_bounded_by_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    save_tensors(path, {"w": np.zeros((1000, 2000), np.float32)}, {})
    with traced() as most:
        load_tensors(path)
        assert most() < 2.1 * path.stat().st_size
    edits = (tensor("w", shape=[2**20, 2**20]), tensor("w", data_offsets=[0, 2**42]))
    for edit in edits:
        edited(path, edit)
        with traced() as most:
            refused(path)
            assert most() < 2.1 * path.stat().st_size
