"""What a model makes of a text that it reads: the surprise of each character, and what else."""

from dataclasses import dataclass

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.model.blas import blas_threads
from char_rnn.model.loss import log_softmax
from char_rnn.model.network import Network
from char_rnn.model.states import in_windows
from char_rnn.serve.outbox import Token
from char_rnn.serve.stream import likeliest, name

Array = np.ndarray


@dataclass(frozen=True)
class Read:
    """A text that was read, of T characters (bytes).

    nats: (T,), −log p of each, as `CharRNN.surprisal`; NaN for a first one that nothing predicts.
    entropy: (T,), of what the model expected there, in nats. top: the likeliest of each.
    state: (S, L, 1, H), after the last of them.
    """

    ids: Array
    nats: Array
    entropy: Array
    top: list[dict[str, float]]
    state: Array

    def tokens(self, vocabulary: AnyVocabulary) -> list[Token]:
        """Return the characters as `logprobs` tells them."""
        return [
            Token(name(vocabulary, idx), None if np.isnan(nats) else 0.0 - nats, top)
            for idx, nats, top in zip(self.ids.tolist(), self.nats.tolist(), self.top, strict=True)
        ]


@blas_threads(1)
def read(
    model: CharRNN, vocabulary: AnyVocabulary, ids: Array, top: int, before: Array | None = None
) -> Read:
    """Read `ids` (T,) as `CharRNN.surprisal` does; top: how many of the likeliest are told.

    before: the state (S, L, 1, H) to go on from; None for the beginning of a text.
    """
    start = _start(vocabulary) if before is None else None
    text = ids if start is None else np.concatenate([[start], ids])
    T = len(ids)
    nats, entropy = np.full(T, np.nan), np.full(T, np.nan)
    likely: list[dict[str, float]] = []

    def told(log_p: Array) -> None:  # (n, V), of the next n characters
        entropy[len(likely) :][: len(log_p)] = _entropy(log_p)
        likely.extend(likeliest(vocabulary, row, top) for row in log_p)

    if before is not None:
        log_p = _expected(model, before)
        nats[0] = 0.0 - log_p[ids[0]]
        told(log_p[None])
    elif start is None:
        likely.append({})
    network = Network(model.parameters)
    targets = np.append(text[1:], 0).astype(np.intp)  # nothing is known of the one after the last
    for part in in_windows(network, text[:, None].astype(np.intp), before):
        count = min(part.stop, len(text)) - part.start
        log_p = log_softmax(network.logits.T.astype(np.float64))
        found = network.nats(targets[part][:, None])[:, 0]  # the logits are lost
        at = len(likely)
        nats[at : at + count] = found[: T - at]
        told(log_p[: T - at])
    return Read(ids, nats, entropy, likely, network.state())


def _start(vocabulary: AnyVocabulary) -> int | None:
    """Return the id after which a text's first character is expected; None if there is none."""
    if vocabulary.end is None and "\n" in vocabulary:
        return int(vocabulary.encode("\n")[0])
    return vocabulary.end


def _expected(model: CharRNN, state: Array) -> Array:
    """Return log p (V,) of what follows on a state (S, L, 1, H)."""
    weight, bias = (model.parameters["out." + name] for name in ("weight", "bias"))
    log_p: Array = log_softmax((weight @ state[0, -1, 0] + bias)[None].astype(np.float64))[0]
    return log_p


def _entropy(log_p: Array) -> Array:
    """Return the entropy (T,) of what was expected, log p (T, V)."""
    entropy: Array = -(np.exp(log_p) * np.where(np.isneginf(log_p), 0, log_p)).sum(axis=1)
    return entropy
