"""Texts under conditions: they may take characters back, and so each is written by itself."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import CharRNNError
from char_rnn.generate.door import from_bytes
from char_rnn.sample_config import SampleConfig
from char_rnn.serve.errors import Overloaded, Stopping
from char_rnn.serve.outbox import Outbox, Piece

if TYPE_CHECKING:
    from char_rnn.data.copies import CopyIndex

THREADS, QUEUE = 2, 16
RETRY = 5  # seconds
NAP = 0.02
"""Seconds between two looks whether a slow reader has caught up."""


class Solo:
    """Writes texts with conditions, two at a time."""

    def __init__(self, model: CharRNN, vocabulary: AnyVocabulary) -> None:
        self._model, self._vocabulary = model, vocabulary
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="char-rnn conditions")
        self._lock = threading.Lock()
        self._live: set[Outbox] = set()
        self._closed = False
        self._deadline = float("inf")

    def submit(
        self,
        ids: np.ndarray,
        config: SampleConfig,
        outboxes: list[Outbox],
        seed: int | None,
        copies: "CopyIndex | None",
    ) -> None:
        """Write what follows `ids` into each of the outboxes; raises Overloaded, or Stopping."""
        with self._lock:
            if self._closed:
                raise Stopping()
            if len(self._live) + len(outboxes) > THREADS + QUEUE:
                raise Overloaded(RETRY)
            self._live.update(outboxes)
        for number, outbox in enumerate(outboxes):
            rng = np.random.default_rng(None if seed is None else [seed, number])
            self._pool.submit(partial(self._write, ids, config, outbox, rng, copies))

    def close(self, seconds: float) -> None:
        """Take nobody new; end who is still there after so many seconds."""
        with self._lock:
            self._closed = True
            self._deadline = time.monotonic() + seconds
        self._pool.shutdown(wait=False)

    @property
    def busy(self) -> int:
        """How many texts are written, or wait for it."""
        return len(self._live)

    def _write(
        self,
        ids: np.ndarray,
        config: SampleConfig,
        outbox: Outbox,
        rng: np.random.Generator,
        copies: "CopyIndex | None",
    ) -> None:
        try:
            self._pieces(ids, config, outbox, rng, copies)
        except CharRNNError as error:
            outbox.finish(error=error)
        except Exception as error:  # a client must not wait for ever for a fault of ours
            outbox.finish(error=CharRNNError(f"the writer failed: {type(error).__name__}"))
        finally:
            with self._lock:
                self._live.discard(outbox)

    def _pieces(
        self,
        ids: np.ndarray,
        config: SampleConfig,
        outbox: Outbox,
        rng: np.random.Generator,
        copies: "CopyIndex | None",
    ) -> None:
        seed: Any = self._text(ids)
        for piece in self._model.generate(seed, config, rng, copies):
            while outbox.full and not self._ends(outbox):
                time.sleep(NAP)
            if self._ends(outbox):
                outbox.finish(error=Stopping())
                return
            text = from_bytes(piece) if isinstance(piece, bytes) else piece
            outbox.made += len(piece)
            outbox.put(Piece(text))
        outbox.finish("length" if outbox.made >= config.length else "stop")

    def _ends(self, outbox: Outbox) -> bool:
        return outbox.cancelled or time.monotonic() >= self._deadline

    def _text(self, ids: np.ndarray) -> str | bytes:
        """Return what `generate` begins with for these ids."""
        vocabulary = self._vocabulary
        if vocabulary.end is not None and len(ids) and ids[0] == vocabulary.end:
            ids = ids[1:]
        if vocabulary.unit == "byte":
            return vocabulary.decode_bytes(ids)  # type: ignore[union-attr]
        return vocabulary.decode(ids)
