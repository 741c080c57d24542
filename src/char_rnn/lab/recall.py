"""Lines at whose end a letter is asked for that stood k characters back, and how they are learned.

    2 9 c 4 0 7 1 → c      k = 5: of a line of 7, the letter is the fifth from its end

A line is random digits but for one letter, anywhere in it. Nothing else says which letter it was:
who does not see or remember it is right one time in eight.
"""

from collections.abc import Callable

import numpy as np

from char_rnn import CharRNN, cross_entropy
from char_rnn.training.clipping import clip_by_norm
from char_rnn.training.optimisers import Adam

Array = np.ndarray

DIGITS, LETTERS = "0123456789", "abcdefgh"
SYMBOLS = DIGITS + LETTERS
V = len(SYMBOLS)
CHANCE = 1 / len(LETTERS)


def lines(
    rng: np.random.Generator, count: int, length: int, back: int | None = None
) -> tuple[Array, Array]:
    """Return ids (T, B) of `count` lines of `length`, and the letters (B,) that are asked for.

    back: k, the same in all of them; None draws it, from 1 to the length, for each.
    """
    ids = rng.integers(len(DIGITS), size=(length, count))
    answers = len(DIGITS) + rng.integers(len(LETTERS), size=count)
    k = rng.integers(1, length + 1, size=count) if back is None else back
    ids[length - k, np.arange(count)] = answers
    return ids, answers


def spelled(ids: Array) -> str:
    """Return one line (T,) as text."""
    return "".join(SYMBOLS[i] for i in ids)


def read(model: CharRNN, ids: Array, window: int, carried: bool = False) -> Array:
    """Return the logits (T, B, V) of the last `window` characters of lines (N, B).

    carried: begin them with the state that the characters before have left, through which no
        gradient goes, and not with zeros.
    """
    before, state = ids[:-window], None
    if carried and len(before):
        _, state = model.forward(before)
    return model.forward(ids[-window:], state)[0]


def learn(
    model: CharRNN,
    rng: np.random.Generator,
    *,
    iterations: int,
    length: int,
    window: int,
    carried: bool = False,
    back: int | None = None,
    batch_size: int = 64,
    learning_rate: float = 0.01,
) -> None:
    """Train `model` on fresh lines; only the letter that is asked for has a loss."""
    optimizer = Adam(beta2=0.99)
    for step in range(iterations):
        ids, answers = lines(rng, batch_size, length, back)
        logits = read(model, ids, window, carried)
        d_logits = np.zeros_like(logits)
        _, d_logits[-1:] = cross_entropy(logits[-1:], answers[None])
        gradients = model.backward(d_logits)
        clip_by_norm(gradients, 1.0)
        optimizer.step(model.parameters, gradients, learning_rate * (1 - step / iterations))


def accuracy(
    logits: Callable[[Array], Array],
    rng: np.random.Generator,
    length: int,
    back: int,
    count: int = 500,
) -> float:
    """Return how often the likeliest character is the letter that stood k = `back` before.

    logits: of ids (T, B) the logits (B, V) of what comes after them.
    """
    ids, answers = lines(rng, count, length, back)
    return float((logits(ids).argmax(axis=-1) == answers).mean())
