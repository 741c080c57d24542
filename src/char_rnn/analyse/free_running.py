"""Exposure bias: how a model's text drifts away from real text the longer it reads its own output.

In training a model reads real text only, in generation only its own (Bengio et al. 2015). Here
many passages of real text are read and then continued twice, by the text itself and by the model
(temperature 1, from its unchanged probabilities), and both continuations are scored at each
distance k from the last character that was real for both:

model       −log p of the model that writes. On its own text that is, in the mean, the entropy of
            what it predicts. If its probabilities were those of the text, both would be the same
            at every k (Braverman et al. 2019). Own below real from the beginning means that it is
            too sure, as after overfitting; own that sinks with k, that it repeats itself; own that
            rises, that it has lost its way and guesses.
reference   −log p of an n-gram model of the training part, which never saw the network. Its loss
            on real text does not depend on k. If on the model's text it grows with k, that text
            becomes less like real text: that is exposure bias.

What stands at k = 1 is no exposure bias: all that was read there is real, and own above real only
says that one drawn character is worse than one of the text. So what counts is the growth of
own − real from the first 16 characters to the second half.

What it cannot see: the reference knows five characters before each, so it hears broken words and
not broken sense. Continuations do not overlap, so the standard errors, over passages, are honest
up to the likeness of neighbouring ones.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from char_rnn.analyse.ngrams import ngram_nats
from char_rnn.charrnn import CharRNN
from char_rnn.data.windows import Ids
from char_rnn.errors import TextTooShort
from char_rnn.generate.choose import draw
from char_rnn.model.blas import blas_threads
from char_rnn.model.loss import log_softmax
from char_rnn.model.network import Network
from char_rnn.model.stepper import Stepper
from char_rnn.scoring import Tell, in_windows

Array = np.ndarray

CONTEXT, LENGTH = 200, 1000
FEWEST, MOST = 16, 256  # passages
ORDER = 6  # n of the reference
NEAR = 16  # distances that count as near
WINDOW = 25


class Loss(NamedTuple):
    """Mean −log p in nats on real and on own text; the standard error of own − real."""

    real: float
    own: float
    error: float


class Growth(NamedTuple):
    """Mean own − real in nats, near the context and far from it; standard error of far − near."""

    near: float
    far: float
    error: float


class Row(NamedTuple):
    """The losses at the distances first … last; `reference` is None where there is none."""

    first: int
    last: int
    model: Loss
    reference: Loss | None


@dataclass(frozen=True)
class FreeRunning:
    """What `free_running` has found.

    passages: how many; context, length: characters of what each begins with and goes on with.
    order: n of the reference. near, far: distances up to which and from which growth is taken.
    """

    passages: int
    context: int
    length: int
    order: int
    near: int
    far: int
    rows: list[Row]
    model: Growth
    reference: Growth | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        found = dataclasses.asdict(self)
        found["rows"] = [
            row._asdict()
            | {"model": row.model._asdict(), "reference": row.reference and row.reference._asdict()}
            for row in self.rows
        ]
        return found | {
            "model": self.model._asdict(),
            "reference": self.reference and self.reference._asdict(),
        }


@blas_threads(1)
def free_running(
    model: CharRNN,
    ids: Ids,
    start: int,
    stop: int,
    rng: np.random.Generator,
    train: Array | None = None,
    context: int = CONTEXT,
    length: int = LENGTH,
    progress: Tell | None = None,
) -> FreeRunning:
    """Compare real and own continuations of passages from ids[start:stop].

    train: (N,) ids that teach the reference, not from that range; None for no reference.
    context: characters that are read first. length: characters of a continuation, fewer where the
    text would not give 16 of them. As many as 256 passages are taken, evenly spread.
    Raises TextTooShort for fewer than context + 16 characters.
    """
    begins, length = places_of(start, stop, context, length)
    text = ids.read_rows(begins - context, context + length).T.astype(np.intp)
    own, own_nats = _continue(model, text[:context], length, rng, progress)
    losses = {"model": (_nats(model, text)[-length:], own_nats)}
    if train is not None:
        tails = (text[context:], own)
        losses["reference"] = _reference(train, text[:context], tails, model.config.vocab_size)
    near = max(1, min(NEAR, length // 2))
    found = {
        name: [_loss(real[a - 1 : b], own[a - 1 : b]) for a, b in bins(length)]
        for name, (real, own) in losses.items()
    }
    growth = {name: _growth(own - real, near) for name, (real, own) in losses.items()}
    without: list[Loss | None] = [None] * len(bins(length))
    rows = [
        Row(first, last, of_model, of_reference)
        for (first, last), of_model, of_reference in zip(
            bins(length), found["model"], found.get("reference", without), strict=True
        )
    ]
    return FreeRunning(
        len(begins),
        context,
        length,
        ORDER,
        near,
        length // 2 + 1,
        rows,
        growth["model"],
        growth.get("reference"),
    )


def bins(length: int) -> list[tuple[int, int]]:
    """Return the distances 1 … length in pieces that double: 1, 2, 3–4, 5–8 …, (first, last).

    What is left at the end is a piece of its own if it is at least half of one.
    """
    lasts = [1 << i for i in range(length.bit_length())]
    if 2 * length >= 3 * lasts[-1]:
        lasts.append(length)
    lasts[-1] = length
    return list(zip([1, *(last + 1 for last in lasts[:-1])], lasts, strict=True))


def places_of(
    start: int, stop: int, context: int = CONTEXT, length: int = LENGTH
) -> tuple[Array, int]:
    """Return where continuations begin, (P,), evenly spread and apart, and their length.

    Raises TextTooShort where there is no room for any.
    """
    room = stop - start - context
    length = min(length, room // FEWEST)
    if length < 1:
        raise TextTooShort(
            f"{stop - start:,} characters are too few for free running: at least "
            f"{context + FEWEST:,} are needed, {context} of them to begin with, and some thousands "
            "for figures that mean something"
        )
    count = min(MOST, room // length)
    return start + context + np.linspace(0, room - length, count).astype(np.int64), length


def _continue(
    model: CharRNN, contexts: Array, length: int, rng: np.random.Generator, progress: Tell | None
) -> tuple[Array, Array]:
    """Return what the model writes after `contexts` (C, P) and its −log p, (length, P) each."""
    P = contexts.shape[1]
    own, nats = np.empty((length, P), np.intp), np.empty((length, P))
    stepper = Stepper(model.parameters, P)
    stepper.begin(stepper.initial_state())
    for row in contexts:
        logits = stepper.step(row)
    for k in range(length):
        own[k] = draw(logits, rng)
        nats[k] = -log_softmax(logits.astype(np.float64))[np.arange(P), own[k]]
        logits = stepper.step(own[k])
        if progress is not None:
            progress((k + 1) / length)
    return own, nats


def _nats(model: CharRNN, text: Array) -> Array:
    """Return −log p of text[1:], (T − 1, P), read from the initial state; text: (T, P)."""
    network = Network(model.parameters)
    state = network.initial_state(text.shape[1])
    windows = in_windows(network, text, state, WINDOW)
    return np.concatenate([network.nats(targets).astype(np.float64) for _, targets in windows])


def _reference(
    train: Array, contexts: Array, tails: tuple[Array, Array], V: int
) -> tuple[Array, Array]:
    """Return the n-gram's −log p of each of `tails` (N, P) after `contexts` (C, P)."""
    known = contexts[-(ORDER - 1) :]  # all that the reference can see of them
    texts = [np.concatenate([known, tail]) for tail in tails]
    # One after the other, and each begins with what the reference needs to know before it.
    test = np.concatenate([text.T.reshape(-1) for text in texts])
    nats = dict(ngram_nats(train, test, V, ORDER))[ORDER].reshape(2, -1, len(texts[0]))
    real, own = nats[:, :, len(known) :].transpose(0, 2, 1)
    return real, own


def _loss(real: Array, own: Array) -> Loss:
    difference = (own - real).mean(axis=0)  # of each passage
    return Loss(float(real.mean()), float(own.mean()), _error(difference))


def _growth(difference: Array, near: int) -> Growth:
    """Return how `difference` (N, P) grows from the first `near` to the second half."""
    begin = difference[:near].mean(axis=0)
    end = difference[len(difference) // 2 :].mean(axis=0)
    return Growth(float(begin.mean()), float(end.mean()), _error(end - begin))


def _error(values: Array) -> float:
    """Return the standard error of the mean of `values` (P,)."""
    return float(values.std(ddof=1) / np.sqrt(len(values)))
