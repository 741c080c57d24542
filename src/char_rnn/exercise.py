"""The exercise on one page: a character RNN under the exercise's own names, equation by equation.

    z_t = W_xh x_t + W_hh h_{t-1} + b_h        V  size of the vocabulary
    h_t = tanh(z_t)                            H  hidden units
    y_t = W_hy h_t + b_y                       T  steps of a window
    p_t = softmax(y_t)
    L   = −Σ_t log p_t[target_t]               nats, summed over the window

Everything is a column: x, y and p are (V, 1), h and z are (H, 1). One stream, one layer, float64,
one Python step per character: read it, check it, learn from it. `char_rnn.model` and
`char_rnn.training` are the fast relatives.

Where the exercise errs, this page differs: `backward` takes its parameters by name, the loss needs
no 1e-8, `sample` feeds every character once, `clip_gradients` refuses what is not finite, and
`train` uses the last whole window too. It prints nothing, and everything random comes from `rng`,
a numpy.random.Generator; None takes a fresh one.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from char_rnn.data.vocabulary import Vocabulary, one_hot
from char_rnn.errors import NonFiniteGradient, TextTooShort, UsageError

__all__ = [
    "Progress",
    "Vocabulary",
    "backward",
    "clip_gradients",
    "cross_entropy_loss",
    "forward",
    "indices_to_one_hot",
    "initialize_params",
    "numerical_gradient",
    "one_hot",
    "rnn_step_forward",
    "sample",
    "sample_with_temperature",
    "softmax",
    "train",
]

Array: TypeAlias = NDArray[np.float64]
Params: TypeAlias = dict[str, Array]
Cache: TypeAlias = tuple[Array, Array, Array, Array, Array]
Gradients = TypeVar("Gradients", bound=Mapping[str, Array] | Sequence[Array])


def indices_to_one_hot(indices: Iterable[int], vocab_size: int) -> list[Array]:
    """Turn each of the T `indices` into a one-hot column (V, 1)."""
    return [one_hot(index, vocab_size) for index in indices]


def initialize_params(
    vocab_size: int, hidden_size: int, rng: np.random.Generator | None = None
) -> Params:
    """Draw small random weights, 0.01 · normal, and set the biases to zero.

    Returns W_xh (H, V), W_hh (H, H), W_hy (V, H), b_h (H, 1) and b_y (V, 1) by name.
    """
    rng = np.random.default_rng() if rng is None else rng
    return {
        "W_xh": 0.01 * rng.standard_normal((hidden_size, vocab_size)),
        "W_hh": 0.01 * rng.standard_normal((hidden_size, hidden_size)),
        "W_hy": 0.01 * rng.standard_normal((vocab_size, hidden_size)),
        "b_h": np.zeros((hidden_size, 1)),
        "b_y": np.zeros((vocab_size, 1)),
    }


def rnn_step_forward(
    x: Array, h_prev: Array, W_xh: Array, W_hh: Array, W_hy: Array, b_h: Array, b_y: Array
) -> tuple[Array, Array, Cache]:
    """Read one character: from x (V, 1) and h_prev (H, 1) to the next state and the logits.

    Returns h_next (H, 1), y (V, 1) and what `backward` needs of this step.
    """
    z = W_xh @ x + W_hh @ h_prev + b_h
    h_next = np.tanh(z)
    y = W_hy @ h_next + b_y
    return h_next, y, (x, h_prev, h_next, z, y)


def forward(
    inputs: Iterable[Array], h_init: Array, params: Params
) -> tuple[list[Array], Array, list[Cache]]:
    """Read the T `inputs`, one-hot columns (V, 1), starting from h_init (H, 1).

    Returns the logits (V, 1) and the cache of every step, and between them the final state (H, 1).
    """
    h = h_init
    outputs, caches = [], []
    for x in inputs:
        h, y, cache = rnn_step_forward(x, h, **params)
        outputs.append(y)
        caches.append(cache)
    return outputs, h, caches


def softmax(y: Array, *, axis: int | None = None) -> Array:
    """Turn logits into probabilities that sum to 1 over the whole of y, or along `axis`.

    The largest logit is subtracted first, which changes nothing but keeps exp from overflowing.
    """
    exp_y: Array = np.exp(y - np.max(y, axis=axis, keepdims=True))
    return exp_y / np.sum(exp_y, axis=axis, keepdims=True)


def cross_entropy_loss(
    outputs: Sequence[Array], targets: Iterable[int]
) -> tuple[float, list[Array]]:
    """Sum −log p[target] over the T steps, in nats, from the logits (V, 1) in `outputs`.

    −log softmax(y)[target] = log Σ exp(y) − y[target], with y shifted so that its largest is 0: no
    logit is too large for it, and no probability too small.
    Returns the loss and the probabilities (V, 1) of every step, for `backward`.
    """
    loss = 0.0
    probs = []
    for y, target in zip(outputs, targets, strict=True):
        shifted = y - np.max(y)
        loss += float(np.log(np.sum(np.exp(shifted))) - shifted[target, 0])
        probs.append(softmax(y))
    return loss, probs


def backward(
    probs: Sequence[Array], targets: Iterable[int], caches: Sequence[Cache], params: Params
) -> Params:
    """Backpropagate the summed loss through time, from the last step to the first.

    probs: T columns (V, 1), from `cross_entropy_loss`; caches: of T steps, from `forward`.
    Returns the gradient of every parameter under its own name. No gradient enters after the last
    step or leaves before the first: there backpropagation is truncated.
    """
    W_hh, W_hy = params["W_hh"], params["W_hy"]
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    dh_next = np.zeros((len(W_hh), 1))

    for p, target, cache in reversed(list(zip(probs, targets, caches, strict=True))):
        x, h_prev, h_next, _, _ = cache

        # Softmax and cross-entropy together: dy = p − one_hot(target)
        dy = p.copy()
        dy[target] -= 1

        # y = W_hy h + b_y
        grads["W_hy"] += dy @ h_next.T
        grads["b_y"] += dy

        # h was used twice: by this step's output and by the next step
        dh = W_hy.T @ dy + dh_next

        # h = tanh(z), and tanh' = 1 − tanh²
        dz = dh * (1 - h_next**2)

        # z = W_xh x + W_hh h_prev + b_h
        grads["W_xh"] += dz @ x.T
        grads["W_hh"] += dz @ h_prev.T
        grads["b_h"] += dz
        dh_next = W_hh.T @ dz

    return grads


def clip_gradients(grads: Gradients, max_norm: float = 5.0) -> tuple[Gradients, float]:
    """Scale the gradients in place so that their joint L2 norm is at most `max_norm`.

    grads: arrays of any shape, in a mapping, a list or a tuple.
    Returns `grads` itself and the norm before clipping.
    Raises NonFiniteGradient, and leaves `grads` as they were, if the norm is NaN or infinite.
    Source: Pascanu et al. 2013, algorithm 1.
    """
    if not max_norm > 0:
        raise UsageError(f"max_norm is {max_norm}; it must be greater than 0")
    arrays = list(grads.values()) if isinstance(grads, Mapping) else list(grads)

    # ‖g‖ = m · ‖g / m‖ with m the largest |g|: no square can overflow
    largest = float(np.max([np.max(np.abs(g), initial=0.0) for g in arrays], initial=0.0))
    total_norm = largest
    if 0 < largest < math.inf:
        squares = sum(float(np.sum(np.square(g / largest, dtype=np.float64))) for g in arrays)
        total_norm = largest * math.sqrt(squares)
    if not math.isfinite(total_norm):
        raise NonFiniteGradient(
            f"the norm of the gradients is {total_norm}; it must be finite: lower the learning rate"
        )

    if total_norm > max_norm:
        for g in arrays:
            np.multiply(g, max_norm / total_norm, out=g)
    return grads, total_norm


def sample_with_temperature(
    probs: Array, temperature: float = 1.0, rng: np.random.Generator | None = None
) -> int:
    """Draw an index with probability proportional to probs ** (1 / temperature).

    probs: (V,) or (V, 1), not negative. A probability of 0 is never drawn.
    temperature: below 1 bolder, above 1 more even, 0 always the likeliest.
    Raises UsageError if the temperature is negative or not finite, or `probs` are no probabilities.
    """
    if not 0 <= temperature < math.inf:
        raise UsageError(f"temperature is {temperature}; it must be at least 0 and finite")
    probs = np.asarray(probs, dtype=np.float64).ravel()
    if not (np.all(probs >= 0) and 0 < np.sum(probs) < math.inf):
        raise UsageError("the probabilities are NaN, negative or all 0; check the model for NaN")
    if temperature == 0:
        return int(np.argmax(probs))

    # log 0 = −inf comes out of softmax as 0 again; the likeliest is at 0 whatever it is divided by
    with np.errstate(divide="ignore", over="ignore"):
        log_probs = np.log(probs)
        scaled = (log_probs - np.max(log_probs)) / temperature
    rng = np.random.default_rng() if rng is None else rng
    return int(rng.choice(len(probs), p=softmax(scaled)))


def numerical_gradient(f: Callable[[Array], float], x: Array, epsilon: float = 1e-5) -> Array:
    """Measure the gradient of the scalar f at x by central differences, one element at a time.

    f: takes an array like x; x: any shape, left untouched. Returns an array of the same shape.
    The error is about epsilon² of the curvature plus 1e-16 / epsilon of rounding.
    """
    x = np.asarray(x, dtype=np.float64)
    grad = np.zeros_like(x)
    for i in range(x.size):
        x_plus = x.copy()
        x_plus.flat[i] += epsilon
        x_minus = x.copy()
        x_minus.flat[i] -= epsilon
        grad.flat[i] = (f(x_plus) - f(x_minus)) / (2 * epsilon)
    return grad


class Progress(NamedTuple):
    """What `train` reports after every iteration.

    iteration: counted from 0.
    loss: nats, summed over the window, before the update.
    grad_norm: before clipping.
    h: (H, 1), the state after the window.
    params: the parameters themselves, after the update; copy what you keep.
    vocab: of the text.
    """

    iteration: int
    loss: float
    grad_norm: float
    h: Array
    params: Params
    vocab: Vocabulary


def train(
    text: str,
    hidden_size: int = 128,
    seq_length: int = 25,
    learning_rate: float = 0.1,
    iterations: int = 100_000,
    rng: np.random.Generator | None = None,
    report: Callable[[Progress], object] | None = None,
) -> tuple[Params, Vocabulary]:
    """Train on `text`, window after window, with Adagrad; carrying the state on.

    seq_length: T, characters of a window; a text that is shorter is one window.
    report: called with a Progress after every iteration, to print, sample, plot or raise.
    Returns the parameters and the vocabulary.
    Raises TextTooShort if the text has fewer than 2 characters.
    Source: Karpathy's min-char-rnn; Duchi et al. 2011 (Adagrad).
    """
    if seq_length < 1:
        raise UsageError(f"seq_length is {seq_length}; it must be at least 1")
    if len(text) < 2:
        raise TextTooShort(f"the text has {len(text)} character(s); training needs at least 2")
    vocab = Vocabulary(text)
    data = vocab.encode(text)
    seq_length = min(seq_length, len(data) - 1)

    params = initialize_params(vocab.size, hidden_size, rng)
    mem = {name: np.zeros_like(value) for name, value in params.items()}
    h = np.zeros((hidden_size, 1))
    pointer = 0

    for iteration in range(iterations):
        # Back to the start when no whole window is left
        if pointer + seq_length + 1 > len(data):
            h = np.zeros((hidden_size, 1))
            pointer = 0

        # The target of every character is the one after it
        inputs = data[pointer : pointer + seq_length]
        targets = data[pointer + 1 : pointer + seq_length + 1]

        outputs, h, caches = forward(indices_to_one_hot(inputs, vocab.size), h, params)
        loss, probs = cross_entropy_loss(outputs, targets)
        grads, grad_norm = clip_gradients(backward(probs, targets, caches, params))

        # Adagrad: the more a parameter has moved, the smaller its steps
        for name, grad in grads.items():
            mem[name] += grad**2
            params[name] -= learning_rate * grad / (np.sqrt(mem[name]) + 1e-8)

        pointer += seq_length
        if report is not None:
            report(Progress(iteration, loss, grad_norm, h, params, vocab))

    return params, vocab


def sample(
    params: Params,
    vocab: Vocabulary,
    h: Array,
    length: int,
    temperature: float = 1.0,
    seed: str | None = None,
    rng: np.random.Generator | None = None,
) -> str:
    """Generate `length` characters after `seed`, or after a random character if there is none.

    h: (H, 1), the state before the first character; left as it is.
    Returns the text, seed included.
    Raises UnknownCharacters if the seed holds characters that are not in `vocab`.
    """
    rng = np.random.default_rng() if rng is None else rng
    text = unread = seed or vocab.idx_to_char[int(rng.integers(vocab.size))]
    for _ in range(length):
        for x in indices_to_one_hot(vocab.encode(unread), vocab.size):
            h, y, _ = rnn_step_forward(x, h, **params)
        unread = vocab.idx_to_char[sample_with_temperature(softmax(y), temperature, rng)]
        text += unread
    return text
