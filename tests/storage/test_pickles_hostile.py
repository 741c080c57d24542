"""Whatever is in a pickle: it loads to what was saved, or it is refused, and nothing of it runs."""

import functools
import os
import pickle
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stored
from traced import traced

from char_rnn.errors import CorruptFile, FileError, UnsafePickle
from char_rnn.storage import load_pickle, save_pickle

SAVED = {
    "W_xh": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.arange(3.0),
    "vocabulary": {"a": 0, "é": 1},
    "settings": [1, 2.5, None, True, ("x", 70_000, 2**70)],
}


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "model.pkl"


def refused(path: Path, data: bytes, *kinds: type[FileError]) -> str:
    path.write_bytes(data)
    return stored.refused(load_pickle, path, *kinds)


def test_two_thousand_damaged_files(path: Path) -> None:
    save_pickle(path, SAVED)
    expected = pickle.dumps(load_pickle(path))
    same = 0
    for data in stored.damaged(path.read_bytes(), 2000, 2):
        path.write_bytes(data)
        try:
            found = load_pickle(path)
        except (CorruptFile, UnsafePickle) as error:
            assert str(error).isprintable()
        else:
            same += 1
            assert pickle.dumps(found) == expected
    assert same < 100  # the length of the frame and the like


def test_every_truncation_and_trailing_garbage(path: Path) -> None:
    save_pickle(path, SAVED)
    good = path.read_bytes()
    for length in range(len(good)):
        refused(path, good[:length], CorruptFile)
    refused(path, good + b"\0", CorruptFile)
    refused(path, good + good, CorruptFile)


def test_every_byte_of_an_array(path: Path) -> None:
    save_pickle(path, {"a": np.frombuffer(b"0123456789" * 5, np.uint8)})
    good = path.read_bytes()
    start = good.index(b"0123456789")
    for place in range(start, start + 50):
        data = bytearray(good)
        data[place] ^= 1
        assert "checksum" in refused(path, bytes(data), CorruptFile)


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


class Builds:
    """Pickles as a call with a state."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


def attacks(marker: Path) -> dict[str, Any]:
    """Return objects that create `marker` when pickle.load meets them."""
    code = f"open({str(marker)!r}, 'w').close()"
    shell = [sys.executable, "-c", code]
    return {
        "eval": Calls(eval, f"__import__('pathlib').Path({str(marker)!r}).touch()"),
        "exec": Calls(exec, code),
        "os.system": Calls(os.system, subprocess.list2cmdline(shell)),
        "subprocess": Calls(subprocess.check_call, shell),
        "open": Calls(open, str(marker), "w"),
        "Path": Calls(Path.touch, marker),
        "partial": Calls(functools.partial(exec, code)),
        "reduce": Calls(functools.reduce, exec, [code, {}]),
        "map": Calls(list, Calls(map, exec, [code])),
        "np.save": Calls(np.save, str(marker), np.zeros(1)),
        "np.fromfile": Calls(np.memmap, str(marker), "u1", "w+", 0, (1,)),
        "object array": np.array([Calls(exec, code)], dtype=object),
        "list state": Builds(list, (), None, iter([Calls(exec, code)])),
        "dict state": Builds(dict, (), None, None, iter([("a", Calls(exec, code))])),
        "array state": Builds(
            np.ndarray, ((0,),), (1, (1,), np.dtype(object), False, [Calls(exec, code)])
        ),
        "compile": Calls(exec, Calls(compile, code, "x", "exec")),
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", attacks(Path()))
def test_attacks_are_refused_and_do_not_run(path: Path, name: str, protocol: int) -> None:
    marker = path.parent / "ran.npy"
    for wrap in (
        lambda attack: attack,
        lambda attack: {"a": [(attack,)], "checksum": "0" * 64},
        lambda attack: {"checksum": attack},
    ):
        data = pickle.dumps(wrap(attacks(marker)[name]), protocol=protocol)
        refused(path, data, UnsafePickle)
        assert not marker.exists()
    pickle.loads(data)  # the attack is a real one
    assert marker.exists()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"cos\nsystem\n(S'touch x'\ntR.", "os.system"),
        (b"(S'touch x'\nios\nsystem\n.", "STRING"),
        (b"(ios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nX\x01\0\0\0xo.", "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.", "os.system"),
        (b"\x80\x02(U\x01xo.", "SHORT_BINSTRING"),
        (b"\x80\x02(o.", "OBJ"),
        (b"\x80\x02)\x81.", "NEWOBJ"),
        (b"\x80\x04})\x92.", "NEWOBJ_EX"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02\x83\x01\0.", "EXT2"),
        (b"\x80\x02\x84\x01\0\0\0.", "EXT4"),
        (b"Pxyz\n.", "PERSID"),
        (b"\x80\x02K\x01Q.", "BINPERSID"),
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
        (b"\x80\x05\x96" + b"\xff" * 8 + b".", "BYTEARRAY8"),
        (b"\x80\x04\x8c\x05numpy\x8c\x04load\x93.", "numpy.load"),
        (b"\x80\x04\x8c\x1cnumpy.testing._private.utils\x8c\x09runstring\x93.", "runstring"),
        (b"\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.", "ndarray.__class__"),
        (b"\x80\x04\x8c\x03a\nb\x8c\x03\x1b[0\x93.", "a"),
        (b"\x80\x02]}b.", "state"),
        (b"\x80\x02})R.", "call"),
        (b"c" + b"x" * 100_000, "x"),
        (b"\x80\x02L" + b"9" * 100_000 + b"L\n.", "LONG"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "LONG4"),
    ],
)
def test_operations_by_hand(path: Path, data: bytes, named: str) -> None:
    assert named in refused(path, data, UnsafePickle)


TRAPPED: list[Any] = []


def trap(*arguments: Any) -> None:
    TRAPPED.append(arguments)


def test_random_programs_run_nothing(path: Path) -> None:
    """Programs of the pieces of arrays, of operations, and of a function that tells if it ran."""
    names = [(__name__, "trap"), ("numpy", "dtype"), ("numpy", "ndarray"), ("builtins", "eval")]
    short = [b"\x8c" + bytes([len(word)]) + word.encode() for pair in names for word in pair]
    pieces = [m + n + b"\x93" for m, n in zip(short[::2], short[1::2], strict=True)]
    pieces += [f"c{module}\n{name}\n".encode() for module, name in names]
    pieces += [
        RECONSTRUCT,
        EMPTY,
        STATE,
        DTYPE,
        dtype(b"f4"),
        array(b"K\x01\x85"),
        b"K\0\x85C\x01b",
    ]
    pieces += [bytes([code]) for code in b"(t\x85\x86\x87ae\x94su\x93RbRb}])N\x88\x89o\x81\x92Q"]
    pieces += [b"h" + bytes([n]) for n in range(4)]
    rng = random.Random(0)
    for _ in range(2000):
        program = b"\x80\x04" + b"".join(rng.choices(pieces, k=rng.randrange(1, 25))) + b"."
        refused(path, program, CorruptFile, UnsafePickle)
        assert not TRAPPED
    pickle.loads(b"\x80\x04" + pieces[0] + b"N\x85R.")
    assert TRAPPED  # the trap is a real one


DTYPE = b"\x8c\x05numpy\x8c\x05dtype\x93"
NDARRAY = b"\x8c\x05numpy\x8c\x07ndarray\x93"
RECONSTRUCT = b"\x8c\x16numpy._core.multiarray\x8c\x0c_reconstruct\x93"
STATE = b"(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
EMPTY = RECONSTRUCT + NDARRAY + b"K\0\x85C\x01b\x87R"


def dtype(code: bytes, state: bytes = STATE) -> bytes:
    return DTYPE + b"\x8c" + bytes([len(code)]) + code + b"\x89\x88\x87R" + state


def array(shape: bytes, dtype: bytes = dtype(b"f4"), content: bytes = b"C\x04\0\0\0\0") -> bytes:
    return EMPTY + b"(K\x01" + shape + dtype + b"\x89" + content + b"tb"


HUGE = b"\x8a\x06" + (2**40).to_bytes(6, "little")


def test_arrays_by_hand_are_like_numpy_s() -> None:
    """The pieces that the next test breaks are right when whole."""
    found = pickle.loads(b"\x80\x04" + array(b"K\x01\x85") + b".")
    assert found.tolist() == [0]


@pytest.mark.parametrize(
    "piece",
    [
        array(HUGE + b"\x85"),
        array(HUGE + HUGE + HUGE + b"\x87"),
        array(b"K\0" + HUGE + b"\x86", content=b"C\0"),
        array(b"J\xff\xff\xff\xff\x85"),
        array(b"J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86"),
        array(b"\x88\x85"),
        array(b"G" + struct.pack(">d", 1) + b"\x85"),
        array(b"K\x01"),
        array(b"(" + b"K\x01" * 40 + b"t"),
        array(b"K\x02\x85"),
        array(b"K\x01\x85", dtype(b"O8")),
        array(b"K\x01\x85", dtype(b"O")),
        array(b"K\x01\x85", dtype(b"V4")),
        array(b"K\x01\x85", dtype(b"S4")),
        array(b"K\x01\x85", dtype(b"U1")),
        array(b"K\x01\x85", dtype(b"f8")),
        array(b"K\x01\x85", dtype(b"f4", b"")),
        array(b"K\x01\x85", dtype(b"f4", STATE.replace(b"<", b">"))),
        array(b"K\x01\x85", dtype(b"f4", STATE.replace(b"NNN", b"N)}"))),
        array(b"K\x01\x85", dtype(b"f4", b"}b")),
        array(b"K\x01\x85", b"\x8c\x02f4"),
        array(b"K\x01\x85", content=b"]N"[:1]),
        array(b"K\x01\x85", content=b"\x8c\x04abcd"),
        array(b"K\x01\x85", content=b"B\xff\xff\xff\xffabcd"),
        array(b"K\x01\x85", content=b"\x8e" + b"\xff" * 7 + b"\x7fabcd"),
        array(b"K\x01\x85") + b"(K\x01tb",
        EMPTY,
        EMPTY + b"}b",
        RECONSTRUCT,
        RECONSTRUCT + NDARRAY + HUGE + b"\x85C\x01b\x87R",
        RECONSTRUCT + NDARRAY + b"K\0\x85C\x01O\x87R",
        RECONSTRUCT + DTYPE + b"K\0\x85C\x01b\x87R",
        NDARRAY + HUGE + b"\x85\x85R",
        DTYPE + b"](K\x01e\x85R",
        DTYPE + b"}\x85R",
        DTYPE,
        b"C\x01b",
    ],
)
def test_odd_arrays(path: Path, piece: bytes) -> None:
    data = b"\x80\x04}\x8c\x01a" + piece + b"s."
    refused(path, data, UnsafePickle, CorruptFile)


def laughs(count: int) -> bytes:
    data = b"\x80\x04]\x94"
    for i in range(count):
        data += b"](" + b"h" + bytes([i]) + b"h" + bytes([i]) + b"e\x94"
    return data + b"."


LONG_STRING = b"X" + (2**20).to_bytes(4, "little") + b"x" * 2**20 + b"\x94"
COLLIDING = b"".join(
    b"\x8a\x0b" + (i * (2**61 - 1)).to_bytes(11, "little", signed=True) + b"N"
    for i in range(200_000)
)


@pytest.mark.parametrize(
    "data",
    [
        laughs(200),
        b"\x80\x04]\x94h\0a.",  # a list that holds itself
        b"\x80\x04}\x94\x8c\x01ah\0s.",  # a dictionary that holds itself
        b"\x80\x04](" + LONG_STRING + b"h\0" * 1_000_000 + b"e.",  # a terabyte of text
        b"\x80\x04}(" + COLLIDING + b"u.",  # keys of one hash
        b"\x80\x04" + b"]" * 300_000 + b"a" * 299_999 + b".",
        b"\x80\x04}\x8c\x01a" + b"]" * 300_000 + b"a" * 299_999 + b"s.",
        b"\x80\x04" + b")" + b"\x85" * 300_000 + b".",
        b"\x80\x04" + b"(" * 300_000 + b".",
        b"\x80\x04" + b"(" * 300_000 + b"t" * 300_000 + b".",
        b"\x80\x04\x95" + b"\xff" * 8 + b"}.",
        b"\x80\x04h\0.",
        b"\x80\x04j\xff\xff\xff\xff.",
        b"\x80\x04\x94.",
        b"\x80\x04e.",
        b"\x80\x04t.",
        b"\x80\x04\x87.",
        b"\x80\x04a.",
        b"\x80\x04s.",
        b"\x80\x04u.",
        b"\x80\x04R.",
        b"\x80\x04b.",
        b"\x80\x04\x93.",
        b"\x80\x04K\x01K\x02\x93.",
        b"\x80\x04}(K\x01u.",
        b"\x80\x04}]Ns.",
        b"\x80\x04K\x01(K\x02e.",
        b"\x80\x04\x8c\x02\xff\xff.",
        b"\x80\xff}.",
        b"\x80",
        b".",
        b"}",
        b"}.",
        b"N.",
        b"\x80\x04}}.",
        b"\xff" * 100,
        b"hello, this is a text and no pickle at all",
    ],
)
def test_bombs_and_nonsense(path: Path, data: bytes) -> None:
    refused(path, data, CorruptFile, UnsafePickle)


def test_memory_is_bounded(path: Path) -> None:
    save_pickle(path, {"a": np.zeros(1_000_000, np.float32)})
    good = path.read_bytes()
    with traced() as most:
        load_pickle(path)
        assert most() < 3.1 * len(good)
    for data in (
        b"\x80\x04}\x8c\x01a" + array(HUGE + b"\x85") + b"s.",
        b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + b"x" * 1000,
        b"\x80\x04\x8d" + (2**40).to_bytes(8, "little") + b"x" * 1000,
        b"\x80\x04j" + b"\xff" * 4,
        laughs(200),
    ):
        path.write_bytes(data)
        with traced() as most:
            with pytest.raises(FileError):
                load_pickle(path)
            assert most() < 2**20


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(FileError):
            load_pickle(path)
