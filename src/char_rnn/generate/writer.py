"""Texts from a network and its vocabulary: what `CharRNN.generate` and its kin do."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from char_rnn.config import ModelConfig, SampleConfig
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.batch import Batch, Texts, Written, check_room
from char_rnn.generate.beam import beam_search, stop_texts
from char_rnn.generate.choose import Chooser, bias_amounts
from char_rnn.generate.code import CodeWriter
from char_rnn.generate.constraints import Place, make_guard
from char_rnn.generate.rewind import ConstrainedIds
from char_rnn.generate.sampler import after_reading, sample
from char_rnn.generate.stop import Stop, cut, most_characters
from char_rnn.model.blas import blas_threads
from char_rnn.model.parameters import Parameters
from char_rnn.model.stepper import Stepper

if TYPE_CHECKING:
    from char_rnn.data.copies import CopyIndex

Array = np.ndarray
T = TypeVar("T")


class Found(NamedTuple):
    """What a beam search found: a text, the nats of its log-probability, and its score.

    The stop text that ended it counts in both figures and is not part of `text`.
    whole: False if the search was stopped before the text came to its end.
    """

    text: str
    log_probability: float
    score: float
    whole: bool = True


class Pieces(Iterator[str]):
    """A text as it is made, piece by piece.

    taken_back: how many `unit` were made and taken back so far, to meet conditions.
    """

    def __init__(
        self, pieces: Iterator[str], count: Callable[[], int] = lambda: 0,
        unit: str = "characters", gave_up: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self._pieces, self._count, self.unit, self._gave_up = pieces, count, unit, gave_up

    def __next__(self) -> str:
        return next(self._pieces)

    @property
    def taken_back(self) -> int:
        """How many `unit` were taken back so far."""
        return self._count()

    @property
    def gave_up(self) -> bool:
        """Whether the text ended early, because the effort was spent."""
        return self._gave_up()


def _limited(things: Iterable[T], threads: int) -> Iterator[T]:
    """Yield `things`, made with so many BLAS threads."""
    with blas_threads(threads):
        yield from things


class Writer:
    """Writes texts with the parameters as they are when a text begins."""

    def __init__(
        self, config: ModelConfig, parameters: Parameters, vocabulary: AnyVocabulary
    ) -> None:
        self._config, self._parameters, self._vocabulary = config, parameters, vocabulary

    def begin(self, seed: str) -> Array:
        """Return the ids (n,) that a text of `seed` begins with.

        For an empty seed that is a new line; none, where the vocabulary has no new line.
        """
        return self._vocabulary.encode(seed or ("\n" if "\n" in self._vocabulary else ""))

    def write(
        self, seed: str, config: SampleConfig, rng: np.random.Generator,
        copies: "CopyIndex | None" = None, threads: int = 1,
    ) -> Pieces:  # fmt: skip
        """Return what follows `seed`, as an iterator over its pieces.

        copies: the training text, for `config.max_copy`. threads: of BLAS.
        Raises UsageError for conditions that cannot be met; the iterator raises ConstraintNotMet.
        """
        if config.code:
            return self._write_code(seed, config, rng, threads)
        if not config.constrained:
            return Pieces(self._text(self._ids(seed, config, rng, threads), seed, config))
        begun = self.begin(seed)
        # The network has to read something: where there is no new line, the first symbol.
        ids = begun if len(begun) else np.zeros(1, np.intp)
        length = most_characters(config)
        guard = make_guard(config, self._vocabulary, length, copies)
        assert guard is not None
        with blas_threads(threads):
            stepper = after_reading(self._config, self._parameters, [ids])
        chooser = self._chooser(config, 1, rng)
        found: ConstrainedIds[Place] = ConstrainedIds(
            stepper, begun, length, chooser, guard, config.effort
        )
        pieces = self._text(_limited(found, threads), seed, config)
        return Pieces(pieces, lambda: found.taken_back, "characters")

    def _write_code(
        self, seed: str, config: SampleConfig, rng: np.random.Generator, threads: int
    ) -> Pieces:
        if config.constrained or config.ends:
            raise UsageError(
                "code ends where a statement does and is cut nowhere else; leave stop, lines, "
                "until_line_end, regex, words, close and max_copy out"
            )
        stepper = Stepper(self._config, self._parameters)
        chooser = self._chooser(config, 1, rng)
        writer = CodeWriter(stepper, chooser, self._vocabulary, config.effort)
        pieces = _limited(writer.write(seed, config.length), threads)
        return Pieces(pieces, lambda: writer.lines_taken_back, "lines", lambda: writer.gave_up)

    def _text(self, ids: Iterator[int], seed: str, config: SampleConfig) -> Iterator[str]:
        """Yield the text of `ids`, up to where it ends."""
        decoder, stop = self._vocabulary.decoder(), Stop(config, seed)
        if stop.done:
            return
        for idx in ids:
            text = stop.feed(decoder.feed(idx))
            if text:
                yield text
            if stop.done:
                return
        rest = stop.feed(decoder.finish()) + stop.finish()
        if rest:
            yield rest

    def _ids(
        self, seed: str, config: SampleConfig, rng: np.random.Generator, threads: int
    ) -> Iterator[int]:
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
    ) -> Texts:  # fmt: skip
        """Return what follows each of `seeds`: as one batch, or one by one under conditions."""
        check_room(len(seeds), config, threads)
        if config.constrained or config.code:
            return self._one_by_one(seeds, config, rng, copies)
        batch = Batch(self._config, self._parameters, self._vocabulary, config)
        return batch.write(seeds, [self.begin(seed) for seed in seeds], rng, threads)

    def _one_by_one(
        self, seeds: Sequence[str], config: SampleConfig, rng: np.random.Generator,
        copies: "CopyIndex | None",
    ) -> Texts:  # fmt: skip
        pieces: list[str] = []  # of the text in hand
        at = 0

        def texts() -> Generator[str, None, None]:
            nonlocal at
            for seed in seeds:
                for piece in self.write(seed, config, rng, copies):
                    pieces.append(piece)
                text = "".join(pieces)
                pieces.clear()
                at += 1
                yield text

        def rest() -> list[tuple[int, Written]]:
            return [(at, Written("".join(pieces), False))] if pieces else []

        return Texts(texts(), rest)

    def search(
        self, seed: str, config: SampleConfig, width: int, groups: int, results: int,
        diversity: float, length_penalty: float, stopped: Callable[[], bool] = lambda: False,
    ) -> list[Found]:  # fmt: skip
        """Return the likeliest texts that follow `seed`, the best first."""
        if config.lines > 1 or config.until_line_end or config.constrained or config.code:
            raise UsageError(
                "a beam search ends at its length, at a stop text or after one line, and keeps no "
                "other condition: leave the others out"
            )
        ids = self.begin(seed)
        if not len(ids):
            raise UsageError("a beam search needs a seed text where the model knows no new line")
        texts = (*config.stop, *(["\n"] if config.lines else []))
        stops = [self._vocabulary.encode(text) for text in texts]
        ends = stop_texts(stops, self._config.vocab_size) if stops else ()
        with blas_threads(1):
            found = beam_search(
                self._config, self._parameters, ids, config.length, width, groups, diversity,
                length_penalty, ends, results, stopped=stopped,
            )  # fmt: skip
        return [
            Found(
                cut(config, "", self._vocabulary.decode(h.ids))[0], h.log_probability, h.score,
                h.whole,
            )
            for h in found
        ]  # fmt: skip

    def _chooser(self, config: SampleConfig, B: int, rng: np.random.Generator) -> Chooser:
        amounts = bias_amounts(config, self._vocabulary)
        return Chooser(config, self._config.vocab_size, B, rng, amounts)
