"""Many texts at once: streams in groups, each group one batch, and the groups side by side.

A product with many rows costs little more than with one. Groups run in threads with one BLAS
thread each (model/blas.py): NumPy lets go of the interpreter in products and in its maths. Each
group has random numbers of its own, so that the texts do not depend on how many threads there are.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from char_rnn.config import ModelConfig, SampleConfig
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.generate.choose import Chooser, bias_amounts
from char_rnn.generate.sampler import after_reading, sample
from char_rnn.generate.stop import cut, most_characters
from char_rnn.model.blas import blas_threads
from char_rnn.model.parameters import Parameters

Array = np.ndarray

GROUP = 32
"""Streams of a group: enough for products to be products, and two groups for 64 texts."""
LOOK = 50
"""After so many characters a group looks whether all of its texts have ended."""


class Batch:
    """Writes many texts with the parameters as they are."""

    def __init__(
        self, model: ModelConfig, parameters: Parameters, vocabulary: AnyVocabulary,
        config: SampleConfig,
    ) -> None:  # fmt: skip
        self._model, self._parameters = model, parameters
        self._vocabulary, self._config = vocabulary, config

    def write(
        self, seeds: Sequence[str], begun: Sequence[Array], rng: np.random.Generator, threads: int
    ) -> list[str]:
        """Return what follows each of `seeds`, which begin with the ids `begun`."""
        count = -(-len(seeds) // GROUP)
        cuts = [slice(k * GROUP, (k + 1) * GROUP) for k in range(count)]
        rngs = [rng] if count == 1 else rng.spawn(count)

        def group(k: int) -> list[str]:
            return self._group(seeds[cuts[k]], begun[cuts[k]], rngs[k])

        with blas_threads(1), ThreadPoolExecutor(max(1, min(threads, count))) as pool:
            return [text for texts in pool.map(group, range(count)) for text in texts]

    def _group(
        self, seeds: Sequence[str], begun: Sequence[Array], rng: np.random.Generator
    ) -> list[str]:
        config, V, length = self._config, self._model.vocab_size, most_characters(self._config)
        # Where there is nothing to begin with, the first character is drawn from all alike.
        drawn = [rng.integers(V, size=0 if len(ids) else 1) for ids in begun]
        firsts = [np.concatenate(pair) for pair in zip(begun, drawn, strict=True)]
        stepper = after_reading(self._model, self._parameters, firsts)
        chooser = Chooser(config, V, len(seeds), rng, bias_amounts(config, self._vocabulary))
        steps: list[Array] = []

        def texts() -> list[tuple[str, bool]]:
            """Return each text as far as it has come, and whether it has ended."""
            ids = np.array(steps, np.intp).reshape(len(steps), len(seeds)).T
            made = (np.concatenate(pair)[:length] for pair in zip(drawn, ids, strict=True))
            return [
                cut(config, seed, self._vocabulary.decode(row))
                for seed, row in zip(seeds, made, strict=True)
            ]

        for ids in sample(stepper, length, chooser):
            steps.append(ids)
            if config.ends and len(steps) % LOOK == 0 and all(ended for _, ended in texts()):
                break
        return [text for text, _ in texts()]
