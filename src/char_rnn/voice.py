"""What makes text with a network and its vocabulary: the writing half of CharRNN."""

import os
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from char_rnn.constrain.writer import ConstrainedWriter, Pieces, refuse_conditions
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.arguments import as_generator, as_settings, as_text, as_texts
from char_rnn.generate.batch import Texts
from char_rnn.generate.door import door, other_kind
from char_rnn.generate.session import Session
from char_rnn.generate.sieve import sifted
from char_rnn.generate.writer import Found
from char_rnn.model.arguments import as_whole
from char_rnn.model.parameters import Parameters
from char_rnn.sample_config import BEAM_DIVERSITY, LENGTH_PENALTY, SampleConfig

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from char_rnn.constrain.guard import Condition
    from char_rnn.data.copies import CopyIndex

    # What the seed is, the text is too; of Python 3.13 on the default is in `typing`.
    S = TypeVar("S", str, bytes, default=str)
else:
    from typing import TypeVar

    S = TypeVar("S", str, bytes)


class Voice:
    """Whoever has `parameters` and a `vocabulary` can write; everything here reads them anew.

    A model of bytes takes bytes as well as texts for its seeds, and gives bytes for bytes: exactly
    what it made. For a text it gives a text, with U+FFFD for what is not UTF-8.
    """

    parameters: Parameters
    vocabulary: AnyVocabulary | None

    def generate(
        self,
        seed: S = "",  # type: ignore[assignment]
        config: SampleConfig | None = None,
        rng: np.random.Generator | None = None,
        copies: "CopyIndex | None" = None,
        threads: int | None = None,
        conditions: "Sequence[Condition]" = (),
    ) -> Pieces[S]:
        """Return what follows `seed`: an iterator over pieces of text, as they are made.

        Without a seed text the model begins a new line, where its vocabulary has one.
        copies: the text that `config.max_copy` must not copy from.
        threads: of BLAS. None: one, and a second core computes half of each product where the
            weights outgrow the cache of one (model/halves.py); the text is the same.
        conditions: of one's own, beside those of `config`; each makes a constraint
            (constrain/base.py) of what the model can write.
        """
        seed, config, draws = as_text("seed", seed), as_settings(config), as_generator(rng)
        writer = self._writer()
        enter, leave = door(self._need_vocabulary(), seed)
        pieces = writer.write(enter(seed), config, draws, threads, copies, conditions)
        return pieces.through(leave)

    def sample(
        self,
        seed: S = "",  # type: ignore[assignment]
        length: int = SampleConfig.length,
        temperature: float | str = SampleConfig.temperature,
        rng: np.random.Generator | None = None,
        **settings: Any,
    ) -> S:
        """Return `seed` and the `length` characters that the model continues it with.

        settings: any others of SampleConfig.
        """
        pieces = self.generate(seed, _settings(length, temperature, settings), rng)
        return seed + seed[:0].join(pieces)

    def sample_many(
        self,
        seeds: Sequence[S],
        length: int = SampleConfig.length,
        temperature: float | str = SampleConfig.temperature,
        rng: np.random.Generator | None = None,
        **settings: Any,
    ) -> list[S]:
        """Return each of `seeds` with its continuation: many streams as one batch.

        Many times as fast as one after the other. A stream's text depends on `rng` and on how
        many streams there are. An empty seed begins a new line, where the vocabulary has one.
        """
        seeds = as_texts("seeds", seeds)
        texts = self.generate_many(seeds, _settings(length, temperature, settings), rng)
        return [seed + text for seed, text in zip(seeds, texts, strict=True)]

    def generate_many(
        self,
        seeds: Sequence[S],
        config: SampleConfig | None = None,
        rng: np.random.Generator | None = None,
        copies: "CopyIndex | None" = None,
        threads: int | None = None,
    ) -> list[S]:
        """Return what follows each of `seeds`: as one batch, or one by one under conditions.

        The conditions are `sample_config.CONDITION_NAMES`. threads: groups of texts that
        are written side by side, None for as many as there are cores; the texts are the same.
        """
        return list(self.generate_each(seeds, config, rng, copies, threads))

    def generate_each(
        self,
        seeds: Sequence[S],
        config: SampleConfig | None = None,
        rng: np.random.Generator | None = None,
        copies: "CopyIndex | None" = None,
        threads: int | None = None,
    ) -> Texts[S]:
        """Return the same as an iterator, which has each text when it and all before it are done.

        Closed early, or interrupted, its `rest` has the others as far as they came.
        """
        seeds, config, draws = as_texts("seeds", seeds), as_settings(config), as_generator(rng)
        cores = threads or os.cpu_count() or 1
        writer = self._writer()
        enter, leave = door(self._need_vocabulary(), *seeds)
        texts = [enter(seed) for seed in seeds]
        return writer.write_many(texts, config, draws, cores, copies).through(leave)

    def generate_new(
        self,
        count: int,
        known: Container[str | bytes] = (),
        seed: S = "",  # type: ignore[assignment]
        config: SampleConfig | None = None,
        rng: np.random.Generator | None = None,
        copies: "CopyIndex | None" = None,
        threads: int | None = None,
        unique: bool = True,
    ) -> Texts[S]:
        """Return `count` texts that go on from `seed`, none of which is among `known`.

        Each is whole, with the seed. known: what is left out, such as
        set(corpus.documents()); for a model of bytes texts or bytes, whatever the seed is.
        unique: whether each comes once. config, rng, copies, threads: as
        in `generate_each`. The iterator raises ConstraintNotMet where there seem to be no more.
        """
        if as_whole("count", count) < 1:
            raise UsageError(f"count is {count}; at least one text is to be written")
        seed, config, draws = as_text("seed", seed), as_settings(config), as_generator(rng)

        vocabulary = self._need_vocabulary()

        def write(size: int) -> Texts[S]:
            texts = self.generate_each([seed] * size, config, draws, copies, threads)
            return texts.through(lambda text: seed + text)

        def is_known(text: S) -> bool:
            return text in known or other_kind(vocabulary, text) in known

        return sifted(write, count, is_known, unique)

    def search(
        self,
        seed: S = "",  # type: ignore[assignment]
        config: SampleConfig | None = None,
        width: int = 10,
        groups: int = 1,
        results: int = 1,
        diversity: float = BEAM_DIVERSITY,
        length_penalty: float = LENGTH_PENALTY,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[Found[S]]:
        """Return the likeliest texts that follow `seed`, the best first: a beam search.

        config: length, stop and lines=1 end a text; the model's own probabilities count,
            whatever its temperature is.
        width: beams, in `groups` that avoid each other's characters; `diversity` nats for each
            beam of an earlier group that has just chosen the same one.
        length_penalty: α in the score log p / n^α, by which texts of different lengths compete.
        stopped: asked several times a step; where it says so, the search ends with what it has.
        """
        seed, config = as_text("seed", seed), as_settings(config)
        refuse_conditions(config, "a beam search")
        writer = self._writer()
        enter, leave = door(self._need_vocabulary(), seed)
        found = writer.search(
            enter(seed), config, width, groups, results, diversity, length_penalty, stopped
        )
        return [Found(leave(result.text), *result[1:]) for result in found]

    def session(
        self, config: SampleConfig | None = None, rng: np.random.Generator | None = None
    ) -> Session:
        """Return a conversation: the model goes on from what it reads, turn by turn."""
        config, draws = as_settings(config), as_generator(rng)
        refuse_conditions(config, "a conversation")
        vocabulary = self._need_vocabulary()
        return Session(self.parameters, vocabulary, config, draws)

    def _writer(self) -> ConstrainedWriter:
        return ConstrainedWriter(self.parameters, self._need_vocabulary())

    def _need_vocabulary(self) -> AnyVocabulary:
        if self.vocabulary is None:
            raise UsageError(
                "this model has no vocabulary; pass vocabulary=Vocabulary(text) to CharRNN"
            )
        return self.vocabulary


def _settings(length: int, temperature: float | str, others: dict[str, Any]) -> SampleConfig:
    return SampleConfig.from_dict({"length": length, "temperature": temperature} | others)
