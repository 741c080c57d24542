"""A pickle comes back as it was, and any NumPy user can open it."""

import pickle
from collections import OrderedDict
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored import ARRAYS, CODES, assert_own, assert_same

from char_rnn.errors import FileError, UsageError
from char_rnn.storage import load_pickle, pickle_machine, save_pickle

KEYS = st.text().filter(lambda key: key != "checksum") | st.integers(1 - 2**31, 2**31 - 1)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**1000), 2**1000)
    | st.floats()
    | st.text(st.characters())
    | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(obj=st.dictionaries(KEYS, PLAIN, max_size=4))
def test_round_trip(tmp_path: Path, obj: dict[Any, Any]) -> None:
    save_pickle(tmp_path / "a.pkl", obj)
    assert_same(load_pickle(tmp_path / "a.pkl"), obj)
    with (tmp_path / "a.pkl").open("rb") as file:
        opened = pickle.load(file)
    assert len(opened.pop("checksum")) == 64
    assert_same(opened, obj)


def test_arrays_are_the_caller_s_own(tmp_path: Path) -> None:
    shared = np.arange(6.0).reshape(2, 3)
    save_pickle(tmp_path / "a.pkl", {"a": shared, "b": shared, "c": shared.T})
    found = load_pickle(tmp_path / "a.pkl")
    for array in found.values():
        assert_own(array)
    found["a"][:] = 0
    np.testing.assert_array_equal(found["b"], shared)


def test_the_checksum_is_known(tmp_path: Path) -> None:
    """With another, files that users have could not be read."""
    array = np.array([[1, 2]], ">i2")
    obj = {"é": [1, -2.5, None, True, ("x", 2**70)], 3: {}, "a": array, "f": array.astype("f4").T}
    save_pickle(tmp_path / "a.pkl", obj)
    with (tmp_path / "a.pkl").open("rb") as file:
        assert pickle.load(file)["checksum"] == (
            "95a848463e49d256c4846eb2ae47ab9997be2214fbe37c7ac1740f0c72f2c870"
        )


def test_numpy_opens_it(tmp_path: Path) -> None:
    save_pickle(tmp_path / "a.pkl", {"W_xh": np.ones((2, 3)), "ix_to_char": {0: "a"}})
    found = np.load(tmp_path / "a.pkl", allow_pickle=True)
    np.testing.assert_array_equal(found["W_xh"], np.ones((2, 3)))


def test_numpy_1_names(tmp_path: Path) -> None:
    """What NumPy 1.26 writes differs in the name of one module."""
    save_pickle(tmp_path / "a.pkl", {"a": np.arange(3), "b": np.ones(2)})
    data = (tmp_path / "a.pkl").read_bytes()
    names = [b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray"]
    new, old = sorted(names, key=lambda name: name not in data)
    assert data.count(new) == 1
    (tmp_path / "a.pkl").write_bytes(data.replace(new, old))
    assert load_pickle(tmp_path / "a.pkl")["a"].tolist() == [0, 1, 2]


def test_large_values(tmp_path: Path) -> None:
    """Every length of every operation: 1, 2 and 4 bytes, more than a frame, more than a batch."""
    obj = {
        "strings": ["x" * n for n in (0, 255, 256, 70_000)],
        "integers": [0, 255, 256, 65_535, 65_536, 2**31, -(2**31), -1, 2**1000, -(2**1000)],
        "arrays": [np.zeros(n, np.uint8) for n in (0, 255, 256, 70_000)],
        "many": list(range(5000)),
        "names": {str(i): i for i in range(5000)},
        "again": ["shared", "shared"],
        "tiny": [np.zeros(n, code) for n in (0, 1) for code in CODES * 2],
    }
    save_pickle(tmp_path / "a.pkl", obj)
    assert_same(load_pickle(tmp_path / "a.pkl"), obj)


def test_subclasses_become_what_they_extend(tmp_path: Path) -> None:
    class Cell(str, Enum):  # noqa: UP042 (whose str() is "Cell.GRU")
        GRU = "gru"

    class Count(IntEnum):
        TWO = 2

    obj = OrderedDict(a=Cell.GRU, b=Count.TWO, c=np.float64(1.5), d=np.str_("x"))
    save_pickle(tmp_path / "a.pkl", obj)
    assert_same(load_pickle(tmp_path / "a.pkl"), {"a": "gru", "b": 2, "c": 1.5, "d": "x"})


def cycle() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    return loop


def laughs() -> dict[str, Any]:
    level: list[Any] = []
    for _ in range(30):
        level = [level] * 10
    return {"laughs": level}


@pytest.mark.parametrize(
    "obj",
    [
        [1],
        {"checksum": 1},
        {"a": object()},
        {"a": b"bytes"},
        {"a": {1, 2}},
        {"a": 1j},
        {"a": print},
        {"a": np.array([None])},
        {"a": np.array(["x"])},
        {"a": np.zeros(1, complex)},
        {"a": np.zeros(1, "f4,i4")},
        {"a": np.zeros(1, "M8[s]")},
        {"a": np.float32(1)},
        {1.5: 1},
        {None: 1},
        {True: 1},
        {(1, 2): 1},
        {2**31: 1},
        {10**5000: 1},
        {"a": 2**1025},
        {"a": 10**5000},
        cycle(),
        laughs(),
        {"a": ["x" * 2**20] * 100},
    ],
)
def test_what_is_not_plain(tmp_path: Path, obj: Any) -> None:
    with pytest.raises(UsageError) as caught:
        save_pickle(tmp_path / "a.pkl", obj)
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_that_could_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickle_machine, "_KNOWN", pickle_machine._KNOWN - {"BINFLOAT"})
    with pytest.raises(UsageError, match="BINFLOAT"):
        save_pickle(tmp_path / "a.pkl", {"a": 1.5})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        save_pickle(tmp_path / "missing" / "a.pkl", {})
