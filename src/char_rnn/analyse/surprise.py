"""Where a text surprises a model: passages, colours, and a page to look at."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from char_rnn.analyse.page import packed
from char_rnn.analyse.page import page as page_of
from char_rnn.charrnn import CharRNN
from char_rnn.data.windows import Ids
from char_rnn.model.blas import blas_threads
from char_rnn.model.loss import log_softmax
from char_rnn.model.network import Network
from char_rnn.scoring import in_windows

Array = np.ndarray

PASSAGE = 60
BLOCK = 1 << 20
CALM, WILD = 0.5, 6.0  # nats: coloured from here, and as strongly as can be from there
TICKS = [CALM, 2, 4, WILD]
STEP, MOST_STEPS = 0.001, 65_535  # of nats on the page; a larger step if they do not suffice
SHARES = 10_000  # probabilities on the page are whole numbers of so many


class Passage(NamedTuple):
    """A stretch of text and its mean surprisal in nats."""

    at: int
    text: str
    nats: float


def most_surprising(text: str, nats: Array, count: int = 5, length: int = PASSAGE) -> list[Passage]:
    """Return the `count` stretches of `length` characters with the highest mean surprisal.

    nats: (N,), one for each character of `text`. Stretches do not overlap.
    """
    length = min(length, len(nats))
    if not length:
        return []
    means = np.empty(len(nats) - length + 1, np.float32)
    for start in range(0, len(means), BLOCK):  # sums of all would take twice the memory of `nats`
        sums = np.concatenate([[0.0], np.cumsum(nats[start : start + BLOCK + length - 1])])
        means[start : start + BLOCK] = (sums[length:] - sums[:-length]) / length
    found: list[Passage] = []
    while len(found) < count and means[at := int(means.argmax())] >= 0:
        found.append(Passage(at, text[at : at + length], float(nats[at : at + length].mean())))
        means[max(at - length + 1, 0) : at + length] = -1  # what would overlap
    return found


def heat(nats: float) -> float:
    """Return how strongly a surprisal is coloured, from 0 to 1."""
    return min(max((nats - CALM) / (WILD - CALM), 0.0), 1.0)


def coloured(text: str, nats: Array) -> list[tuple[str, str]]:
    """Return pieces of `text` with their style for the terminal, from calm to red."""
    pieces: list[tuple[str, str]] = []
    for character, value in zip(text, nats, strict=True):
        share = heat(float(value))
        level = round(5 * share)
        style = "" if not level else f"black on rgb(255,{230 - 36 * level},{180 - 36 * level})"
        if pieces and pieces[-1][1] == style and character != "\n":
            pieces[-1] = (pieces[-1][0] + character, style)
        else:
            pieces.append((character, "" if character == "\n" else style))
    return pieces


class Expected(NamedTuple):
    """What a model expected in the place of each of N characters.

    nats: (N,), −log p of the character itself. ids, shares: (N, count), the likeliest ids and
    their probabilities, the likeliest first.
    """

    nats: Array
    ids: Array
    shares: Array


@blas_threads(1)
def likeliest(model: CharRNN, ids: Ids, start: int, stop: int, count: int = 5) -> Expected:
    """Return what the model expected in the places of ids[start + 1 : stop], read as one stream."""
    network = Network(model.parameters)
    size, count = stop - start - 1, min(count, model.config.vocab_size)
    found = Expected(
        np.zeros(size), np.zeros((size, count), np.uint32), np.zeros((size, count), np.float32)
    )
    text = ids.read_rows(np.array([start]), size + 1).T
    for at, targets in in_windows(network, text, network.initial_state(1)):
        rows, where = np.arange(len(targets)), slice(at, at + len(targets))
        log_p = log_softmax(network.logits.T.astype(np.float64, order="C"))
        found.nats[where] = -log_p[rows, targets[:, 0]]
        for k in range(count):  # a sort of thousands would take most of the time
            best = log_p.argmax(axis=1)
            found.ids[where, k] = best
            found.shares[where, k] = np.exp(log_p[rows, best])
            log_p[rows, best] = -np.inf
    return found


def page(
    title: str, chars: Sequence[str], ids: Array, expected: Expected, loss: float, more: str = ""
) -> str:
    """Return a self-contained page: a text as a heat map, with what was expected of each character.

    chars: what each symbol is shown as. ids: (N,) of the text. loss: the mean over all that was
    scored. more: markup to stand below the text.
    """
    rounded = np.round(expected.shares * SHARES)
    told = rounded > 0
    used = np.unique(np.concatenate([ids, expected.ids[told]]))
    index = "u4" if len(used) >= 1 << 16 else "u2"
    step = max(STEP, float(expected.nats.max(initial=0)) / MOST_STEPS)
    likely = np.where(told, np.searchsorted(used, expected.ids), len(used))
    data = {
        "title": title,
        "loss": round(loss, 4),
        "calm": CALM,
        "wild": WILD,
        "ticks": TICKS,
        "wide": index == "u4",
        "codes": packed(np.array([ord(chars[idx]) for idx in used]), "u4"),
        "text": packed(np.searchsorted(used, ids), index),
        "step": step,
        "nats": packed(np.round(expected.nats / step), "u2"),
        "likely": packed(likely, index),
        "shares": packed(rounded, "u2"),
    }
    return page_of("surprise", data, more)
