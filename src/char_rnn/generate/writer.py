"""Texts from a network and its vocabulary: what `CharRNN.generate` and its kin do."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from char_rnn.config import ModelConfig, SampleConfig
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.batch import Batch, blas_threads
from char_rnn.generate.beam import beam_search, stop_texts
from char_rnn.generate.choose import Chooser, bias_amounts
from char_rnn.generate.sampler import after_reading, sample
from char_rnn.generate.stop import Stop, cut, most_characters
from char_rnn.model.parameters import Parameters

if TYPE_CHECKING:
    from char_rnn.data.copies import CopyIndex

Array = np.ndarray


class Found(NamedTuple):
    """What a beam search found: a text, the nats of its log-probability, and its score.

    The stop text that ended it counts in both figures and is not part of `text`.
    """

    text: str
    log_probability: float
    score: float


class Writer:
    """Writes texts with the parameters as they are when a text begins."""

    def __init__(
        self, config: ModelConfig, parameters: Parameters, vocabulary: AnyVocabulary
    ) -> None:
        self._config, self._parameters, self._vocabulary = config, parameters, vocabulary

    def begin(self, seed: str) -> Array:
        """Return the ids that a text of `seed` begins with, at least one.

        For an empty seed that is a new line; where the vocabulary has none, its first symbol.
        """
        return self._vocabulary.encode(seed or ("\n" if "\n" in self._vocabulary else ""))

    def write(
        self, seed: str, config: SampleConfig, rng: np.random.Generator,
        copies: "CopyIndex | None" = None, threads: int = 1,
    ) -> Iterator[str]:  # fmt: skip
        """Yield what follows `seed`, piece by piece.

        copies: the training text, for `config.max_copy`. threads: of BLAS.
        """
        decoder, stop = self._vocabulary.decoder(), Stop(config, seed)
        if not stop.done:
            for idx in self._ids(seed, config, rng, copies, threads):
                text = stop.feed(decoder.feed(idx))
                if text:
                    yield text
                if stop.done:
                    return
            rest = stop.feed(decoder.finish()) + stop.finish()
            if rest:
                yield rest

    def _ids(
        self, seed: str, config: SampleConfig, rng: np.random.Generator,
        copies: "CopyIndex | None", threads: int,
    ) -> Iterator[int]:  # fmt: skip
        ids, length = self.begin(seed), most_characters(config)
        if length and not len(ids):
            # Nothing to begin with: the first character is drawn from all of them alike.
            ids, length = rng.integers(self._config.vocab_size, size=1), length - 1
            yield int(ids[0])
        with blas_threads(threads):
            stepper = after_reading(self._config, self._parameters, [ids])
            for drawn in sample(stepper, length, self._chooser(config, 1, rng)):
                yield drawn.item(0)

    def write_many(
        self, seeds: Sequence[str], config: SampleConfig, rng: np.random.Generator,
        copies: "CopyIndex | None" = None, threads: int = 1,
    ) -> list[str]:  # fmt: skip
        """Return what follows each of `seeds`: as one batch, or one by one under conditions."""
        if config.constrained or config.code:
            return ["".join(self.write(seed, config, rng, copies)) for seed in seeds]
        if not seeds:
            return []
        batch = Batch(self._config, self._parameters, self._vocabulary, config)
        return batch.write(seeds, [self.begin(seed) for seed in seeds], rng, threads)

    def search(
        self, seed: str, config: SampleConfig, width: int, groups: int, results: int
    ) -> "list[Found]":
        """Return the likeliest texts that follow `seed`, the best first."""
        if config.lines > 1 or config.until_line_end or config.constrained or config.code:
            raise UsageError(
                "a beam search ends at --length, --stop or --lines 1, and keeps no other "
                "condition: leave the others out"
            )
        ids = self.begin(seed)
        if not len(ids):
            raise UsageError("a beam search needs a seed text where the model knows no new line")
        texts = (*config.stop, *(["\n"] if config.lines else []))
        stops = [self._vocabulary.encode(text) for text in texts]
        ends = stop_texts(stops, self._config.vocab_size) if stops else ()
        with blas_threads(1):
            found = beam_search(
                self._config, self._parameters, ids, config.length, width, groups, ends=ends,
                results=results,
            )  # fmt: skip
        return [
            Found(cut(config, "", self._vocabulary.decode(h.ids))[0], h.log_probability, h.score)
            for h in found
        ]

    def _chooser(self, config: SampleConfig, B: int, rng: np.random.Generator) -> Chooser:
        amounts = bias_amounts(config, self._vocabulary)
        return Chooser(config, self._config.vocab_size, B, rng, amounts)
