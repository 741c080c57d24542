"""A stack machine that runs the harmless part of pickle's language, and refuses the rest.

It knows the operations that `pickle.dumps(plain data, protocol=4)` emits and no other. It calls
nothing by name: `STACK_GLOBAL` yields a mark for one of four known names, and `REDUCE` and `BUILD`
accept exactly the arguments with which NumPy writes an array, from which the array is made here.
"""

import io
import math
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np

from char_rnn.errors import UnsafePickle
from char_rnn.storage.plain import DTYPES, NotPlainError, standard_key

MAX_OPERATIONS = 5_000_000
MAX_REPEATED = 64 * 2**20  # characters that are fetched from the memo, summed over all fetches


class MalformedError(Exception):
    """The bytes are not such a pickle; the message says why."""


class _Mark:
    """Stands for something that a pickle names; there is one for each."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Dtype:
    """A dtype being made: named by REDUCE, complete once BUILD gave its byte order."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.complete = False


class _Array:
    """An array being made: announced by REDUCE, and replaced by the array itself in BUILD."""


_RECONSTRUCT = _Mark("_reconstruct")
_NDARRAY = _Mark("ndarray")
_DTYPE = _Mark("dtype")
_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,  # NumPy 1
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,  # NumPy 2
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _DTYPE,
}


class Machine:
    """Runs one pickle and returns the tree of plain data that it builds.

    What it returns may still hold bytes, marks or unfinished arrays where a hostile file left
    them; `plain.checksum` refuses those.
    """

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []  # the stacks below each open MARK
        self.memo: list[Any] = []
        self.repeated = 0

    def run(self, data: bytes) -> Any:
        """Run `data`.

        Raises UnsafePickle, MalformedError or NotPlainError, and on want of memory MemoryError.
        """
        try:
            return self._run(io.BytesIO(data))
        except (UnsafePickle, MalformedError, NotPlainError, MemoryError):
            raise
        except Exception as error:  # an empty stack, a key that cannot be one, a bad argument …
            raise MalformedError(f"not a valid pickle ({type(error).__name__})") from error

    def _run(self, stream: io.BytesIO) -> Any:
        for _ in range(MAX_OPERATIONS):
            operation = _OPERATIONS.get(stream.read(1))
            if operation is None:
                raise MalformedError("it ends early or holds an unknown operation")
            step = _STEPS.get(operation.name)
            if step is None and operation.name != "STOP":
                raise _unsafe(operation, stream)
            argument = operation.arg.reader(stream) if operation.arg is not None else None
            if step is None:
                return self._result(stream)
            step(self, argument)
        raise MalformedError(f"more than {MAX_OPERATIONS:,} operations")

    def _result(self, stream: io.BytesIO) -> Any:
        if stream.read(1):
            raise MalformedError("something follows its end")
        if self.outer or len(self.stack) != 1:
            raise MalformedError("it ends in the middle of a value")
        return self.stack[0]

    def _push(self, value: Any) -> None:
        self.stack.append(value)

    def _since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.outer.pop()
        return items

    def _mark(self, _: None) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def _protocol(self, version: int) -> None:
        if version > 5:
            raise MalformedError(f"pickle protocol {version}")

    def _memoize(self, _: None) -> None:
        """Remember the top of the stack, if it is something that may be fetched again.

        A container may not: with it, a file could repeat it or put it into itself.
        """
        top = self.stack[-1]
        # Python has one object for each bytes of length 0 or 1, so that small arrays share theirs.
        keep = isinstance(top, str | _Mark | _Dtype) or (type(top) is bytes and len(top) < 2)
        self.memo.append(top if keep else None)

    def _fetch(self, index: int) -> None:
        value = self.memo[index]
        if value is None:
            raise MalformedError("it repeats a value that is not a string")
        if isinstance(value, str):
            self.repeated += len(value)
            if self.repeated > MAX_REPEATED:
                raise MalformedError(f"more than {MAX_REPEATED:,} characters of repeated strings")
        self._push(value)

    def _tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise MalformedError("a tuple of more than there is")
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        self._push(items)

    def _append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise MalformedError("it appends to what is no list")
        target.extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise MalformedError("it sets the items of what is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[standard_key(key)] = value

    def _named(self, _: None) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise MalformedError("a name that is not a string")
        if (module, name) not in _NAMES:
            raise UnsafePickle(f"it asks for {f'{module}.{name}'[:120]!r}")
        self._push(_NAMES[module, name])

    def _reduce(self, _: None) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if function is _DTYPE and type(arguments) is tuple and len(arguments) == 3:
            code, align, copy = arguments
            if type(code) is str and code in DTYPES and align is False and copy is True:
                self._push(_Dtype(code))
                return
            shown = repr(code[:20]) if type(code) is str else f"a {type(code).__name__}"
            raise UnsafePickle(f"it asks for an array of dtype {shown}")
        if function is _RECONSTRUCT and type(arguments) is tuple and len(arguments) == 3:
            kind, shape, code = arguments
            if kind is _NDARRAY and _is(shape, (0,)) and _is(code, b"b"):
                self._push(_Array())
                return
        raise UnsafePickle("it makes a call that no array needs")

    def _build(self, _: None) -> None:
        state, target = self.stack.pop(), self.stack.pop()
        if type(target) is _Dtype and _is_dtype_state(state):
            target.complete = True
            self._push(target)
        elif type(target) is _Array and type(state) is tuple and len(state) == 5:
            self._push(_array(*state))
        else:
            raise UnsafePickle("it sets a state that no array has")


def _array(version: Any, shape: Any, dtype: Any, fortran: Any, content: Any) -> Any:
    """Return the array of `shape` and `dtype` whose row-major bytes are `content`."""
    if not (_is(version, 1) and fortran is False and type(content) is bytes):
        raise MalformedError("an array that char-rnn did not write")
    if type(dtype) is not _Dtype or not dtype.complete:
        raise MalformedError("an array without a dtype")
    if type(shape) is not tuple or len(shape) > 32 or any(type(size) is not int for size in shape):
        raise MalformedError("an array without a shape")
    native = DTYPES[dtype.code]
    expected = math.prod(shape) * native.itemsize
    if any(not 0 <= size < 2**31 for size in shape) or len(content) != expected:
        raise MalformedError(f"an array of {len(content):,} bytes; its shape needs {expected:,}")
    array: np.ndarray[Any, Any] = np.empty(shape, native)
    if array.size:
        array.reshape(-1)[:] = np.frombuffer(content, native.newbyteorder("<"))
    return array


def _is(found: Any, expected: Any) -> bool:
    """Say whether `found` equals the scalar, or tuple of scalars, `expected` in value and type."""
    if type(found) is not type(expected):
        return False
    if type(expected) is tuple:
        return len(found) == len(expected) and all(map(_is, found, expected))
    return bool(found == expected)


def _is_dtype_state(state: Any) -> bool:
    return any(_is(state, (3, order, None, None, None, -1, -1, 0)) for order in "<|")


def _unsafe(operation: pickletools.OpcodeInfo, stream: io.BytesIO) -> UnsafePickle:
    """Return the error for an operation that plain data do not need."""
    asked = f"the operation {operation.name}"
    if operation.name in ("GLOBAL", "INST"):
        module, name = stream.readline(80).strip(), stream.readline(80).strip()
        asked = repr(f"{module.decode('latin-1')}.{name.decode('latin-1')}")
    return UnsafePickle(f"it asks for {asked}")


_OPERATIONS = {operation.code.encode("latin-1"): operation for operation in pickletools.opcodes}

_STEPS: dict[str, Callable[[Machine, Any], None]] = {
    "PROTO": Machine._protocol,
    "FRAME": lambda machine, size: None,
    "MARK": Machine._mark,
    "MEMOIZE": Machine._memoize,
    "BINGET": Machine._fetch,
    "LONG_BINGET": Machine._fetch,
    "NONE": lambda machine, _: machine._push(None),
    "NEWTRUE": lambda machine, _: machine._push(True),
    "NEWFALSE": lambda machine, _: machine._push(False),
    "BININT": Machine._push,
    "BININT1": Machine._push,
    "BININT2": Machine._push,
    "LONG1": Machine._push,
    "BINFLOAT": Machine._push,
    "SHORT_BINUNICODE": Machine._push,
    "BINUNICODE": Machine._push,
    "BINUNICODE8": Machine._push,
    "SHORT_BINBYTES": Machine._push,
    "BINBYTES": Machine._push,
    "BINBYTES8": Machine._push,
    "EMPTY_DICT": lambda machine, _: machine._push({}),
    "EMPTY_LIST": lambda machine, _: machine._push([]),
    "EMPTY_TUPLE": lambda machine, _: machine._push(()),
    "TUPLE": lambda machine, _: machine._push(tuple(machine._since_mark())),
    "TUPLE1": lambda machine, _: machine._tuple_of(1),
    "TUPLE2": lambda machine, _: machine._tuple_of(2),
    "TUPLE3": lambda machine, _: machine._tuple_of(3),
    "APPEND": lambda machine, _: machine._append([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine._append(machine._since_mark()),
    "SETITEM": lambda machine, _: machine._set_items([machine.stack.pop(-2), machine.stack.pop()]),
    "SETITEMS": lambda machine, _: machine._set_items(machine._since_mark()),
    "STACK_GLOBAL": Machine._named,
    "REDUCE": Machine._reduce,
    "BUILD": Machine._build,
}
