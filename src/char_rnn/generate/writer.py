"""Texts from a network and its vocabulary: what `CharRNN.generate` and its kin do."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.batch import Batch, Texts, check_room
from char_rnn.generate.beam import beam_search
from char_rnn.generate.choose import Chooser, bias_amounts
from char_rnn.generate.door import text_of
from char_rnn.generate.hypotheses import stop_texts
from char_rnn.generate.sampler import after_reading, sample
from char_rnn.generate.stop import Stop, cut, most_characters, spell, until_end
from char_rnn.model.blas import blas_threads
from char_rnn.model.parameters import Parameters
from char_rnn.sample_config import SampleConfig

Array = np.ndarray

IMPOSSIBLE = -1e9  # a logit
T = TypeVar("T")


class Found(NamedTuple, Generic[T]):
    """What a beam search found: a text (or bytes), the nats of its log-probability, and its score.

    The stop text that ended it counts in both figures and is not part of `text`.
    whole: False if the search was stopped before the text came to its end.
    """

    text: T
    log_probability: float
    score: float
    whole: bool = True


class Writer:
    """Writes texts with the parameters as they are when a text begins."""

    def __init__(self, parameters: Parameters, vocabulary: AnyVocabulary) -> None:
        self._parameters, self._vocabulary = parameters, vocabulary

    def begin(self, seed: str) -> Array:
        """Return the ids (n,) that a text of `seed` begins with."""
        return self._vocabulary.beginning(seed)

    def write(
        self, seed: str, config: SampleConfig, rng: np.random.Generator, threads: int | None = None
    ) -> Iterator[str]:
        """Yield what follows `seed`, piece by piece. threads: of BLAS; None: see Stepper."""
        ids = self._ids(seed, config, rng, threads)
        return spell(ids, self._vocabulary, Stop(config))

    def _ids(
        self, seed: str, config: SampleConfig, rng: np.random.Generator, threads: int | None
    ) -> Iterator[int]:
        ids, length = self.begin(seed), most_characters(config)
        if length and not len(ids):
            # Nothing to begin with: the first character is drawn from all of them alike.
            ids, length = rng.integers(self._vocabulary.size, size=1), length - 1
            yield int(ids[0])
        with blas_threads(threads or 1):
            stepper = after_reading(self._parameters, [ids], helped=threads is None)
            for drawn in sample(stepper, length, self._chooser(config, rng)):
                yield drawn.item(0)

    def write_many(
        self, seeds: Sequence[str], config: SampleConfig, rng: np.random.Generator, threads: int = 1
    ) -> Texts[str]:
        """Return what follows each of `seeds`, as one batch."""
        check_room(len(seeds), config, threads)
        batch = Batch(self._parameters, self._vocabulary, config)
        return batch.write([self.begin(seed) for seed in seeds], rng, threads)

    def search(
        self,
        seed: str,
        config: SampleConfig,
        width: int,
        groups: int,
        results: int,
        diversity: float,
        length_penalty: float,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[Found[str]]:
        """Return the likeliest texts that follow `seed`, the best first."""
        if config.lines > 1 or config.until_line_end:
            raise UsageError(
                "a beam search ends at its length, at a stop text or after one line; "
                "leave more lines and until_line_end out"
            )
        ids = self.begin(seed)
        if not len(ids):
            raise UsageError("a beam search needs a seed text where the model knows no new line")
        texts = (*config.stop, *(["\n"] if config.lines else []))
        stops = [self._vocabulary.encode(text) for text in texts]
        if self._vocabulary.end is not None:
            stops.append(np.array([self._vocabulary.end]))
        ends = stop_texts(stops, self._vocabulary.size) if stops else ()
        with blas_threads(1):
            found = beam_search(
                _without(self._parameters, self._vocabulary.rare),
                ids,
                config.length,
                width,
                groups,
                diversity,
                length_penalty,
                ends,
                results,
                stopped=stopped,
            )
        return [
            Found(
                cut(config, text_of(self._vocabulary, until_end(h.ids, self._vocabulary)))[0],
                h.log_probability,
                h.score,
                h.whole,
            )
            for h in found
        ]

    def _chooser(
        self, config: SampleConfig, rng: np.random.Generator, ends: bool = True
    ) -> Chooser:
        """Return what draws; ends: whether it may draw the end of a document."""
        amounts, end = bias_amounts(config, self._vocabulary), self._vocabulary.end
        if end is not None and not ends:
            amounts = np.zeros(self._vocabulary.size) if amounts is None else amounts
            amounts[end] = -np.inf
        return Chooser(config, self._vocabulary.size, 1, rng, amounts)


def _without(parameters: Parameters, idx: int | None) -> Parameters:
    """Return parameters of a network that never predicts `idx`: these, if it is None."""
    if idx is None:
        return parameters
    others = parameters.like()
    others.flat[:] = parameters.flat
    others["out.bias"][idx] = IMPOSSIBLE
    return others
