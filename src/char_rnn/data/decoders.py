"""One id at a time as text: a character each, or bytes until a character is whole."""

import codecs

from char_rnn.errors import UsageError


class CharacterDecoder:
    """Turns one id at a time into its character."""

    def __init__(self, idx_to_char: dict[int, str]) -> None:
        self._idx_to_char = idx_to_char

    def feed(self, idx: int) -> str:
        """Return the character of `idx`; UsageError for an id that is none."""
        try:
            return self._idx_to_char[idx]
        except (KeyError, TypeError):
            raise _no_id(idx, len(self._idx_to_char)) from None

    def finish(self) -> str:
        """Return nothing: no character is ever held back."""
        return ""


class ByteDecoder:
    """Turns one byte at a time into text, holding back a character that is not yet whole.

    A byte that is not UTF-8 becomes half a surrogate pair (surrogateescape): nothing is lost.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def feed(self, idx: int) -> str:
        """Return the text that the byte `idx` completes, often nothing."""
        try:
            return self._decoder.decode(bytes([idx]))
        except (TypeError, ValueError):
            raise _no_id(idx, 256) from None

    def finish(self) -> str:
        """Return what was held back."""
        return self._decoder.decode(b"", final=True)


def _no_id(idx: object, size: int) -> UsageError:
    return UsageError(f"{idx!r} is no id; expected a whole number, 0 … {size - 1}")
