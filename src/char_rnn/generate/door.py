"""What is handed to a model that writes and what it hands back: a text, or bytes for bytes.

Inside, what a model of bytes writes is a text in which each byte that is not UTF-8 is half a
surrogate pair (Python's `surrogateescape`): nothing is lost, and where a text ends, its lines and
its turns are what they are for characters. It is turned here, on the way in and on the way out.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary
from char_rnn.errors import UsageError

T = TypeVar("T")


class Door(NamedTuple, Generic[T]):
    """enter: makes of what is given the text inside. leave: makes of that what is handed back."""

    enter: Callable[[T], str]
    leave: Callable[[str], T]


def door(vocabulary: AnyVocabulary, *given: str | bytes) -> Door[Any]:
    """Return the door for what is `given`: texts, or bytes; UsageError for bytes of characters."""
    of_bytes = isinstance(vocabulary, ByteVocabulary)
    if not any(isinstance(value, bytes) for value in given):
        return _SHOWN if of_bytes else _AS_IT_IS
    if not of_bytes:
        raise UsageError(
            "the model knows characters, and bytes are for a model of bytes; give a text: "
            "b'…'.decode()"
        )
    return _BYTES


def text_of(vocabulary: AnyVocabulary, ids: Sequence[int] | np.ndarray) -> str:
    """Return the text of `ids` as it is inside: every byte can be told from it."""
    if isinstance(vocabulary, ByteVocabulary):
        return from_bytes(vocabulary.decode_bytes(ids))
    return vocabulary.decode(ids)


def from_bytes(data: bytes) -> str:
    """Return the text inside that stands for `data`."""
    return data.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """Return the bytes that `text`, as it is inside, stands for."""
    return text.encode("utf-8", "surrogateescape")


def other_kind(vocabulary: AnyVocabulary, text: str | bytes) -> str | bytes:
    """Return a text as a model of bytes writes it, or its bytes as the text inside.

    A text of characters is itself.
    """
    if not isinstance(vocabulary, ByteVocabulary):
        return text
    if isinstance(text, bytes):
        return from_bytes(text)
    return vocabulary.decode_bytes(vocabulary.encode(text))


def _same(text: str) -> str:
    return text


def _to_show(text: str) -> str:
    """Return `text` with U+FFFD for what is not UTF-8."""
    return text if text.isascii() else to_bytes(text).decode("utf-8", "replace")


_AS_IT_IS: Door[str] = Door(_same, _same)
_SHOWN: Door[str] = Door(_same, _to_show)
_BYTES: Door[bytes] = Door(from_bytes, to_bytes)
