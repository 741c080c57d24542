"""Texts that are written side by side: a character of each is drawn, then all of them read it."""

import math
import time
from collections.abc import Callable

import numpy as np

from char_rnn.errors import CharRNNError
from char_rnn.generate.choose import BLOCK, Gumbel, not_finite
from char_rnn.serve.columns import Columns, Pool
from char_rnn.serve.stream import AHEAD, Stream

Array = np.ndarray

SOON = 0.02
"""Seconds after which texts are told what was drawn, where that are fewer than AHEAD characters."""


class Writers(Columns[Stream]):
    """Columns of texts that are written.

    Where nothing but a temperature decides, the characters of all of them are drawn at once; the
    others draw one by one. What is drawn is gathered, and told to the streams every few
    characters, the first one of a text at once. So a text may have come to its end a few
    characters ago; nobody sees those.

    end: the id that ends a document, or None. V: of the vocabulary.

    written: characters so far. over: streams that have ended and have no column any more.
    full: streams whose reader is slow. Whoever takes over or full empties them.
    """

    def __init__(
        self, pool: Pool, widths: tuple[int, ...], together: int | None, V: int, end: int | None
    ) -> None:
        super().__init__(pool, widths, together)
        self._V, self._end = V, end
        self._rng = np.random.default_rng()
        self.written = 0
        self.over: list[Stream] = []
        self.full: list[Stream] = []
        self._at = self._due = 0  # characters that were drawn, and after which they are told
        self._told = 0.0  # when that was
        self._failed: dict[int, tuple[int, CharRNNError]] = {}  # after how many of them, and why
        self._alone: list[tuple[int, Stream]] = []  # those who draw one by one
        self._noise = Gumbel(self._rng, 1, V, 1)
        self._used = False  # whether any of that noise

    def advance(self, stop: Callable[[], bool]) -> None:
        """Write a character of each text at least, and on until `stop`, or one is over or full."""
        with np.errstate(all="ignore"):  # a thread has its own
            while len(self):
                self._draw()
                if self._at == self._due or time.perf_counter() - self._told > SOON:
                    self.tell()
                    if not len(self):
                        return
                    self._plan()
                self.step()
                if self.over or self.full or stop():
                    return

    def leave(self, row: int) -> None:
        """Let the column be nobody's."""
        super().leave(row)
        self._alone = [(at, stream) for at, stream in self._alone if at != row]

    def clear(self) -> None:
        """Let everybody go."""
        super().clear()
        self._at, self._failed, self._alone = 0, {}, []
        self.over, self.full = [], []

    @property
    def has_news(self) -> bool:
        """Whether any stream is over, or its reader slow."""
        return bool(self.over or self.full)

    def _move(self) -> None:
        self.tell()
        super()._move()
        seated, B = self.seated(), len(self.rows)
        self._alone = [(row, stream) for row, stream in seated if stream.temperature is None]
        self._t = np.zeros((B, 1), np.float32)
        for row, stream in seated:
            self._t[row] = stream.temperature or 0
        if not B:
            return
        ahead = max(1, min(AHEAD, BLOCK // (B * self._V)))
        self._noise = Gumbel(self._rng, B, self._V, ahead)
        self._z = np.zeros((ahead, B, self._V), np.float32)
        self._drawn = np.zeros((ahead, B), np.intp)
        self._plan()

    def _plan(self) -> None:
        """Say when the texts are told next, and get the noise until then."""
        self._told, self._at = time.perf_counter(), 0
        seated = self.seated()
        fresh = any(not stream.made for _, stream in seated)
        count = 1 if fresh else min(len(self._z), *(stream.left for _, stream in seated))
        plain = [(row, stream) for row, stream in seated if stream.temperature is not None]
        noises = [(row, s.noise.ahead(count)[:, 0]) for row, s in plain if s.noise is not None]
        count = min(count, *map(len, (noise for _, noise in noises))) if noises else count
        self._used = len(noises) < len(plain)
        if self._used:
            noise = self._noise.ahead(count)
            count = len(noise)
            np.multiply(noise, self._t, out=self._z[:count])
        else:
            self._z[:count] = 0
        for row, noise in noises:
            np.multiply(noise[:count], self._t[row], out=self._z[:count, row])
        self._due = count

    def _draw(self) -> None:
        """Choose what each reads next."""
        ids = self.ids = self._drawn[self._at]
        if len(self._alone) < len(self):
            z = self._z[self._at]
            np.add(z, self.logits, out=z, casting="same_kind")
            z.argmax(axis=1, out=ids)
        self._at += 1
        for row, stream in self._alone:
            try:
                ids[row] = stream.choose(self.logits[row : row + 1])
            except CharRNNError as error:
                self._failed[row], ids[row], self._due = (self._at - 1, error), 0, self._at
        if self._end is not None and (ids == self._end).any():
            self._due = self._at

    def tell(self) -> None:
        """Tell the streams what was drawn."""
        count = self._at
        if not count:
            return
        self._at = 0
        self._find_not_finite(count)
        drawn = self._drawn[:count].T.tolist()
        for row, stream in self.seated():
            sound, error = self._failed.get(row, (count, None))
            stream.tell(drawn[row][:sound])
            self.written += sound
            if stream.noise is not None and stream.temperature is not None:
                stream.noise.skip(count)
            if error is not None:
                stream.finish(error=error)
            if stream.over:
                self.leave(row)
                self.over.append(stream)
            elif stream.full:
                self.full.append(stream)
        if self._used:
            self._noise.skip(count)
        self._failed = {}

    def _find_not_finite(self, count: int) -> None:
        """Let those fail whose logits were not finite: the largest of them is no character."""
        z = self._z[:count]
        if math.isfinite(np.add.reduce(z, axis=None)):
            return
        for row, stream in self.seated():
            finite = np.isfinite(z[:, row]).all(axis=1)
            if stream.temperature is not None and not finite.all():
                self._failed[row] = int(finite.argmin()), not_finite()
