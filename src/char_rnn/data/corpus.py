"""A text as ids: in memory while it is small, in a file when it is not."""

import dataclasses
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from char_rnn.data.document_streams import DocumentStreams
from char_rnn.data.documents import joined, kind_for, places_of, shuffle
from char_rnn.data.id_file import IdFile, digest_of, find, write
from char_rnn.data.parts import Where
from char_rnn.data.reader import Reader, Text, key_of
from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary, Vocabulary
from char_rnn.data.windows import Streams, calibration_start, rows_of, split
from char_rnn.errors import CorruptFile, DataError, TextTooShort, UsageError
from char_rnn.text_config import TextConfig

Array = np.ndarray

MEMORY_LIMIT = 32 * 2**20
PIECE = 1 << 22  # ids that are looked at together


class Parts(NamedTuple):
    """What is done with a text: ids[: train_stop] train, ids[val_start : val_stop] validate.

    What stands between them is left to calibrate on; none where `train_stop` is `val_start`.
    """

    train_stop: int
    val_start: int
    val_stop: int


class Corpus:
    """A text as ids, with its vocabulary.

    vocabulary; length: characters (or bytes); sha256: of the ids and the vocabulary;
    name, where: what the text is called and where it came from; notes: sentences for the user;
    config: how it was read.
    ends: (n + 1,), where the symbol stands that begins and ends each of n documents (documents.py);
        None for a text that is not one of documents.
    order: (n,), which document of the text each of them is; None as long as they are in its order.
    """

    def __init__(
        self,
        ids: Array | IdFile,
        vocabulary: AnyVocabulary,
        sha256: str,
        name: str = "text",
        where: Where = "",
        notes: list[str] | None = None,
        config: TextConfig | None = None,
    ) -> None:
        self._ids = ids
        self.vocabulary = vocabulary
        self.length = len(ids)
        self.sha256 = sha256
        self.name, self.where = name, where
        self.notes = list(notes or [])
        # Of a text in memory not even line ends were changed.
        config = TextConfig(keep_line_ends=True) if config is None else config
        self.config = dataclasses.replace(config, bytes=vocabulary.kind == "bytes")
        self.ends: Array | None = None
        self.order: Array | None = None
        if vocabulary.end is not None:
            self.ends = np.flatnonzero(ids[0 : len(ids)] == vocabulary.end)
        if self.length < 1 + (self.ends is not None):
            raise TextTooShort(f"{name} is empty; there is nothing to train on")
        if vocabulary.kind == "characters" and vocabulary.size == 1:
            only = vocabulary.idx_to_char[0]
            self.notes.append(f"the text holds nothing but {only!r}: there is little to learn")

    @classmethod
    def from_text(cls, text: str | bytes, vocabulary: AnyVocabulary | None = None) -> "Corpus":
        """Return the corpus of a text in memory; bytes are modelled as bytes."""
        if vocabulary is None:
            vocabulary = ByteVocabulary() if isinstance(text, bytes) else Vocabulary(text)
        if not isinstance(vocabulary, AnyVocabulary):
            raise UsageError(f"vocabulary is {vocabulary!r}; it must be a Vocabulary, of its text")
        if vocabulary.end is not None:
            raise UsageError("the vocabulary is one of documents; take Corpus.from_documents")
        ids = vocabulary.encode(text)  # type: ignore[arg-type]
        return cls(ids, vocabulary, digest_of(vocabulary, [ids]))

    @classmethod
    def from_documents(
        cls, documents: Iterable[str], vocabulary: Vocabulary | None = None
    ) -> "Corpus":
        """Return the corpus of documents in memory, each a text; empty ones are left out."""
        texts = [document for document in documents if document]
        if vocabulary is None:
            known = sorted(set().union(*texts))
            vocabulary = Vocabulary.from_characters(known, documents=kind_for(texts))
        if vocabulary.end is None:
            raise UsageError("the vocabulary is not one of documents; give it documents='lines'")
        end = np.array([vocabulary.end], vocabulary.dtype)
        parts = [part for text in texts for part in (vocabulary.encode(text), end)]
        ids = np.concatenate([end, *parts])
        config = TextConfig(keep_line_ends=True, documents=vocabulary.documents)
        return cls(ids, vocabulary, digest_of(vocabulary, [ids]), config=config)

    @classmethod
    def from_source(
        cls,
        source: Text,
        *,
        memory_limit: int = MEMORY_LIMIT,
        vocabulary: AnyVocabulary | None = None,
        left_out: dict[str, int] | None = None,
    ) -> "Corpus":
        """Read `source` in chunks, as its config says: once for its characters, once to encode it.

        vocabulary: its symbols; those of the text, made as `source.config` says, where it is None.
        left_out: what the vocabulary lacks is left out and counted in here; None raises
            UnknownCharacters.

        More than `memory_limit` bytes of ids go to a file in the cache folder, which is found
        again the next time unless the text has changed, and is made anew if it is damaged.
        Documents are kept in memory, for they are shuffled.
        """
        if vocabulary is None and source.config.bytes:
            vocabulary = ByteVocabulary(source.config.documents)
        notes: list[str] = []

        def made(ids: Array | IdFile, vocabulary: AnyVocabulary, sha256: str) -> "Corpus":
            said = [*source.notes, *notes]  # some come when it is read
            return cls(ids, vocabulary, sha256, source.name, source.where, said, source.config)

        reader = Reader(source, vocabulary)
        if left_out is not None:
            left_out |= reader.leave_out_unknown()
        key = key_of(source, vocabulary, bool(left_out))
        try:
            cached = None if reader.documents else find(key, vocabulary)
        except CorruptFile:
            cached = None
            notes.append("the encoded text in the cache is damaged; it is encoded again")
        if cached is not None:
            return made(*cached)
        length, vocabulary = reader.look_through()
        pieces = reader.encoded()
        if reader.documents:
            data = joined(_checked(pieces, source, length), vocabulary)
        elif length * vocabulary.dtype.itemsize <= memory_limit:
            parts = list(_checked(pieces, source, length))
            data = np.concatenate(parts) if parts else np.zeros(0, vocabulary.dtype)
        else:
            ids, digest = write(key, _checked(pieces, source, length), vocabulary, notes)
            return made(ids, vocabulary, digest)
        return made(data, vocabulary, digest_of(vocabulary, [data]))

    def shuffled(self, seed: int) -> "Corpus":
        """Return the same documents in an order that `seed` decides.

        Other texts, and documents that have been shuffled, stay as they are.
        """
        if self.ends is None or self.order is not None:
            return self
        order = shuffle(len(self.ends) - 1, seed)
        ids = self.read(0, self.length)
        ids = np.concatenate([ids[:1], ids[places_of(self.ends, order)]])
        about = self.sha256, self.name, self.where, self.notes, self.config
        other = Corpus(ids, self.vocabulary, *about)
        other.order = order
        return other

    def recoded(self, vocabulary: Vocabulary) -> "Corpus":
        """Return the same text with the ids of `vocabulary`, which holds all of its symbols."""
        old = self.vocabulary
        places: list[int | None] = [vocabulary.char_to_idx[char] for char in old.chars]
        places += [vocabulary.rare] * (old.rare is not None)
        places += [vocabulary.end] * (old.end is not None)
        ids = np.array(places, vocabulary.dtype)[self.read(0, self.length)]
        about = self.name, self.where, self.notes, self.config
        other = Corpus(ids, vocabulary, digest_of(vocabulary, [ids]), *about)
        other.order = self.order
        return other

    def documents(self) -> Iterator[Any]:
        """Yield each document, in the order of the ids: a text, or bytes where it is one of bytes.

        Of a text that is none of documents its lines. What is rare is U+FFFD.
        """
        if self.ends is None:
            whole = self.passage(0, self.length)
            line_end = b"\n" if isinstance(whole, bytes) else "\n"
            yield from whole.removesuffix(line_end).split(line_end)
            return
        for start, stop in pairwise(self.ends.tolist()):
            yield self.passage(start + 1, stop)

    def parts(self, val_fraction: float, calibration: float = 0.0) -> Parts:
        """Return what trains, calibrates and validates: a share each, at the end.

        Of documents it is a share of them, and each part begins where one ends: with an END.
        """
        if self.ends is None:
            val_start, val_stop = split(self.length, val_fraction)
            return Parts(calibration_start(val_start, calibration), val_start, val_stop)
        count = len(self.ends) - 1
        held_out = round(count * val_fraction)
        if val_fraction and count > 1:
            held_out = min(max(held_out, 1), count - 1)
        val_start = int(self.ends[count - held_out]) if held_out else self.length
        least = calibration_start(val_start, calibration)
        train_stop = val_start
        if least < val_start:
            train_stop = int(self.ends[np.searchsorted(self.ends, least, "right") - 1])
        return Parts(train_stop or val_start, val_start, self.length)

    def streams(
        self,
        stop: int,
        batch_size: int,
        seq_length: int,
        seed: int,
        offsets: np.random.Generator | None = None,
    ) -> Streams:
        """Return ids[:stop] as parallel streams; documents in an order that `seed` decides.

        stop: of documents where one ends. offsets: see Streams; documents have none.
        """
        if self.ends is None:
            return Streams(self, 0, stop, batch_size, seq_length, offsets)
        ends = self.ends[self.ends <= stop]
        ids = self.read(0, min(stop + 1, self.length))
        return DocumentStreams(ids, ends, batch_size, seq_length, seed)

    def __len__(self) -> int:
        return self.length

    def __repr__(self) -> str:
        kind, V = self.vocabulary.kind, self.vocabulary.size
        if self.ends is not None:
            kind += f" in {len(self.ends) - 1:_} documents"
        return f"Corpus({self.name}, {self.length:_} {kind}, {V} distinct)"

    def to_bytes(self) -> bytes:
        """Return the whole text, in UTF-8 where it is one of characters; documents as they came."""
        if self.ends is not None and isinstance(self.vocabulary, Vocabulary):
            return (self.vocabulary.between.join(self.documents()) + "\n").encode()
        whole = self.passage(0, self.length)
        return whole if isinstance(whole, bytes) else whole.encode("utf-8", "surrogatepass")

    def passage(self, start: int, stop: int) -> Any:
        """Return what the ids of [start, stop) stand for: a text, or bytes exactly."""
        ids = self.read(start, stop)
        if isinstance(self.vocabulary, ByteVocabulary):
            return self.vocabulary.decode_bytes(ids)
        return self.vocabulary.decode(ids)

    def read(self, start: int, stop: int) -> Array:
        """Return the ids of [start, stop) as a new array."""
        return self._ids[start:stop].copy()

    def read_rows(self, starts: Array, length: int) -> Array:
        """Return the ids (len(starts), length) that begin at `starts`."""
        return rows_of(self._ids, starts, length)

    def log_shares(self, stop: int) -> Array:
        """Return the log of each symbol's share of ids[:stop], (V,), as if each stood once more."""
        counts = np.ones(self.vocabulary.size)
        for start in range(0, stop, PIECE):
            ids = self.read(start, min(stop, start + PIECE))
            counts += np.bincount(ids, minlength=len(counts))
        shares: Array = np.log(counts / counts.sum())
        return shares

    def after_backslashes(self, letters: str) -> str:
        """Return which of `letters` follow a backslash somewhere in the text."""
        known = [char for char in letters if char in self.vocabulary]
        if "\\" not in self.vocabulary or not known:
            return ""
        backslash = self.vocabulary.char_to_idx["\\"]
        found: set[int] = set()
        for start in range(0, self.length, PIECE):
            ids = self.read(start, min(self.length, start + PIECE + 1))
            found |= set(np.unique(ids[1:][ids[:-1] == backslash]).tolist())
        return "".join(char for char in known if self.vocabulary.char_to_idx[char] in found)

    def preview(self, n: int) -> str:
        """Return the first `n` characters."""
        return self.vocabulary.decode(self.read(0, min(n, self.length)))


def _checked(pieces: Iterator[Array], source: Text, length: int) -> Iterator[Array]:
    """Pass `pieces` on, and raise before the last one is done if they are not `length` long."""
    total = 0
    for piece in pieces:
        total += len(piece)
        yield piece
    _same_length(source, length, total)


def _same_length(source: Text, first: int, second: int) -> None:
    if first != second:
        raise DataError(
            f"{source.name} changed while it was read ({first:,} characters, then {second:,}); "
            "try again when nothing writes to it"
        )
