"""Collapse: what a model writes repeats itself, and the real text does not."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from char_rnn.analyse.diversity import distinct, looped
from char_rnn.analyse.findings import COLLAPSE, ILL, Finding, options
from char_rnn.charrnn import CharRNN
from char_rnn.data.corpus import Corpus
from char_rnn.model.loss import log_softmax
from char_rnn.sample_config import SampleConfig

TEXTS, LENGTH = 4, 500  # that the model writes
DOCUMENTS, LONGEST = 64, 100  # of a model of documents
SAME = 4  # characters of the n-grams of which distinct ones are counted
LOOPED, LESS_DISTINCT = 0.3, 0.5  # share of what it writes; of the real text's distinct 4-grams
USUAL, FREE = 0.8, 1.0  # temperatures


class Writing(NamedTuple):
    """How much a text repeats itself.

    looped: share of its characters in loops. distinct: of its 4-grams. entropy: of the model's
    predictions while it reads the text, nats a character: how unsure it is; None where it cannot.
    """

    looped: float
    distinct: float
    entropy: float | None


def written_by(model: CharRNN, temperature: float | str) -> Writing:
    """Let `model` write at `temperature`, the same texts each time, and measure them."""
    count, length = _sizes(model)
    config = SampleConfig(length=length, temperature=temperature)
    texts = model.generate_many([""] * count, config, np.random.default_rng(0))
    return _measured(model, texts)


def real_text(model: CharRNN, corpus: Corpus, start: int, stop: int) -> Writing:
    """Measure as much of the real text, from ids[start:stop]; of documents the first ones."""
    count, length = _sizes(model)
    if corpus.ends is not None:
        return _measured(model, [text[:length] for text in islice(corpus.documents(), count)])
    size = min(length, (stop - start) // count)
    rows = corpus.read_rows(start + size * np.arange(count), size)
    return _measured(model, [corpus.vocabulary.decode(row) for row in rows])


def collapse(
    temperature: float | str, own: Writing, free: Writing, real: Writing | None
) -> Iterator[Finding]:
    """Yield that what a model writes repeats itself, if it does, and the real text does not.

    own: at the `temperature` of its run's samples. free: at 1. real: None where there is none.
    """
    if not _collapsed(own, real):
        return
    evidence = f"At temperature {temperature} {own.looped:.0%} of what it writes stands in loops"
    numbers = {"looped": own.looped, "distinct": own.distinct}
    if real is not None:
        evidence += (
            f", of the real text {real.looped:.0%}; {own.distinct:.0%} of its passages of {SAME} "
            f"characters are distinct, of the real text's {real.distinct:.0%}"
        )
        numbers |= {"real_looped": real.looped, "real_distinct": real.distinct}
    if own.entropy is not None and real is not None and real.entropy is not None:
        evidence += (
            f"; there it hesitates by {own.entropy:.2f} nats, in the real text by "
            f"{real.entropy:.2f}"
        )
    settings: dict[str, Any] = {}
    remedy = "No temperature helps: train longer, or on text of more kinds."
    if not _collapsed(free, real):
        settings = {"temperature": FREE if temperature == USUAL else USUAL}
        evidence += f"; at temperature 1 {free.looped:.0%} and {free.distinct:.0%}"
        remedy = f"Write at a higher temperature ({options(settings)})."
    yield Finding(COLLAPSE, ILL, f"{evidence}.", remedy, numbers, settings)


def _collapsed(own: Writing, real: Writing | None) -> bool:
    if real is None:
        return own.looped >= LOOPED
    return own.looped >= LOOPED + real.looped or own.distinct < LESS_DISTINCT * real.distinct


def _sizes(model: CharRNN) -> tuple[int, int]:
    """Return how many texts are looked at, and how long they are."""
    documents = model.vocabulary is not None and model.vocabulary.end is not None
    return (DOCUMENTS, LONGEST) if documents else (TEXTS, LENGTH)


def _measured(model: CharRNN, texts: list[str]) -> Writing:
    size = sum(map(len, texts))
    in_loops = sum(int(looped(text).sum()) for text in texts)
    entropy = _entropy(model, max(texts, key=len))
    return Writing(in_loops / size if size else 0.0, distinct(texts, SAME), entropy)


def _entropy(model: CharRNN, text: str) -> float | None:
    """Return the mean entropy of what `model` expects after each character of `text`, in nats."""
    vocabulary = model.vocabulary
    if vocabulary is None or not text or vocabulary.unknown(text):
        return None
    log_p = log_softmax(model.forward(vocabulary.encode(text))[0].astype(np.float64))
    # p log p is nothing where p is; infinite logits would make it no number.
    return float(-(np.exp(log_p) * np.maximum(log_p, -1e3)).sum(axis=-1).mean())
