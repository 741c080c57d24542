"""Tensors come back as they were, and any safetensors reader can open them."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored import ARRAYS, CODES, assert_own, assert_same

from char_rnn.errors import FileError, UsageError
from char_rnn.storage import load_tensors, read_facts, save_tensors

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


NAMES = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda n: n != "__metadata__")


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    tensors=st.dictionaries(NAMES, ARRAYS, max_size=4),
    facts=st.dictionaries(st.text(), JSON, max_size=3),
)
def test_round_trip(tmp_path: Path, tensors: dict[str, Any], facts: dict[str, Any]) -> None:
    path = tmp_path / "a"
    save_tensors(path, tensors, facts)
    found, found_facts = load_tensors(path)
    assert_same(found, dict(sorted(tensors.items())))
    for array in found.values():
        assert_own(array)
    assert found_facts == facts == read_facts(path)
    first = path.read_bytes()
    save_tensors(path, dict(reversed(tensors.items())), dict(reversed(facts.items())))
    assert path.read_bytes() == first
    for name, array in safetensors.numpy.load(first).items():
        assert array.tobytes() == tensors[name].astype(array.dtype).tobytes()


def test_every_dtype_and_order_by_hand(tmp_path: Path) -> None:
    tensors = {
        f"{order}{code}{shape}": np.arange(np.prod(shape, dtype=int))
        .reshape(shape)
        .astype(order + code)
        for code in CODES
        for order in "<>"
        for shape in ((), (0,), (3,), (2, 3), (2, 0, 3))
    }
    save_tensors(tmp_path / "a", tensors, {})
    assert_same(load_tensors(tmp_path / "a")[0], dict(sorted(tensors.items())))


def test_the_library_reads_our_files_and_we_read_the_library_s(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    tensors = {"b": np.ones((2, 3), np.float32), "é": np.arange(3), "0": np.array(1.5)}
    save_tensors(path, tensors, {"x": 1})
    with safetensors.safe_open(path, framework="numpy") as file:
        assert file.metadata()["format_version"] == "2"
        safetensors.numpy.save_file(tensors, other, metadata=file.metadata())
    assert_same(load_tensors(other)[0], dict(sorted(tensors.items())))
    assert path.stat().st_size == other.stat().st_size


def test_bytes_are_known(tmp_path: Path) -> None:
    """A change of the format needs a new FORMAT_VERSION."""
    save_tensors(tmp_path / "a", {"w": np.array([1, 2], np.int16)}, {"b": 1, "a": "é"})
    content = (
        b'["char-rnn", 2, "{\\"a\\": \\"\\\\u00e9\\", \\"b\\": 1}", [["w", "I16", [2]]]]\1\0\2\0'
    )
    checksum = hashlib.sha256(content).hexdigest().encode()
    header = (
        b'{"__metadata__":{"checksum":"' + checksum + b'",'
        b'"facts":"{\\"a\\": \\"\\\\u00e9\\", \\"b\\": 1}","format":"char-rnn",'
        b'"format_version":"2"},"w":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}'
    )
    header += b" " * (-len(header) % 8)
    expected = len(header).to_bytes(8, "little") + header + b"\1\0\2\0"
    assert (tmp_path / "a").read_bytes() == expected


@pytest.mark.parametrize(
    ("tensors", "facts"),
    [
        ({"a": np.array([None])}, {}),
        ({"a": np.array(["x"])}, {}),
        ({"a": np.zeros(1, complex)}, {}),
        ({"a": np.zeros(1, "f4,i4")}, {}),
        ({"a": [1.0]}, {}),
        ({1: np.zeros(1)}, {}),
        ({"__metadata__": np.zeros(1)}, {}),
        ({"\ud800": np.zeros(1)}, {}),
        ({}, {"a": float("nan")}),
        ({}, {"a": float("inf")}),
        ({}, {"a": object()}),
        ({}, {"a": 1, 2: 3}),
        ({}, [1]),
        ({}, {"a": "x" * (8 * 2**20)}),
    ],
)
def test_what_cannot_be_stored(tmp_path: Path, tensors: Any, facts: Any) -> None:
    with pytest.raises(UsageError) as caught:
        save_tensors(tmp_path / "a", tensors, facts)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        save_tensors(tmp_path / "missing" / "a", {}, {})


def test_importing_loads_no_safetensors() -> None:
    program = "import sys, char_rnn.storage; sys.exit('safetensors' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
