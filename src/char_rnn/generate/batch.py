"""Many texts at once: streams in groups, each group one batch, and the groups side by side.

A product with many rows costs little more than with one. Groups run in threads with one BLAS
thread each (model/blas.py): NumPy lets go of the interpreter in products and in its maths. Each
group has random numbers of its own, so that the texts do not depend on how many threads there are.

Whoever waits for the texts can be interrupted at any time: the groups then stop where they are.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.generate.choose import Chooser, bias_amounts
from char_rnn.generate.door import text_of
from char_rnn.generate.sampler import after_reading, sample
from char_rnn.generate.stop import cut, most_characters, until_end
from char_rnn.model.blas import blas_threads
from char_rnn.model.parameters import Parameters
from char_rnn.model.room import need
from char_rnn.sample_config import SampleConfig

Array = np.ndarray
T = TypeVar("T")
Other = TypeVar("Other")

GROUP = 32
"""Streams of a group: enough for products to be products, and two groups for 64 texts."""
LOOK = 50
"""After so many characters a group looks whether all of its texts have ended."""
PATIENCE = 0.1
"""Seconds between two looks for a signal: on Windows one that comes while waiting is not seen."""
TEXT, PLACES = 500, 30
"""Bytes that a text takes however short it is, and those of a character while its group works."""


def check_room(count: int, config: SampleConfig, threads: int) -> None:
    """Raise UsageError if there is no memory for `count` texts at once."""
    length = most_characters(config)
    side_by_side = min(count, GROUP * threads)
    size = count * (TEXT + length) + side_by_side * length * PLACES
    need(size, f"{count:,} texts of {length:,} characters", "write fewer or shorter ones")


class Written(NamedTuple, Generic[T]):
    """A text, and whether it has come to its end; if not, it was interrupted."""

    text: T
    whole: bool


def _same(text: Any) -> Any:
    return text


class Texts(Iterator[T]):
    """Texts in the order of their seeds, each as soon as it and all before it are whole.

    `close` ends the work early, and so does an exception in `next`; `rest` tells what is left then.
    """

    def __init__(
        self,
        texts: Generator[Any, None, None],
        rest: Callable[[], list[tuple[int, Written[Any]]]],
        leave: Callable[[Any], T] = _same,
    ) -> None:
        self._texts, self._rest, self._leave = texts, rest, leave

    def __next__(self) -> T:
        return self._leave(next(self._texts))

    def through(self, leave: Callable[[T], Other]) -> "Texts[Other]":
        """Return the same texts, each as `leave` makes it."""
        return Texts(self._texts, self._rest, lambda text: leave(self._leave(text)))

    def close(self) -> None:
        """Stop writing, and wait until everything stands still."""
        self._texts.close()

    def rest(self) -> list[tuple[int, Written[T]]]:
        """Return what was begun and not handed out, each with its place in the order."""
        return [(n, Written(self._leave(text), whole)) for n, (text, whole) in self._rest()]


class Batch:
    """Writes many texts with the parameters as they are."""

    def __init__(
        self, parameters: Parameters, vocabulary: AnyVocabulary, config: SampleConfig
    ) -> None:
        self._parameters, self._vocabulary, self._config = parameters, vocabulary, config

    def write(self, begun: Sequence[Array], rng: np.random.Generator, threads: int) -> Texts[str]:
        """Return what follows each of the ids in `begun`."""
        count = -(-len(begun) // GROUP)
        cuts = [slice(k * GROUP, (k + 1) * GROUP) for k in range(count)]
        rngs = [rng] if count == 1 else rng.spawn(count)
        stop = threading.Event()
        futures: list[Future[list[Written[str]]]] = []
        out = 0  # texts handed out

        def group(k: int) -> list[Written[str]]:
            return self._group(begun[cuts[k]], rngs[k], stop)

        def texts() -> Generator[str, None, None]:
            nonlocal out
            with blas_threads(1), ThreadPoolExecutor(max(1, min(threads, count))) as pool:
                try:
                    futures.extend(pool.submit(group, k) for k in range(count))
                    for future in futures:
                        while not wait([future], PATIENCE).done:
                            pass
                        for written in future.result():
                            out += 1
                            yield written.text
                finally:
                    stop.set()
                    for future in futures:
                        future.cancel()

        def rest() -> list[tuple[int, Written[str]]]:
            found = [
                (k * GROUP + n, written)
                for k, future in enumerate(futures)
                if future.done() and not future.cancelled() and future.exception() is None
                for n, written in enumerate(future.result())
            ]
            return [(n, written) for n, written in found if n >= out]

        return Texts(texts(), rest)

    def _group(
        self, begun: Sequence[Array], rng: np.random.Generator, stop: threading.Event
    ) -> list[Written[str]]:
        config, V, length = self._config, self._vocabulary.size, most_characters(self._config)
        # Where there is nothing to begin with, the first character is drawn from all alike.
        drawn = [rng.integers(V, size=0 if len(ids) else 1) for ids in begun]
        firsts = [np.concatenate(pair) for pair in zip(begun, drawn, strict=True)]
        stepper = after_reading(self._parameters, firsts, stop.is_set)
        if stop.is_set():
            return []
        chooser = Chooser(config, V, len(begun), rng, bias_amounts(config, self._vocabulary))
        steps: list[Array] = []
        end, ended = self._vocabulary.end, np.zeros(len(begun), bool)

        def texts() -> list[Written[str]]:
            """Return each text as far as it has come."""
            ids = np.array(steps, np.intp).reshape(len(steps), len(begun)).T
            made = (np.concatenate(pair)[:length] for pair in zip(drawn, ids, strict=True))
            whole = len(steps) >= length
            rows = (until_end(row, self._vocabulary) for row in made)
            cuts = (cut(config, text_of(self._vocabulary, row)) for row in rows)
            return [
                Written(text, stopped or over or whole)
                for (text, stopped), over in zip(cuts, ended.tolist(), strict=True)
            ]

        for ids in sample(stepper, length, chooser):
            steps.append(ids)
            if end is not None:
                ended |= ids == end
            looks = config.ends and len(steps) % LOOK == 0
            if stop.is_set() or ended.all() or (looks and all(t.whole for t in texts())):
                break
        return texts()
