"""A stack machine that runs the harmless part of pickle's language, and refuses the rest.

It knows the operations that `pickle.dumps(plain data, protocol=4)` emits and no other. It calls
nothing by name: `STACK_GLOBAL` yields a mark for one of three known names, and `REDUCE` and `BUILD`
accept exactly the arguments with which NumPy writes an array, from which the array is made here.
"""

import io
import pickletools
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from char_rnn.errors import UnsafePickle
from char_rnn.storage.arrays import DTYPES, from_content
from char_rnn.storage.fields import MisfitError, found_shown
from char_rnn.storage.plain import plain_key

MAX_OPERATIONS = 5_000_000
MAX_REPEATED = 64 * 2**20  # characters that are fetched from the memo, summed over all fetches


class UnsafeError(MisfitError):
    """A pickle asks for more than plain data."""

    error = UnsafePickle
    advice = "a pickle of char-rnn holds plain data only; nothing was run: do not open this file"


class _Mark(Enum):
    """Stands for what a pickle names, or for an array that BUILD is still to replace."""

    RECONSTRUCT = "numpy._core.multiarray._reconstruct"
    NDARRAY = "numpy.ndarray"
    DTYPE = "numpy.dtype"
    ARRAY = ""


def run(data: bytes) -> Any:
    """Run the pickle `data` and return the tree of plain data that it builds.

    Where a hostile file left bytes, marks or dtypes in the tree, `plain.sealed` refuses them.
    Raises MisfitError, and on want of memory MemoryError.
    """
    machine, stream = _Machine(), io.BytesIO(data)
    try:
        for _ in range(MAX_OPERATIONS):
            operation = _OPERATIONS[stream.read(1)]
            if operation.name == "STOP":
                break
            if operation.name not in _KNOWN:
                raise UnsafeError(f"asks for {_asked(operation.name, stream)!r}")
            argument = operation.arg.reader(stream) if operation.arg else None
            machine.step(operation.name, argument)
        else:
            raise MisfitError(f"holds more than {MAX_OPERATIONS:,} operations")
    except (MisfitError, MemoryError):
        raise
    except Exception as error:  # it is cut, takes what is not there, has a bad argument …
        raise MisfitError(f"is not a valid pickle ({type(error).__name__})") from error
    if stream.read(1) or machine.outer or len(machine.stack) != 1:
        raise MisfitError("is not a valid pickle: it does not end with its value")
    return machine.stack[0]


def _asked(name: str, stream: io.BytesIO) -> str:
    """Return what to call an operation that plain data do not need, before it is read."""
    if name not in ("GLOBAL", "INST"):
        return name
    return ".".join(stream.readline(80).strip().decode("latin-1") for _ in range(2))


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []  # the stacks below each open MARK
        self.memo: list[Any] = []
        self.repeated = 0

    def step(self, name: str, argument: Any) -> None:
        if name in _PUSH:
            self.stack.append(argument)
        elif name in _MAKE:
            self.stack.append(_MAKE[name]())
        elif name in _TAKE:
            make, count, marked = _TAKE[name]
            items = self._taken(count, marked)  # which may change the stack for the one below
            self.stack.append(make(*items))
        elif name == "MARK":
            self.outer.append(self.stack)
            self.stack = []
        elif name == "MEMOIZE":
            self._memoize()
        elif name in ("BINGET", "LONG_BINGET"):
            self._fetch(argument)

    def _taken(self, count: int, marked: bool) -> list[Any]:
        """Take from the stack, if `marked`, all since the last MARK, and `count` values below."""
        above: list[Any] = []
        if marked:
            above, self.stack = self.stack, self.outer.pop()
        return [self.stack.pop() for _ in range(count)][::-1] + above

    def _memoize(self) -> None:
        """Remember the top of the stack, if it is something that may be fetched again.

        A container may not: with it, a file could repeat it or put it into itself.
        """
        top = self.stack[-1]
        # Python has one object for each bytes of length 0 or 1, so that small arrays share theirs.
        keep = isinstance(top, str | _Mark | np.dtype) or (type(top) is bytes and len(top) < 2)
        self.memo.append(top if keep else None)

    def _fetch(self, index: int) -> None:
        value = self.memo[index]
        if value is None:
            raise MisfitError("is damaged: it repeats a value that is not a string")
        self.repeated += len(value) if isinstance(value, str) else 0
        if self.repeated > MAX_REPEATED:
            raise MisfitError(f"holds more than {MAX_REPEATED:,} characters of repeated strings")
        self.stack.append(value)


def _append(target: list[Any], *items: Any) -> list[Any]:
    if type(target) is not list:
        raise MisfitError("is damaged: it appends to what is no list")
    target.extend(items)
    return target


def _set_items(target: dict[Any, Any], *items: Any) -> dict[Any, Any]:
    if type(target) is not dict:
        raise MisfitError("is damaged: it sets the items of what is no dictionary")
    for key, value in zip(items[::2], items[1::2], strict=True):
        target[plain_key(key)] = value
    return target


def _named(module: str, name: str) -> _Mark:
    asked = ".".join((module, name)).replace("numpy.core.", "numpy._core.")  # as NumPy 1 named it
    if asked not in {mark.value for mark in _Mark}:
        raise UnsafeError(f"asks for {asked[:120]!r}")
    return _Mark(asked)


def _called(function: Any, arguments: Any) -> Any:
    if function is _Mark.RECONSTRUCT and _is(arguments, _Mark.NDARRAY, (0,), b"b"):
        return _Mark.ARRAY
    if function is _Mark.DTYPE and type(arguments) is tuple and _is(arguments[1:], False, True):
        code = arguments[0]
        if type(code) is str and code in DTYPES:
            return DTYPES[code]
        raise UnsafeError(f"asks for an array of dtype {found_shown(code)}")
    raise UnsafeError("makes a call that no array needs")


def _built(target: Any, state: Any) -> Any:
    if isinstance(target, np.dtype):
        if any(_is(state, 3, order, None, None, None, -1, -1, 0) for order in "<|"):
            return target
    elif target is _Mark.ARRAY and type(state) is tuple and len(state) == 5:
        version, shape, dtype, fortran, data = state
        if not _is((version, fortran, type(shape), type(data)), 1, False, tuple, bytes):
            raise MisfitError("holds an array that char-rnn did not write")
        if isinstance(dtype, np.dtype):
            return from_content(dtype, shape, data)
    raise UnsafeError("sets a state that no array has")


def _is(found: Any, *expected: Any) -> bool:
    """Say whether the tuple `found` holds just what is `expected`, in value and type."""
    return (
        type(found) is tuple
        and len(found) == len(expected)
        and all(type(a) is type(b) and a == b for a, b in zip(found, expected, strict=True))
    )


_OPERATIONS = {operation.code.encode("latin-1"): operation for operation in pickletools.opcodes}
_PUSH = {
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINUNICODE", "BINUNICODE"),
    *("BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
_MAKE: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_TAKE: dict[str, tuple[Callable[..., Any], int, bool]] = {  # what is made of what `_taken` takes
    "TUPLE": (lambda *items: items, 0, True),
    "TUPLE1": (lambda *items: items, 1, False),
    "TUPLE2": (lambda *items: items, 2, False),
    "TUPLE3": (lambda *items: items, 3, False),
    "APPEND": (_append, 2, False),
    "APPENDS": (_append, 1, True),
    "SETITEM": (_set_items, 3, False),
    "SETITEMS": (_set_items, 1, True),
    "STACK_GLOBAL": (_named, 2, False),
    "REDUCE": (_called, 2, False),
    "BUILD": (_built, 2, False),
}
_KNOWN = {*_PUSH, *_MAKE, *_TAKE, "MARK", "MEMOIZE", "BINGET", "LONG_BINGET", "PROTO", "FRAME"}
