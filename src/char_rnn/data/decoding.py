"""The bytes of a file as text, piece by piece, in UTF-8 or in whatever encoding they are.

The errors name the file, and say at which byte it is not what it should be.
"""

import codecs
import re
from collections.abc import Iterator

from char_rnn.errors import NotText, TextTooShort

CHUNK = 1 << 20
"""About how many bytes or characters a chunk has."""

HEAD = 1 << 16
UTF8 = "utf-8"
_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ANY_MARK = tuple(mark for mark, _ in _MARKS)
_MARK = "\ufeff"
_WIDE = ("utf-16", "utf-32")  # where a byte of zeros may be half of a character
_HELD = CHUNK  # bytes that a decoder may keep: only endless shift sequences of UTF-7 are longer
_HALF = re.compile("[\ud800-\udfff]")
AS_GOOD = 0.1  # of odd characters, as charset-normalizer counts them
_LIKELY = ("cp1252", "cp1251", "cp932", "gb18030", "cp949")  # before others that read the same


def encoding_of(begin: bytes, encoding: str = "") -> str:
    """Return the `encoding` of a file that begins so; else that of its mark, or UTF-8."""
    if encoding:
        return encoding
    if not begin.startswith(_ANY_MARK):
        return UTF8
    return next(name for mark, name in _MARKS if begin.startswith(mark))


def looks_like_text(begin: bytes, encoding: str = "") -> bool:
    """Tell whether the first 64 KiB of a file are text in its encoding, without a NUL."""
    decoder = codecs.getincrementaldecoder(encoding_of(begin, encoding))()
    try:
        text = decoder.decode(begin, final=len(begin) < HEAD)
    except UnicodeError:
        return False
    return "\0" not in text


def is_empty(begin: bytes, as_bytes: bool) -> bool:
    """Tell whether a file that begins so holds nothing; a byte order mark is no character."""
    return not begin or (begin in (codecs.BOM_UTF8, *_ANY_MARK) and not as_bytes)


def decoded(pieces: Iterator[bytes], label: str, encoding: str = "") -> Iterator[str]:
    """Yield the text that `pieces` are, without a mark at its beginning; none is empty.

    label: what an error calls it. encoding: else UTF-8, or by the mark in the first piece.
    Raises NotText for what the encoding cannot be, for a NUL, and for half of a surrogate pair.
    """
    decoder, name = None, encoding
    offset = 0  # of the first byte that the decoder has not turned into text
    begun = False
    for piece in pieces:
        if decoder is None:
            name = encoding_of(piece, encoding)
            decoder = codecs.getincrementaldecoder(name)()
        held = len(decoder.getstate()[0])
        if not name.startswith(_WIDE) and (nul := piece.find(b"\0")) >= 0:
            raise _binary(label, f"NUL byte at byte offset {offset + held + nul}")
        text = _decode(decoder, piece, offset, label, encoding, name)
        offset += held + len(piece) - len(decoder.getstate()[0])
        if not begun and text:
            begun, text = True, text.removeprefix(_MARK)
        if text:
            yield _checked(text, offset, label, name)
    if decoder is not None:
        text = _decode(decoder, b"", offset, label, encoding, name, final=True)
        if text:
            yield _checked(text, offset, label, name)


def _decode(
    decoder: codecs.IncrementalDecoder,
    piece: bytes,
    offset: int,
    label: str,
    encoding: str,
    name: str,
    final: bool = False,
) -> str:
    """Decode a piece; an error's offset counts from the file's first byte."""
    try:
        text = decoder.decode(piece, final)
        if len(decoder.getstate()[0]) > _HELD:
            raise UnicodeDecodeError(name, piece[:1], 0, 1, "a sequence without an end")
    except UnicodeError as error:  # one without a place: a UTF-16 file without its mark
        start, why = getattr(error, "start", 0), getattr(error, "reason", error)
        said = f"{label}: not valid {shown_encoding(name)} at byte offset {offset + start} ({why})"
        bad = getattr(error, "object", piece)[max(0, start - HEAD // 2) : start + HEAD // 2]
        like = "" if encoding else likeliest(bytes(bad))
        if like:
            what = f"it looks like {like} (--encoding {like}) (--bytes where it is no text)"
        elif encoding:
            what = "name another encoding (--encoding) (--bytes where it is no text)"
        else:
            what = "convert it to UTF-8 (--bytes where it is no text)"
        raise NotText(f"{said}; {what}") from None
    return text


def _checked(text: str, offset: int, label: str, name: str) -> str:
    """Return a `text` that ends before byte `offset`, if nothing in it is no character."""
    if name != UTF8:  # there it was looked for, or cannot be
        if "\0" in text:
            raise _binary(label, f"NUL before byte offset {offset}")
        if half := _HALF.search(text):
            raise NotText(
                f"{label}: half of a surrogate pair, {half[0]!r}, before byte offset {offset}; "
                "name another encoding (--encoding), or take it out"
            )
    return text


def _binary(label: str, what: str) -> NotText:
    return NotText(
        f"{label}: a {what}, so it looks binary; take another file (--bytes models bytes)"
    )


def likeliest(data: bytes) -> str:
    """Return the encoding that `data`, around a byte that is not UTF-8, looks like; "" for none."""
    from charset_normalizer import from_bytes  # only where something is wrong already

    begin = data.find(b"\n") + 1 if len(data) >= HEAD else 0  # not in the middle of a character
    matches = list(from_bytes(data[begin:]))
    if not matches:
        return ""
    best = matches[0]
    # Code pages of few languages make as good sense of common letters: French in cp1257.
    same = [m for m in matches if m.coherence >= best.coherence and m.chaos <= best.chaos + AS_GOOD]
    names = {codecs.lookup(name).name for m in same for name in m.could_be_from_charset}
    found = codecs.lookup(best.encoding).name
    return "" if found in ("ascii", UTF8) else next((n for n in _LIKELY if n in names), found)


def shown_encoding(name: str) -> str:
    """Return the name of an encoding as a sentence has it."""
    return name.upper() if name.startswith("utf") else name


def empty(label: str) -> TextTooShort:
    """Return the error for a text without a character."""
    return TextTooShort(f"{label}: empty; there is nothing to read")
