"""What is in a network while it reads a text, and how well it knows it: CharRNN's reading half."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.arguments import as_text
from char_rnn.generate.door import door
from char_rnn.model.arguments import State, as_ids, outer_state
from char_rnn.model.blas import blas_threads
from char_rnn.model.each import each
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters
from char_rnn.model.states import states, surprisals

Array = np.ndarray


@dataclass(frozen=True)
class TextScore:
    """How well a model knows one text that stands on its own, a line say.

    text: as it was given, without its end. place: which one it is, from 1.
    characters: how many were predicted, its end among them; of a model of bytes, bytes.
    nats: the sum of −log p over them. left_out: how many more the model does not know.
    """

    text: str
    place: int
    characters: int
    nats: float
    left_out: int = 0

    @property
    def loss(self) -> float:
        """Nats a character; NaN where none was predicted."""
        return self.nats / self.characters if self.characters else math.nan

    @property
    def bits(self) -> float:
        """Bits a character."""
        return self.loss / math.log(2)

    @property
    def perplexity(self) -> float:
        """Among how many characters, equally likely, the model hesitates: exp of the loss."""
        try:
            return math.exp(self.loss)
        except OverflowError:
            return math.inf


class Reader:
    """Whoever has `parameters` and a `vocabulary` can read; a `forward` that waits stays."""

    parameters: Parameters
    vocabulary: AnyVocabulary | None

    @overload
    def states(self, text: Any, gates: Literal[False] = False) -> State: ...

    @overload
    def states(self, text: Any, gates: Literal[True]) -> tuple[State, dict[str, Array]]: ...

    @blas_threads(1)
    def states(self, text: Any, gates: bool = False) -> State | tuple[State, dict[str, Array]]:
        """Return the states after each character of `text`, (T, L, B, H), for the LSTM (h, c).

        text: a str (B = 1), a list of B texts of equal length, or ids (T,) or (T, B); for a model
            of bytes also bytes, and T counts bytes. It is read from the initial state, as a seed
            text is.
        gates: return also each gate as it was at each character: name -> (T, L, B, H), those of
            the LSTM i, f, g, o, of the GRU r, z, n, of the RNN h alone. All but g, n and h are
            between 0 and 1.
        """
        ids = self._ids(text)
        ids = ids.reshape(len(ids), -1)
        found, of_gates = states(self.parameters, ids, gates)
        return (outer_state(found), of_gates) if gates else outer_state(found)

    @blas_threads(1)
    def surprisal(self, text: Any) -> Array:
        """Return −log p of each character of `text` given those before it, (T,), in nats.

        text: as `states` takes it; for several texts, or ids (T, B), the result is (T, B).
        Their sum is −log of the probability that `generate` writes the text if it has no seed:
        the first character is predicted after the symbol that a document begins with, or where
        there is none after a line end, if the vocabulary has one; it may else be any of them
        alike, log V nats.
        """
        ids = self._ids(text)
        start = self.parameters.config.end
        if start is None and self.vocabulary is not None and "\n" in self.vocabulary:
            start = int(self.vocabulary.encode("\n")[0])
        return surprisals(self.parameters, ids.reshape(len(ids), -1), start).reshape(ids.shape)

    @blas_threads(1)
    def score_each(
        self, texts: Iterable[str | bytes], progress: Callable[[float], None] | None = None
    ) -> list[TextScore]:
        """Return how well the model knows each of `texts`, every one on its own.

        texts: lines, say, of any lengths and in any order; an open file gives its own. Each is read
            as `surprisal` reads one, followed by a line end, which counts, where the vocabulary has
            one; one that a text brings along is this one. Unknown characters are left out.
        progress: is told which share is done.
        """
        if isinstance(texts, str | bytes) or self.vocabulary is None:
            raise UsageError(
                "score_each takes several texts, such as text.splitlines(); this is one text"
                if isinstance(texts, str | bytes)
                else "this model has no vocabulary to read texts with; pass "
                "vocabulary=Vocabulary(text) to CharRNN"
            )
        read = [_without_end(text, self.vocabulary) for text in texts]
        known, left_out = _known(read, self.vocabulary)
        ids = _ids_of_each(known, self.vocabulary)
        begin = self.vocabulary.beginning()
        nats = each(Network(self.parameters), ids, begin, progress)
        rows = zip(read, ids, nats.tolist(), left_out, strict=True)
        return [
            TextScore(_shown(text), place, len(of), total, missed)
            for place, (text, of, total, missed) in enumerate(rows, 1)
        ]

    def _ids(self, text: Any) -> Array:
        return text_ids(text, self.vocabulary, self.parameters.config.vocab_size)


def text_ids(text: Any, vocabulary: AnyVocabulary | None, V: int) -> Array:
    """Return the ids of `text`, (T,), or (T, B) of several: str, list of B str of one length, ids.

    For a model of bytes a text may be bytes, and the lengths that must be the same are in bytes.
    """
    if isinstance(text, str | bytes):
        ids = _encoded(text, vocabulary)
    elif isinstance(text, list | tuple) and text and isinstance(text[0], str | bytes):
        rows = [_encoded(part, vocabulary) for part in text]
        lengths = sorted({len(row) for row in rows})
        if len(lengths) > 1:
            raise UsageError(
                f"the texts are {lengths[0]} to {lengths[-1]} long; "
                "several that are read together must have one length"
            )
        ids = np.stack(rows, axis=1)
    else:
        ids = as_ids("ids", text, V)
        if ids.ndim not in (1, 2):
            raise UsageError(f"ids have the shape {ids.shape}; expected (T, B) or (T,)")
    if not ids.size:
        raise UsageError("the text is empty; at least one character is needed")
    return ids.astype(np.intp)


def _encoded(text: str | bytes, vocabulary: AnyVocabulary | None) -> Array:
    if vocabulary is None:
        raise UsageError(
            "this model has no vocabulary to read a text with; give ids, or pass "
            "vocabulary=Vocabulary(text) to CharRNN"
        )
    if isinstance(vocabulary, ByteVocabulary):
        return vocabulary.encode(text)
    return vocabulary.encode(as_text("the text", text))  # type: ignore[arg-type]


def _without_end(text: str | bytes, vocabulary: AnyVocabulary) -> str | bytes:
    """Return `text` less one line end after it: a str for characters, bytes for bytes."""
    if isinstance(vocabulary, ByteVocabulary):
        return vocabulary.decode_bytes(vocabulary.encode(text)).removesuffix(b"\n")
    enter, _ = door(vocabulary, as_text("a text", text))
    return enter(text).removesuffix("\n")


def _known(
    texts: list[str | bytes], vocabulary: AnyVocabulary
) -> tuple[list[str | bytes], list[int]]:
    """Return the texts less what the vocabulary does not have, and how many characters that was."""
    if isinstance(vocabulary, ByteVocabulary):
        return texts, [0] * len(texts)
    unknown = frozenset(vocabulary.unknown("".join(texts)))  # type: ignore[arg-type]
    known = [
        text if unknown.isdisjoint(text) else vocabulary.without_unknown(text)  # type: ignore[arg-type]
        for text in texts
    ]
    return known, [len(text) - len(kept) for text, kept in zip(texts, known, strict=True)]


def _ids_of_each(texts: list[str | bytes], vocabulary: AnyVocabulary) -> list[Array]:
    """Return the ids of each text, with what ends it: the end of a document, or of a line.

    Nothing, where the vocabulary has neither.
    """
    if vocabulary.end is not None:
        last_id = np.array([vocabulary.end], vocabulary.dtype)
        return [np.concatenate([vocabulary.encode(text), last_id]) for text in texts]  # type: ignore[arg-type]
    end = "\n" if "\n" in vocabulary else ""
    last: Any = end.encode() if isinstance(vocabulary, ByteVocabulary) else end
    if end and texts:
        # In one piece, which is many times as fast, if a line end stands nowhere else.
        ids = vocabulary.encode(last.join(texts) + last)
        ends = np.flatnonzero(ids == vocabulary.encode(last)[0]) + 1
        if len(ends) == len(texts):
            return np.split(ids, ends[:-1])
    return [vocabulary.encode(text + last) for text in texts]


def _shown(text: str | bytes) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
