"""A model mixed with n-grams of the same text: p = λ p(model) + (1 − λ) p(n-gram).

A network knows how such text is written, and n-grams know passages by heart. λ is the weight with
which a part of the text is told best that neither of them has learned from and that is not scored:

    f(λ) = mean of log(λ p + (1 − λ) q),    f' = mean of (p − q) / (λ p + (1 − λ) q),    f'' < 0
"""

import numpy as np

from char_rnn.analyse.baselines import MOST_TRAINING
from char_rnn.analyse.ngrams import ngram_nats
from char_rnn.analyse.packing import longest
from char_rnn.data.corpus import Corpus
from char_rnn.errors import UsageError

Array = np.ndarray

MOST_GRAMS = 8
MOST_FITTED, SHARE = 50_000, 0.1
FEWEST_FITTED = 500
HALVINGS = 30


class Mixture:
    """The n-grams of what stands before ids[start + 1 :] of `corpus`, to mix a model with.

    unseen: from where on the model was not trained on the text. The weight is fitted on
    ids[first + 1 : start + 1] (`fitting_from`), under n-grams of what stands before; the rest is
    scored under n-grams of all before it.
    order: of the n-grams, 8, or 6 of alphabets of many thousand symbols.
    """

    def __init__(self, corpus: Corpus, start: int, unseen: int = 0) -> None:
        self.first = fitting_from(start, unseen)
        self.fitted = start - self.first
        self.order = min(MOST_GRAMS, longest(corpus.vocabulary.size))
        self._fitting = self._nats(corpus, self.first, start + 1)
        self._scored = self._nats(corpus, start, corpus.length)

    def weight(self, nats: Array) -> float:
        """Return λ, given the model's `nats` of the characters that fit it, (fitted,)."""
        return best_weight(np.exp(-nats), np.exp(-self._fitting))

    def nats(self, weight: float, nats: Array) -> Array:
        """Return −log p of the mixture, given the model's `nats` of the characters scored, (M,)."""
        mixed: Array = -np.log(weight * np.exp(-nats) + (1 - weight) * np.exp(-self._scored))
        return mixed

    def _nats(self, corpus: Corpus, start: int, stop: int) -> Array:
        """Return −log p of ids[start + 1 : stop] under the n-grams of what stands before."""
        before = corpus.read(max(0, start + 1 - MOST_TRAINING), start + 1)
        scored = corpus.read(start + 1, stop)
        *_, (_, nats) = ngram_nats(before, scored, corpus.vocabulary.size, self.order)
        return nats


def fitting_from(start: int, unseen: int) -> int:
    """Return from where on a text fits the weight: a tenth of ids[:start], at most 50,000.

    It does not reach into what the model was trained on, before `unseen`. Raises UsageError where
    fewer than 500 characters are left.
    """
    first = max(unseen, start - min(MOST_FITTED, int(SHARE * start)))
    if start - first < FEWEST_FITTED:
        raise UsageError(
            f"a mixture is fitted on {FEWEST_FITTED} or more characters before those that are "
            f"scored, which the model was not trained on; there are {max(0, start - first):,}. "
            "Score a smaller share, at the end of the text, or take a model that was calibrated, "
            "for which training sets some aside"
        )
    return first


def best_weight(p: Array, q: Array) -> float:
    """Return the λ from 0 to 1 with the largest mean of log(λ p + (1 − λ) q); p, q > 0, (N,)."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        rising = np.mean((p - q) / (middle * p + (1 - middle) * q)) > 0
        low, high = (middle, high) if rising else (low, middle)
    return (low + high) / 2
