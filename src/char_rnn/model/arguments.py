"""What a caller may hand to a model: sizes, ids, states, gradients; else it is a UsageError."""

import operator
from typing import Any

import numpy as np

from char_rnn.config import DTYPES
from char_rnn.errors import UsageError, unknown_name

Array = np.ndarray
State = Array | tuple[Array, Array]
"""h, (L, B, H), or the LSTM's h and c."""


def as_whole(name: str, value: Any) -> int:
    """Return `value`, a whole number of any type."""
    try:
        return operator.index(value)
    except TypeError:
        raise UsageError(f"{name} is {value!r}; it must be a whole number") from None


def as_dtype(dtype: Any, known: tuple[str, ...] = DTYPES) -> str:
    """Return the name of `dtype`, one of `known`; NumPy's types have one too."""
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = repr(dtype)
    if name not in known:
        raise unknown_name("dtype", dtype, known)
    return name


def as_ids(what: str, ids: Any, V: int) -> Array:
    """Return `ids` of any shape, at least one, each from 0 to V − 1, as an array of intp."""
    try:
        array = np.asarray(ids)
    except ValueError:
        raise UsageError(f"{what} have rows of different lengths; expected (T, B)") from None
    if array.size == 0 or array.dtype.kind not in "iu":
        raise _no_ids(what, array)
    if int(array.min()) < 0 or int(array.max()) >= V:
        raise UsageError(
            f"{what} reach from {array.min()} to {array.max()}; ids must lie between 0 and {V - 1}"
        )
    return array.astype(np.intp)


def as_window(what: str, ids: Any, V: int) -> Array:
    """Return ids (T, B) or (T,) as (T, B)."""
    array = as_ids(what, ids, V)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise _no_ids(what, array)
    return array


def _no_ids(what: str, array: Array) -> UsageError:
    return UsageError(
        f"{what} have the shape {array.shape} and dtype {array.dtype}; expected whole "
        "numbers of shape (T, B) or (T,), at least one"
    )


def as_numbers(what: str, values: Any, shape: tuple[int, ...], axes: str) -> Array:
    """Return `values`, numbers of just this shape; axes: how a message names it, `(T, B, V)`."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise UsageError(f"{what} has rows of different lengths; expected {axes}") from None
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise UsageError(
            f"{what} has the shape {array.shape} and dtype {array.dtype}; "
            f"expected numbers of shape {axes} = {shape}"
        )
    return array


def as_state(state: Any, states: int, shape: tuple[int, ...], dtype: str) -> Array:
    """Return a state as the network has it, (S, L, B, H).

    state: for S = 1 an array of `shape`, (L, B, H), else a pair (h, c) of them.
    """
    try:
        parts = list(state) if states > 1 else [state]
        arrays = [np.asarray(part, dtype) for part in parts]
    except (TypeError, ValueError):
        raise UsageError(f"state is {state!r}; expected {_expected(states, shape)}") from None
    found = [array.shape for array in arrays]
    if found != [shape] * states:
        given = ", ".join(map(str, found))
        raise UsageError(f"state has the shape {given}; expected {_expected(states, shape)}")
    return np.stack(arrays)


def _expected(states: int, shape: tuple[int, ...]) -> str:
    return f"(L, B, H) = {shape}" if states == 1 else f"a pair (h, c), each (L, B, H) = {shape}"


def outer_state(state: Array) -> State:
    """Return a state (S, …) of the network as callers have it; see `as_state`."""
    return (state[0], state[1]) if len(state) == 2 else state[0]
