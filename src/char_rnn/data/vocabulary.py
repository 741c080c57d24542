"""Characters as numbers: the vocabulary of a text, and the 256 bytes."""

import operator
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from char_rnn.data.decoders import ByteDecoder, CharacterDecoder
from char_rnn.data.form import Form
from char_rnn.errors import UnknownCharacters, UsageError
from char_rnn.storage.fields import Maybe, MisfitError, boolean, choice, misfit, read, record, text
from char_rnn.text_config import NORMAL_FORMS, between

Array = np.ndarray
MOST_NAMED = 10
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
RARE_SHOWN, END_SHOWN = "\ufffd", "\n"
"""What a symbol that is no character is shown as, where one must be shown."""


class Vocabulary:
    """The sorted distinct characters of a text, numbered from 0, and up to two symbols after them.

    normalize, lowercase: the form that every text is taken in (form.py); `text` has it already.
    rare: whether one symbol stands for every character that is not named; it is never written.
    documents: what a document is (see TextConfig); if not "", one symbol ends and begins each.

    chars: the characters. size: V, all symbols. char_to_idx, idx_to_char: the two directions.
    rare, end: the ids of those symbols, or None.
    dtype: the smallest unsigned type that holds every id.
    """

    kind: ClassVar[str] = "characters"
    unit: ClassVar[str] = "character"

    def __init__(
        self,
        text: str,
        *,
        normalize: str = "",
        lowercase: bool = False,
        rare: bool = False,
        documents: str = "",
    ) -> None:
        self.chars = sorted(set(_checked_text(text)))
        self.form, self.documents = Form(normalize, lowercase), documents
        self.rare = len(self.chars) if rare else None
        self.end = len(self.chars) + rare if documents else None
        shown = [*self.chars, *(RARE_SHOWN,) * rare, *(END_SHOWN,) * bool(documents)]
        self.size = len(shown)
        self.char_to_idx = {ch: i for i, ch in enumerate(self.chars)}
        self.idx_to_char = dict(enumerate(shown))
        self.dtype = np.min_scalar_type(max(self.size - 1, 0))
        # Of every code point up to the largest, and of one beyond, the id; `size` for none.
        codes = code_points("".join(self.chars))
        self._codes = code_points("".join(shown))
        unknown = self.size if self.rare is None else self.rare
        self._table = np.full(int(codes.max(initial=0)) + 2, unknown, np.uint32)
        self._table[codes] = np.arange(len(codes))

    @classmethod
    def from_characters(cls, chars: Iterable[str], **more: Any) -> "Vocabulary":
        """Return the vocabulary of `chars`; more: as for the class."""
        return cls("".join(chars), **more)

    @property
    def between(self) -> str:
        """What stands between two documents that are written one after the other, "" for none."""
        return between(self.documents)

    def with_characters(self, chars: Iterable[str]) -> "Vocabulary":
        """Return a vocabulary of these characters that is like this one in all else."""
        return Vocabulary("".join(chars), **self._more())

    def _more(self) -> dict[str, Any]:
        """Return what it is beside its characters, without what is not so."""
        more = {
            "normalize": self.form.normalize,
            "lowercase": self.form.lowercase,
            "rare": self.rare is not None,
            "documents": self.documents,
        }
        return {name: value for name, value in more.items() if value}

    def formed(self, text: str) -> str:
        """Return `text` in the form of this vocabulary, which knows CR only if it is one of them.

        Without CR among its characters, CR LF and CR are LF.
        """
        if "\r" in text and "\r" not in self.char_to_idx:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return self.form(text)

    def beginning(self, seed: str = "") -> Array:
        """Return the ids (n,) that a text which begins with `seed` is begun with.

        Of documents the symbol that begins one comes first; else an empty seed begins a new line,
        where there is such a character.
        """
        if self.end is None:
            return self.encode(seed or ("\n" if "\n" in self else ""))
        return np.concatenate([np.array([self.end], self.dtype), self.encode(seed)])

    def encode(self, text: str) -> Array:
        """Return the ids of `text` in this vocabulary's form, (n,).

        UnknownCharacters names what has none.
        """
        text = self.formed(_checked_text(text))
        try:
            return self.encode_codes(code_points(text))
        except UnknownCharacters as error:
            form, same = self.best_form(text)
            if self.unknown(same):
                raise
            raise UnknownCharacters(
                f"{error}, or take the text in the form {form}, which it knows: "
                f"unicodedata.normalize({form!r}, text)"
            ) from None

    def encode_codes(self, codes: Array) -> Array:
        """Return the ids of Unicode code points (N,) uint32."""
        ids = self._ids_of(codes)
        if np.any(ids == self.size):
            unknown = map(chr, np.unique(codes[ids == self.size]))
            raise UnknownCharacters(
                f"the model does not know the characters {named(unknown)}; leave them out"
            )
        encoded: Array = ids.astype(self.dtype)
        return encoded

    def knows(self, codes: Array) -> Array:
        """Tell of which code points (N,) a symbol stands for, (N,) bool."""
        known: Array = self._ids_of(codes) != self.size
        return known

    def _ids_of(self, codes: Array) -> Array:
        """Return the ids of code points (N,), `size` for what has none."""
        ids: Array = self._table[np.minimum(codes, len(self._table) - 1)]
        return ids

    def decode(self, ids: Sequence[int] | Array) -> str:
        """Return the text of `ids`, (len(ids),); an id out of range raises UsageError.

        A rare character is shown as U+FFFD, the end of a document as a line end.
        """
        return from_code_points(self._codes[checked_ids(ids, self.size)])

    def unknown(self, text: str) -> list[str]:
        """Return the distinct characters of `text` that no symbol stands for, sorted."""
        if self.rare is not None:
            return []
        return sorted(set(self.formed(text)) - self.char_to_idx.keys())

    def best_form(self, text: str) -> tuple[str, str]:
        """Return the Unicode form in which the fewest characters are unknown, and `text` in it.

        The form is NFC or NFD, or "" where `text` is best as it is.
        """
        if self.form.normalize:
            return "", text
        forms = {"": text} | {form: unicodedata.normalize(form, text) for form in FORMS}
        best = min(forms, key=lambda form: len(self.unknown(forms[form])))
        return best, forms[best]

    def without_unknown(self, text: str) -> str:
        """Return `text` in this form, without the characters that no symbol stands for."""
        codes = code_points(self.formed(text))
        return from_code_points(codes[self.knows(codes)])

    def decoder(self) -> CharacterDecoder:
        """Return a decoder that takes one id at a time."""
        return CharacterDecoder(self.idx_to_char)

    def to_dict(self) -> dict[str, Any]:
        """Return what `vocabulary_from_dict` needs."""
        # A list: in one string, a high and a low surrogate would become one character in JSON.
        return {"kind": self.kind, "characters": self.chars} | self._more()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and other.to_dict() == self.to_dict()

    def __hash__(self) -> int:
        return hash(tuple(self.chars))

    def __len__(self) -> int:
        return self.size

    def __contains__(self, char: object) -> bool:
        return char in self.char_to_idx

    def __repr__(self) -> str:
        more = "".join(f", {name}={value!r}" for name, value in self._more().items())
        return f"Vocabulary({''.join(self.chars)!r}{more})"


class ByteVocabulary:
    """All 256 bytes, so that nothing is unknown; text goes in and comes out as UTF-8.

    documents, end: as of a Vocabulary.
    `char_to_idx` and `idx_to_char` name a byte by the Latin-1 character of its number.
    """

    kind: ClassVar[str] = "bytes"
    unit: ClassVar[str] = "byte"
    rare: ClassVar[None] = None

    def __init__(self, documents: str = "") -> None:
        self.documents = documents
        self.end = 256 if documents else None
        self.size = 256 + bool(documents)
        self.dtype = np.min_scalar_type(self.size - 1)
        self.chars = [chr(i) for i in range(256)]
        self.char_to_idx = {ch: i for i, ch in enumerate(self.chars)}
        self.idx_to_char = dict(enumerate([*self.chars, *(END_SHOWN,) * bool(documents)]))

    @property
    def between(self) -> str:
        """What stands between two documents that are written one after the other, "" for none."""
        return between(self.documents)

    def beginning(self, seed: str | bytes = "") -> Array:
        """Return the ids (n,) that a text which begins with `seed` is begun with.

        Of documents the symbol that begins one comes first; else an empty seed begins a new line.
        """
        if self.end is None:
            return self.encode(seed or "\n")
        return np.concatenate([np.array([self.end], self.dtype), self.encode(seed)])

    def encode(self, text: str | bytes) -> Array:
        """Return the bytes of `text` as ids, (N,).

        Bytes that the system could not decode (surrogateescape) come back as they were.
        """
        data = text if isinstance(text, bytes) else _utf8(_checked_text(text))
        return np.frombuffer(data, np.uint8).astype(self.dtype)

    def encode_codes(self, codes: Array) -> Array:
        """Return bytes (N,), given as numbers, as ids."""
        return codes.astype(self.dtype, copy=False)

    def decode_bytes(self, ids: Sequence[int] | Array) -> bytes:
        """Return the bytes of `ids`, (len(ids),); an id out of range raises UsageError.

        The end of a document is shown as a line end.
        """
        found = checked_ids(ids, self.size)
        return bytes(np.where(found == self.end, ord(END_SHOWN), found).astype(np.uint8))

    def decode(self, ids: Sequence[int] | Array) -> str:
        """Return the text of `ids`; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def unknown(self, text: str) -> list[str]:
        """Return an empty list: every byte is known."""
        return []

    def best_form(self, text: str) -> tuple[str, str]:
        """Return "" and `text`: every byte is known."""
        return "", text

    def without_unknown(self, text: str) -> str:
        """Return `text`: every byte is known."""
        return text

    def decoder(self) -> ByteDecoder:
        """Return a decoder that takes one id at a time."""
        return ByteDecoder()

    def to_dict(self) -> dict[str, Any]:
        """Return what `vocabulary_from_dict` needs."""
        return {"kind": self.kind} | ({"documents": self.documents} if self.documents else {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByteVocabulary) and other.documents == self.documents

    def __hash__(self) -> int:
        return hash(self.kind)

    def __len__(self) -> int:
        return self.size

    def __contains__(self, char: object) -> bool:
        return char in self.char_to_idx

    def __repr__(self) -> str:
        return f"ByteVocabulary({self.documents!r})" if self.documents else "ByteVocabulary()"


AnyVocabulary = Vocabulary | ByteVocabulary


def vocabulary_from_dict(saved: Any) -> AnyVocabulary:
    """Return the vocabulary that `to_dict` described; raises CorruptFile if it does not fit."""
    vocabulary: AnyVocabulary = read(saved_vocabulary, saved, "a saved vocabulary")
    return vocabulary


def saved_vocabulary(saved: Any) -> AnyVocabulary:
    """Let the dictionary of a vocabulary through, as that vocabulary (see storage/fields.py)."""
    found = _SAVED(saved)
    if found["kind"] == ByteVocabulary.kind:
        return ByteVocabulary(found["documents"])
    chars = found.get("characters")
    if type(chars) is not list or not all(type(c) is str and len(c) == 1 for c in chars):
        raise misfit(chars, "a list of single characters").at("characters")
    more = {name: found[name] for name in ("normalize", "lowercase", "rare", "documents")}
    vocabulary = Vocabulary.from_characters(chars, **more)
    if vocabulary.chars != chars:
        raise MisfitError("are not sorted, or repeat one").at("characters")
    return vocabulary


_SAVED = record(
    {
        "kind": choice(Vocabulary.kind, ByteVocabulary.kind),
        "characters": Maybe(lambda chars: chars),
        "normalize": Maybe(choice(*NORMAL_FORMS), ""),
        "lowercase": Maybe(boolean, False),
        "rare": Maybe(boolean, False),
        "documents": Maybe(text(), ""),
    }
)


def one_hot(index: int, vocab_size: int) -> Array:
    """Return the column (V, 1) that is 1 at `index` and 0 elsewhere."""
    try:
        place, size = operator.index(index), operator.index(vocab_size)
    except TypeError:
        raise UsageError(
            f"one_hot({index!r}, {vocab_size!r}): both must be whole numbers"
        ) from None
    if not 0 <= place < size:
        raise UsageError(f"index {index} has no place in a vocabulary of {vocab_size}")
    column = np.zeros((size, 1))
    column[place] = 1.0
    return column


def code_points(text: str) -> Array:
    """Return the Unicode code points of `text`, (len(text),) uint32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)


def from_code_points(codes: Array) -> str:
    """Return the text of Unicode code points (N,)."""
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def named(chars: Iterable[str]) -> str:
    """Return characters as a message names them: up to ten, and code points beyond ASCII.

    Many that differ look the same: é is U+00E9, or e and U+0301.
    """
    found = list(chars)
    shown = [repr(c) if c.isascii() else f"{c!r} (U+{ord(c):04X})" for c in found[:MOST_NAMED]]
    more = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
    return ", ".join(shown) + more


def checked_ids(ids: Sequence[int] | Array, size: int) -> Array:
    """Return `ids` as an array (N,), or raise UsageError if one is not in 0 … size − 1."""
    try:
        array = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids)).reshape(-1)
    except (TypeError, ValueError):
        raise UsageError(f"ids are {ids!r}; expected a sequence of whole numbers") from None
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise UsageError(f"ids are of {array.dtype}; expected whole numbers")
    if not (array.min() >= 0 and array.max() < size):
        raise UsageError(
            f"ids reach from {array.min()} to {array.max()}; they must lie in 0 … {size - 1}"
        )
    return array.astype(np.int64)


def _checked_text(text: object) -> str:
    if not isinstance(text, str):
        raise UsageError(f"a text is expected, not {type(text).__name__} {str(text)[:40]!r}")
    return text


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
