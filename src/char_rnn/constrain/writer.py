"""Texts under the conditions of a SampleConfig, and plain ones where it asks for none."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from char_rnn.constrain.code import CodeWriter
from char_rnn.constrain.guard import Condition, Place, make_guard
from char_rnn.constrain.rewind import ConstrainedIds
from char_rnn.errors import UsageError
from char_rnn.generate.batch import Texts, Written, check_room
from char_rnn.generate.sampler import after_reading
from char_rnn.generate.stop import Stop, most_characters, spell
from char_rnn.generate.writer import Writer
from char_rnn.model.blas import blas_threads
from char_rnn.model.stepper import Stepper
from char_rnn.sample_config import SampleConfig

if TYPE_CHECKING:
    from char_rnn.data.copies import CopyIndex

T = TypeVar("T")
Other = TypeVar("Other")


class Pieces(Iterator[T]):
    """A text (or bytes) as it is made, piece by piece.

    taken_back: how many `unit` were made and taken back so far, to meet conditions.
    """

    def __init__(
        self,
        pieces: Iterator[T],
        count: Callable[[], int] = lambda: 0,
        unit: str = "characters",
        gave_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._pieces, self._count, self.unit, self._gave_up = pieces, count, unit, gave_up

    def __next__(self) -> T:
        return next(self._pieces)

    def through(self, leave: Callable[[T], Other]) -> "Pieces[Other]":
        """Return the same text, each piece as `leave` makes it."""
        return Pieces(map(leave, self._pieces), self._count, self.unit, self._gave_up)

    @property
    def taken_back(self) -> int:
        """How many `unit` were taken back so far."""
        return self._count()

    @property
    def gave_up(self) -> bool:
        """Whether the text ended early, because the effort was spent."""
        return self._gave_up()


class ConstrainedWriter(Writer):
    """Writes texts as a Writer does, and keeps the conditions that are asked for."""

    def write(
        self,
        seed: str,
        config: SampleConfig,
        rng: np.random.Generator,
        threads: int | None = None,
        copies: "CopyIndex | None" = None,
        conditions: Sequence[Condition] = (),
    ) -> Pieces[str]:
        """Return what follows `seed`, as an iterator over its pieces.

        threads: of BLAS; None: see Stepper. copies: the training text, for `config.max_copy`.
        conditions: more of them, of one's own.
        Raises UsageError for conditions that cannot be met; the iterator raises ConstraintNotMet.
        """
        if config.code:
            return self._write_code(seed, config, rng, threads, bool(conditions))
        if config.constrained or conditions:
            return self._write_guarded(seed, config, rng, threads, copies, conditions)
        return Pieces(super().write(seed, config, rng, threads))

    def _write_guarded(
        self,
        seed: str,
        config: SampleConfig,
        rng: np.random.Generator,
        threads: int | None,
        copies: "CopyIndex | None",
        conditions: Sequence[Condition],
    ) -> Pieces[str]:
        begun = self.begin(seed)
        # The network has to read something: where there is no new line, the first symbol.
        ids = begun if len(begun) else np.zeros(1, np.intp)
        length = most_characters(config)
        guard = make_guard(config, self._vocabulary, length, copies, conditions)
        assert guard is not None
        with blas_threads(threads or 1):
            stepper = after_reading(self._parameters, [ids], helped=threads is None)
        chooser = self._chooser(config, rng)
        found: ConstrainedIds[Place] = ConstrainedIds(
            stepper, begun, length, chooser, guard, config.effort
        )
        pieces = spell(_limited(found, threads), self._vocabulary, Stop(config))
        return Pieces(pieces, lambda: found.taken_back, "characters")

    def _write_code(
        self,
        seed: str,
        config: SampleConfig,
        rng: np.random.Generator,
        threads: int | None,
        others: bool,
    ) -> Pieces[str]:
        if config.constrained or config.ends or others:
            raise UsageError(
                "code ends where a statement does and is cut nowhere else; leave stop, lines, "
                "until_line_end and all other conditions out"
            )
        stepper = Stepper(self._parameters, helped=threads is None)
        chooser = self._chooser(config, rng, ends=False)  # it ends where a statement does
        writer = CodeWriter(stepper, chooser, self._vocabulary, config.effort)
        pieces = _limited(writer.write(seed, config.length), threads)
        return Pieces(pieces, lambda: writer.lines_taken_back, "lines", lambda: writer.gave_up)

    def write_many(
        self,
        seeds: Sequence[str],
        config: SampleConfig,
        rng: np.random.Generator,
        threads: int = 1,
        copies: "CopyIndex | None" = None,
    ) -> Texts[str]:
        """Return what follows each of `seeds`: as one batch, or one by one under conditions."""
        if not config.conditions:
            return super().write_many(seeds, config, rng, threads)
        check_room(len(seeds), config, threads)
        pieces: list[str] = []  # of the text in hand
        at = 0

        def texts() -> Generator[str, None, None]:
            nonlocal at
            for seed in seeds:
                for piece in self.write(seed, config, rng, copies=copies):
                    pieces.append(piece)
                text = "".join(pieces)
                pieces.clear()
                at += 1
                yield text

        def rest() -> list[tuple[int, Written[str]]]:
            return [(at, Written("".join(pieces), False))] if pieces else []

        return Texts(texts(), rest)


def refuse_conditions(config: SampleConfig, where: str) -> None:
    """Raise UsageError if `config` asks for conditions, which cannot be kept in `where`."""
    if config.conditions:
        raise UsageError(
            f"{' and '.join(config.conditions)}: a condition holds for a whole text and cannot be "
            f"kept in {where}; leave it out"
        )


def _limited(things: Iterable[T], threads: int | None) -> Iterator[T]:
    """Yield `things`, made with so many BLAS threads; None: one."""
    with blas_threads(threads or 1):
        yield from things
