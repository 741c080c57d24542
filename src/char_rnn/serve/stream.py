"""One text as the engine writes it: which character comes next, and where the text ends."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary
from char_rnn.generate.choose import Chooser
from char_rnn.generate.door import to_bytes
from char_rnn.generate.stop import Stop, most_characters
from char_rnn.model.loss import log_softmax
from char_rnn.sample_config import SampleConfig
from char_rnn.serve.outbox import Bell, Outbox, Piece, Token

Array = np.ndarray

AHEAD = 16
"""Characters that are drawn, at most, before their text is told to who waits for it."""


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be written after a prompt.

    ids: (n,), the prompt, at least one. config: its conditions are not for the engine.
    amounts: (V,), nats that favour or forbid a character, or None.
    presence, frequency: nats that a character loses once it was written, and each time it was.
    logprobs: how many of the likeliest are told beside each character; None for not even its own.
    seed: of the random numbers; with one the text is the same whoever else is served.
    """

    ids: Array
    config: SampleConfig
    amounts: Array | None = None
    presence: float = 0.0
    frequency: float = 0.0
    logprobs: int | None = None
    seed: int | None = None


class Stream(Outbox):
    """One text of a job: the `number`-th of those that go on from its prompt.

    Whoever writes it draws its characters, by `choose` where `temperature` is None, and then says
    with `tell` which they were: each at once, or some together.

    state: (S, L, H), where it goes on from, while it has no column.
    temperature: t, where the next character is the likeliest of logits + t · noise; else None.
    noise: by which it is drawn, if that must be the same whoever else is served.
    """

    state: Array

    def __init__(
        self, job: Job, number: int, vocabulary: AnyVocabulary, bell: Bell, whole: bool
    ) -> None:
        super().__init__(bell, whole)
        self.job, self._vocabulary = job, vocabulary
        config, V = job.config, vocabulary.size
        rng = np.random.default_rng(None if job.seed is None else [job.seed, number])
        self._chooser = Chooser(config, V, 1, rng, job.amounts, AHEAD)
        self._length = most_characters(config)
        self._decoder, self._stop = vocabulary.decoder(), Stop(config)
        self._counts = np.zeros(V) if job.presence or job.frequency else None
        self._last: deque[int] = deque(maxlen=config.repetition_window)
        self._tokens: deque[Token] = deque()  # of text that is not certain yet
        self._drawn = 0
        only = self._counts is None and job.logprobs is None
        self.temperature = self._chooser.steady if only else None
        self.noise = self._chooser.noise if self.seeded else None

    @property
    def seeded(self) -> bool:
        """Whether it must be the same text whoever else is served."""
        return self.job.seed is not None

    @property
    def left(self) -> int:
        """How many characters may still be told."""
        return self._length - self.made

    def choose(self, logits: Array) -> int:
        """Draw the next character from `logits` (1, V); raise CharRNNError where none can be."""
        weighed = logits if self._counts is None else self._weighed(logits)
        idx: int = self._chooser(weighed, self._drawn, self._written()).item(0)
        self._drawn += 1
        if self.job.logprobs is not None:
            self._tokens.append(token(self._vocabulary, idx, logits[0], self.job.logprobs))
        if self._counts is not None:
            self._counts[idx] += 1
        if self._chooser.looks_back:
            self._last.append(idx)
        return idx

    def tell(self, ids: list[int]) -> None:
        """Hand on the text of the next characters; what was drawn after its end is forgotten."""
        ends = bool(ids) and ids[-1] == self._vocabulary.end
        spelt = ids[:-1] if ends else ids
        if self.job.config.ends:
            text = self._until_stop(spelt)
        else:
            self.made += len(spelt)
            text = "".join([self._decoder.feed(idx) for idx in spelt])
        self._hand_on(text)
        if self._stop.done:
            self.finish("stop")
        elif ends:
            self.made += 1
            self._end("stop")
        elif not self.left:
            self._end("length")

    def _until_stop(self, ids: list[int]) -> str:
        text = ""
        for idx in ids:
            self.made += 1
            text += self._stop.feed(self._decoder.feed(idx))
            if self._stop.done:
                break
        return text

    def _weighed(self, logits: Array) -> Array:
        assert self._counts is not None
        weighed: Array = logits - (
            self.job.presence * (self._counts > 0) + self.job.frequency * self._counts
        )
        return weighed

    def _written(self) -> Array:
        if not self._chooser.looks_back:
            return _NOTHING
        return np.array([self._last], np.intp)

    def _end(self, reason: str) -> None:
        """Hand out what was held back; a stop text in it is the reason."""
        self._hand_on(self._stop.feed(self._decoder.finish()) + self._stop.finish())
        self.finish("stop" if self._stop.done else reason)

    def _hand_on(self, text: str) -> None:
        if not text:
            return
        tokens: tuple[Token, ...] = ()
        if self.job.logprobs is not None:
            size = len(to_bytes(text) if self._vocabulary.unit == "byte" else text)
            tokens = tuple(self._tokens.popleft() for _ in range(size))
        self.put(Piece(text, tokens))


_NOTHING = np.zeros((1, 0), np.intp)


def token(vocabulary: AnyVocabulary, idx: int, logits: Array, top: int) -> Token:
    """Return what is told of the character `idx`; logits: (V,), from which it was drawn."""
    log_p = log_softmax(logits.astype(np.float64))
    return Token(name(vocabulary, idx), log_p.item(idx), likeliest(vocabulary, log_p, top))


def likeliest(vocabulary: AnyVocabulary, log_p: Array, count: int) -> dict[str, float]:
    """Return the `count` likeliest characters and their log-probabilities (V,), likeliest first."""
    if not count:
        return {}
    best = np.argpartition(-log_p, min(count, len(log_p)) - 1)[:count]
    order = best[np.argsort(-log_p[best], kind="stable")]
    return {name(vocabulary, int(idx)): log_p.item(idx) for idx in order}


def name(vocabulary: AnyVocabulary, idx: int) -> str:
    r"""Return the token of an id: its character; a byte that is none is `bytes:\xe9`, as OpenAI's.

    The symbols that are no characters are `<rare>` and `<end>`.
    """
    if idx == vocabulary.end:
        return "<end>"
    if idx == vocabulary.rare:
        return "<rare>"
    if isinstance(vocabulary, ByteVocabulary) and idx >= 0x80:
        return f"bytes:\\x{idx:02x}"
    return vocabulary.idx_to_char[idx]
