"""One part of a text, a file or bytes in memory: raw or as UTF-8, piece by piece.

The errors name the part, and say at which byte it is not what it should be.
"""

import codecs
from collections.abc import Iterator
from pathlib import Path

from char_rnn.data.builtin import BUILTIN
from char_rnn.errors import CharRNNError, DataError, NotText, TextNotFound, TextTooShort

Part = Path | bytes

CHUNK = 1 << 20
"""About how many bytes or characters a chunk has."""

HEAD = 1 << 16
_OTHER_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def head(path: Path) -> bytes:
    """Return the first 64 KiB of a file."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise trouble(path, error) from None


def looks_like_text(begin: bytes) -> bool:
    """Tell whether the first 64 KiB of a file are UTF-8 without a NUL byte."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(begin, final=len(begin) < HEAD)
    except UnicodeDecodeError:
        return False
    return b"\0" not in begin


def is_empty(begin: bytes, as_bytes: bool) -> bool:
    """Tell whether a file that begins so holds nothing; a byte order mark is no character."""
    return not begin or (begin == codecs.BOM_UTF8 and not as_bytes)


def raw(part: Part) -> Iterator[bytes]:
    """Yield the bytes of a part; none of the pieces is empty."""
    if isinstance(part, bytes):
        for start in range(0, len(part), CHUNK):
            yield part[start : start + CHUNK]
        return
    try:
        file = part.open("rb")
    except OSError as error:
        raise trouble(part, error) from None
    with file:
        while True:
            try:
                piece = file.read(CHUNK)
            except OSError as error:
                raise trouble(part, error) from None
            if not piece:
                return
            yield piece


def decoded(part: Part, label: str) -> Iterator[str]:
    """Yield the text of a part, which errors call `label`; none of the pieces is empty."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0  # of the first byte that the decoder has not turned into text
    for piece in raw(part):
        if offset == 0 and not decoder.getstate()[0]:
            for mark, encoding in _OTHER_BOMS:
                if piece.startswith(mark):
                    raise NotText(
                        f"{label}: text in {encoding} (by its byte order mark), not UTF-8; "
                        "convert it to UTF-8, or take it as bytes (--bytes)"
                    )
            if piece.startswith(codecs.BOM_UTF8):
                piece = piece[len(codecs.BOM_UTF8) :]
                offset = len(codecs.BOM_UTF8)
        held = len(decoder.getstate()[0])
        nul = piece.find(b"\0")
        if nul >= 0:
            raise NotText(
                f"{label}: a NUL byte at byte offset {offset + held + nul}, so it looks binary; "
                "take it as bytes (--bytes)"
            )
        text = _decode(decoder, piece, offset, label)
        offset += held + len(piece) - len(decoder.getstate()[0])
        if text:
            yield text
    _decode(decoder, b"", offset, label, final=True)


def _decode(
    decoder: codecs.IncrementalDecoder, piece: bytes, offset: int, label: str, final: bool = False
) -> str:
    """Decode a piece; an error's offset counts from the file's first byte."""
    try:
        return decoder.decode(piece, final)
    except UnicodeDecodeError as error:
        raise NotText(
            f"{label}: not valid UTF-8 at byte offset {offset + error.start} ({error.reason}); "
            "convert it to UTF-8, or take it as bytes (--bytes)"
        ) from None


def expected() -> str:
    """Say what the name of a text may be."""
    return f"give a file, a folder, - or a built-in text: {', '.join(BUILTIN)}"


def empty(label: str) -> TextTooShort:
    """Return the error for a text without a character."""
    return TextTooShort(f"{label}: empty; there is nothing to read")


def trouble(path: Path, error: OSError) -> CharRNNError:
    """Return the error for a file that the system refuses to read."""
    reason = (error.strerror or type(error).__name__).lower()
    if isinstance(error, FileNotFoundError):
        return TextNotFound(f"{shown(path)}: {reason}; {expected()}")
    return DataError(f"{shown(path)}: cannot be read: {reason}")


def shown(path: Path) -> str:
    """Return a path in one line, whatever characters it holds."""
    text = str(path)
    return text if text.isprintable() else repr(text)
