"""A text as a corpus reads it: its characters first, then their ids, piece by piece."""

import hashlib
import json
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from char_rnn.data.documents import BORDER, Readable, marked
from char_rnn.data.form import Form
from char_rnn.data.parts import Where
from char_rnn.data.vocabulary import AnyVocabulary, Vocabulary, code_points, from_code_points
from char_rnn.errors import UsageError
from char_rnn.text_config import TextConfig

Array = np.ndarray


class Text(Readable, Protocol):
    """What a corpus is made from: a Source, read twice."""

    @property
    def name(self) -> str:
        """What the text is called."""

    @property
    def where(self) -> Where:
        """Where it came from."""

    @property
    def notes(self) -> list[str]:
        """What the user should know about it."""

    @property
    def config(self) -> TextConfig:
        """How it is read."""

    def key(self) -> str:
        """Return what changes when the text changes."""


class Reader:
    """Reads `source` as code points or bytes, with a border after each document.

    vocabulary: None, until `look_through` has made it.
    documents: what one is, "" for none.
    """

    def __init__(self, source: Text, vocabulary: AnyVocabulary | None) -> None:
        self._source, self._config, self._vocabulary = source, source.config, vocabulary
        self._leaves_out = False
        self.documents = self._config.documents if vocabulary is None else vocabulary.documents
        self._form: Form | None = Form(self._config.normalize, self._config.lowercase)
        if isinstance(vocabulary, Vocabulary):
            self._form = vocabulary.form
        elif vocabulary is not None:
            self._form = None

    def _pieces(self) -> Iterator[Array]:
        if self.documents:
            pieces = marked(self._source, self.documents, self._form)
        elif self._form is None:
            pieces = (np.frombuffer(data, np.uint8) for data in self._source.byte_chunks())
        else:
            pieces = (code_points(text) for text in self._form.chunks(self._source.chunks()))
        if not self._leaves_out:
            return pieces
        return (piece[~self._lacks(piece)] for piece in pieces)

    def _lacks(self, piece: Array) -> Array:
        """Tell of which of `piece` (N,) there is no symbol, (N,) bool."""
        assert isinstance(self._vocabulary, Vocabulary)
        lacks: Array = ~self._vocabulary.knows(piece) & (piece != BORDER)
        return lacks

    def look_through(self) -> tuple[int, AnyVocabulary]:
        """Return how many code points there are, borders among them, and the vocabulary."""
        length, counting = 0, self._config.min_count > 1
        if self._vocabulary is not None:
            return sum(map(len, self._pieces())), self._vocabulary
        counts = np.zeros(BORDER + 1, np.int64 if counting else bool)
        for piece in self._pieces():
            length += len(piece)
            if counting:
                counts += np.bincount(piece, minlength=BORDER + 1)
            else:
                counts[piece] = True
        known = np.flatnonzero(counts[:BORDER] >= self._config.min_count)
        rare = counting and len(known) < np.count_nonzero(counts[:BORDER])
        if counting and not len(known):
            raise UsageError(
                f"min_count is {self._config.min_count}, and no character of {self._source.name} "
                "occurs so often; take a smaller one"
            )
        self._vocabulary = Vocabulary(
            from_code_points(known),
            normalize=self._config.normalize,
            lowercase=self._config.lowercase,
            rare=bool(rare),
            documents=self.documents,
        )
        return length, self._vocabulary

    def leave_out_unknown(self) -> dict[str, int]:
        """Leave out what the vocabulary lacks; return how often each such character is there."""
        found: dict[str, int] = {}
        if not isinstance(self._vocabulary, Vocabulary):
            return found
        for piece in self._pieces():
            codes, counts = np.unique(piece[self._lacks(piece)], return_counts=True)
            for code, count in zip(codes, counts, strict=True):
                found[chr(code)] = found.get(chr(code), 0) + int(count)
        self._leaves_out = bool(found)
        return dict(sorted(found.items()))

    def encoded(self) -> Iterator[Array]:
        """Yield the ids of every piece."""
        vocabulary = self._vocabulary
        assert vocabulary is not None
        for piece in self._pieces():
            if not self.documents:
                yield vocabulary.encode_codes(piece)
                continue
            border = piece == BORDER
            ids = np.full(len(piece), vocabulary.end, vocabulary.dtype)
            ids[~border] = vocabulary.encode_codes(piece[~border])
            yield ids


def key_of(source: Text, vocabulary: AnyVocabulary | None, leave_out: bool) -> str:
    """Return what changes when the ids do."""
    config = source.config
    kind: object = [config.normalize, config.lowercase, config.min_count]
    if vocabulary is not None:
        kind = vocabulary.to_dict()
    known = "known " if leave_out else ""
    return hashlib.sha256(f"{known}{source.key()} {json.dumps(kind)}".encode()).hexdigest()[:32]
