"""Drawing the next character from logits.

A character is drawn by the Gumbel-max trick: the largest of z_c + g_c, where the g_c are
independent draws from the standard Gumbel distribution −log(−log U), is c with the probability
softmax(z)_c. So no probability is ever computed, and none can overflow or be NaN. With nothing but
a temperature it is the largest of logits_c + t · g_c: two calls a character. The noise is drawn
for many characters at once. Source: Gumbel 1954; Maddison, Tarlow & Minka 2014.
"""

import math
from collections.abc import Callable

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary, named
from char_rnn.errors import UnknownCharacters, UsageError
from char_rnn.generate import filters
from char_rnn.sample_config import SampleConfig
from char_rnn.schedules import parse_temperature

Array = np.ndarray
Filter = Callable[[Array, int, Array], Array]

BLOCK = 1 << 15
"""About how many random numbers are drawn at once."""
TINY = np.finfo(np.float64).tiny
FAST = (1e-6, 1e6)
"""Temperatures between which float32 noise beside float32 logits is exact enough."""


class Gumbel:
    """Noise for B rows of V: −log E, where E is exponential, drawn for many characters at once.

    steps: for how many; as many as pay if None. What comes is the same for any number.
    """

    def __init__(self, rng: np.random.Generator, B: int, V: int, steps: int | None = None) -> None:
        steps = max(1, BLOCK // (B * V)) if steps is None else steps
        self._rng = rng
        self._waits = np.empty((steps, B, V))
        self._noise, self._next = np.empty((steps, B, V), np.float32), steps

    def __call__(self) -> Array:
        """Return the next, (B, V) float32, valid until the next call."""
        if self._next == len(self._noise):
            self._draw()
        self._next += 1
        noise: Array = self._noise[self._next - 1]
        return noise

    def ahead(self, most: int) -> Array:
        """Return what comes next, (n, B, V), where n is 1 to `most`; `skip` what was used of it."""
        if self._next == len(self._noise):
            self._draw()
        return self._noise[self._next : self._next + most]

    def skip(self, count: int) -> None:
        """Go on past so many of what `ahead` returned."""
        self._next += count

    def _draw(self) -> None:
        waits = self._rng.standard_exponential(out=self._waits)
        np.maximum(waits, TINY, out=waits)
        np.log(waits, out=waits)
        np.negative(waits, out=self._noise, casting="same_kind")
        self._next = 0


class Chooser:
    """Draws the next ids of B streams from their logits (B, V), as a SampleConfig says.

    amounts: (V,), nats that favour or forbid (−∞) a character, or None.
    steps: for how many characters noise is drawn at once, see Gumbel.

    looks_back: whether it asks what was written last.
    noise: what it draws by.
    steady: the temperature t where an id is just the largest of logits + t · noise in its row, and
        t stays; None where anything else has a say.
    """

    def __init__(
        self,
        config: SampleConfig,
        V: int,
        B: int,
        rng: np.random.Generator,
        amounts: Array | None = None,
        steps: int | None = None,
    ) -> None:
        self._temperature = parse_temperature(config.temperature)
        self._total, self.noise = config.length, Gumbel(rng, B, V, steps)
        self._rows, self._amounts = np.arange(B), amounts
        self._filters = _filters(config, amounts, self._at)
        self.looks_back = config.repetition_penalty != 1
        self._plain = [name for name, _ in self._filters] == ["temperature"]
        self._z = np.empty((B, V), np.float32)
        t = self._at(0)
        always = self._plain and self._temperature.kind == "constant" and _is_usual(t)
        self.steady = t if always else None

    def __call__(
        self, logits: Array, at: int, written: Array, allowed: Array | None = None
    ) -> Array:
        """Return an id for each row of `logits` (B, V), (B,).

        at: characters written so far, for a temperature that moves. written: (B, n), their last
        ids, for the repetition penalty. allowed: (B, V) or (V,), what may be drawn at all.
        Raises UsageError if the logits are not finite, or nothing is allowed.
        """
        t = self._at(at)
        if self._plain and allowed is None and _is_usual(t):
            return self._draw_plain(logits, t)
        top = np.maximum.reduce(logits, axis=1)
        if not np.isfinite(top).all():
            raise not_finite()
        z = logits.astype(np.float64)
        if allowed is not None:
            z = np.where(allowed, z, -np.inf)
        if self._amounts is not None:
            z = np.where(np.isneginf(self._amounts), -np.inf, z)
        if np.isneginf(np.maximum.reduce(z, axis=1)).any():
            raise UsageError("every character that could follow is forbidden; allow more of them")
        for _, apply in self._filters:
            z = apply(z, at, written)
        ids: Array = (z + self.noise()).argmax(axis=1)
        return ids

    def _draw_plain(self, logits: Array, t: float) -> Array:
        """Return the largest of logits + t · g in each row."""
        z = self._z
        if t == 0:
            np.copyto(z, logits)
        elif t == 1:
            np.add(logits, self.noise(), out=z, casting="same_kind")
        else:
            np.multiply(self.noise(), np.float32(t), out=z)
            np.add(z, logits, out=z, casting="same_kind")
        ids: Array = z.argmax(axis=1)
        # argmax finds a NaN or an infinity if there is one.
        if len(ids) == 1:
            finite = math.isfinite(z.item(0, ids.item(0)))
        else:
            finite = bool(np.isfinite(z[self._rows, ids]).all())
        if not finite:
            raise not_finite()
        return ids

    def _at(self, at: int) -> float:
        return self._temperature.at(at, self._total)


def _is_usual(t: float) -> bool:
    return t == 0 or FAST[0] <= t <= FAST[1]


def bias_amounts(config: SampleConfig, vocabulary: AnyVocabulary | None) -> Array | None:
    """Return what `config.bias` and `config.forbid` add to each logit, (V,), or None for nothing.

    The symbol of rare characters is never drawn.
    Raises UsageError for a character that the vocabulary lacks, or that is several bytes.
    """
    rare = None if vocabulary is None else vocabulary.rare
    if not config.bias and not config.forbid and rare is None:
        return None
    if vocabulary is None:
        raise UsageError("bias and forbid name characters; this model has no vocabulary")
    amounts = np.zeros(vocabulary.size)
    for char, amount in (*config.bias, *((char, -math.inf) for char in config.forbid)):
        unknown = vocabulary.unknown(char)
        if unknown:
            raise UnknownCharacters(
                f"bias and forbid: the model does not know {named(unknown)}, and so never writes "
                "it; leave it out"
            )
        ids = vocabulary.encode(char)
        if len(ids) != 1:
            raise UsageError(f"{char!r} is {len(ids)} bytes; only single ones can be weighed")
        amounts[ids] += amount
    if rare is not None:
        amounts[rare] = -math.inf
    return amounts


def _filters(
    config: SampleConfig, amounts: Array | None, at: Callable[[int], float]
) -> list[tuple[str, Filter]]:
    """Return the filters that do something, in the order that `config` says."""
    window = config.repetition_window
    all_of_them: dict[str, tuple[bool, Filter]] = {
        "bias": (amounts is not None, lambda z, _, __: filters.bias(z, amounts)),  # type: ignore[arg-type]
        "repetition_penalty": (
            config.repetition_penalty != 1,
            lambda z, _, written: filters.repetition_penalty(
                z, written[:, -window:], config.repetition_penalty
            ),
        ),
        "temperature": (True, lambda z, step, _: filters.temperature(z, at(step))),
        "top_k": (config.top_k > 0, lambda z, _, __: filters.top_k(z, config.top_k)),
        "top_p": (config.top_p < 1, lambda z, _, __: filters.top_p(z, config.top_p)),
        "min_p": (config.min_p > 0, lambda z, _, __: filters.min_p(z, config.min_p)),
        "typical": (config.typical < 1, lambda z, _, __: filters.typical(z, config.typical)),
    }
    return [(name, all_of_them[name][1]) for name in config.order if all_of_them[name][0]]


def not_finite() -> UsageError:
    """Return the error for logits that are none."""
    return UsageError("the model's output is not finite: its weights have diverged")


def draw(logits: Array, rng: np.random.Generator) -> Array:
    """Return an index for each row of `logits` (N, V), drawn from its softmax; (N,)."""
    waits = np.maximum(rng.standard_exponential(logits.shape), TINY)
    drawn: Array = (logits - np.log(waits)).argmax(axis=1)
    return drawn
