"""What is in a network while it reads a text: the reading half of CharRNN."""

from typing import Any, Literal, overload

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.arguments import as_text
from char_rnn.model.arguments import State, as_ids, outer_state
from char_rnn.model.blas import blas_threads
from char_rnn.model.parameters import Parameters
from char_rnn.model.states import gates as gates_of
from char_rnn.model.states import states, surprisals

Array = np.ndarray


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
        found = outer_state(states(self.parameters, ids))
        return (found, gates_of(self.parameters, ids)) if gates else found

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
