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
    """

    ids: Array
    nats: Array
    entropy: Array
    top: list[dict[str, float]]

    def tokens(self, vocabulary: AnyVocabulary) -> list[Token]:
        """Return the characters as `logprobs` tells them."""
        return [
            Token(name(vocabulary, idx), None if np.isnan(nats) else 0.0 - nats, top)
            for idx, nats, top in zip(self.ids.tolist(), self.nats.tolist(), self.top, strict=True)
        ]


@blas_threads(1)
def read(model: CharRNN, vocabulary: AnyVocabulary, ids: Array, top: int) -> Read:
    """Read `ids` (T,) as `CharRNN.surprisal` does; top: how many of the likeliest are told."""
    start = vocabulary.end
    if start is None and "\n" in vocabulary:
        start = int(vocabulary.encode("\n")[0])
    skipped = int(start is None)
    text = ids if start is None else np.concatenate([[start], ids])
    inputs, targets = text[:-1, None].astype(np.intp), text[1:, None].astype(np.intp)
    nats, entropy = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    likely: list[dict[str, float]] = [{}] * skipped
    network = Network(model.parameters)
    for part in in_windows(network, inputs):
        at = slice(part.start + skipped, part.start + skipped + len(inputs[part]))
        log_p = log_softmax(network.logits.T.astype(np.float64))
        nats[at] = network.nats(targets[part])[:, 0]  # the logits are lost
        entropy[at] = -(np.exp(log_p) * np.where(np.isneginf(log_p), 0, log_p)).sum(axis=1)
        likely += [likeliest(vocabulary, row, top) for row in log_p]
    return Read(ids, nats, entropy, likely)
