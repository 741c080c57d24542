"""Windows of ids: parallel streams to train on, and a sweep that scores every character once."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from char_rnn.data.id_file import IdFile
from char_rnn.errors import TextTooShort
from char_rnn.storage.fields import Kind, Maybe, read, record, whole

Array = np.ndarray

LEAST_CALIBRATION, MOST_CALIBRATION, MOST_MISSED = 2_000, 50_000, 0.05


class Ids(Protocol):
    """What can be read as rows of ids: a Corpus."""

    def read_rows(self, starts: Array, length: int) -> Array:
        """Return (len(starts), length) ids."""


def rows_of(ids: Array | IdFile, starts: Array, length: int) -> Array:
    """Return the pieces (len(starts), length) of `ids` that begin at `starts`."""
    return np.stack([ids[start : start + length] for start in starts.tolist()])


def split(length: int, val_fraction: float) -> tuple[int, int]:
    """Return (where training ends and validation begins, where validation ends).

    The first part trains. A validation part of fewer than 2 characters is left out.
    """
    cut = int(length * (1 - val_fraction))
    return (cut, length) if length - cut >= 2 else (length, length)


def calibration_start(length: int, share: float) -> int:
    """Return where, of `length` characters that train, the part that calibrates begins.

    It is the last `share`, but at least 2,000 characters, with fewer of which the temperature
    would be chance, and at most 50,000, which cover passages enough. None, where
    2,000 would be too many to miss: more than a twentieth and than `share`.
    """
    if not share or length * max(share, MOST_MISSED) < LEAST_CALIBRATION:
        return length
    return length - min(max(int(length * share), LEAST_CALIBRATION), MOST_CALIBRATION)


def fit(length: int, batch_size: int, seq_length: int) -> tuple[int, int, str | None]:
    """Shrink the batch, then the window, until one window fits into `length` characters.

    Returns (batch size, window, a sentence that says what was changed or None).
    Raises TextTooShort for fewer than 2 characters.
    """
    if length < 2:
        raise TextTooShort(
            f"the text leaves {length} characters to train on; at least 2 are needed, "
            "and some thousands for anything worth reading"
        )
    T = min(seq_length, length - 1)
    B = max(1, min(batch_size, (length - 1) // T))
    changes = [
        f"{what} {was} → {now}"
        for what, was, now in (("batch_size", batch_size, B), ("seq_length", seq_length, T))
        if was != now
    ]
    if not changes:
        return B, T, None
    return B, T, f"the training text has only {length:,} characters: {', '.join(changes)}"


class Window(NamedTuple):
    """Ids (T, B), the ids that follow them (T, B), and whether an epoch begins here."""

    inputs: Array
    targets: Array
    first: bool


class Streams:
    """B contiguous streams over ids[start:stop], read side by side in windows of T.

    Each stream has (N − 1) // B characters; what is left at its end after whole windows of T is
    not used. `position` counts windows within an epoch and `epoch` counts epochs.
    rng: where it is given, each epoch begins at an offset of its own, 0 … T − 1 characters, and
        has as many windows as fit after the largest.
    """

    def __init__(
        self,
        ids: Ids,
        start: int,
        stop: int,
        batch_size: int,
        seq_length: int,
        rng: np.random.Generator | None = None,
    ) -> None:
        self._ids, self._rng = ids, rng
        self.batch_size, self.seq_length = batch_size, seq_length
        each = (stop - start - 1) // batch_size
        # With one window in all there is nothing to move.
        self._offsets = 1 if rng is None or each < 2 * seq_length else seq_length
        self.windows_per_epoch = (each - self._offsets + 1) // seq_length
        self.offset = 0
        if self.windows_per_epoch < 1:
            raise TextTooShort(
                f"{stop - start} characters hold no window of {seq_length} in {batch_size} "
                "streams; shrink the batch or the window (see fit)"
            )
        self._starts = start + each * np.arange(batch_size)
        self.position = 0
        self.epoch = 0

    def next(self, columns: slice = slice(None)) -> Window:
        """Return the next window; at the end of an epoch the next one begins.

        columns: the streams that are read; of the others there are zeros.
        """
        if self.position == self.windows_per_epoch:
            self.position = 0
            self.epoch += 1
        T = self.seq_length
        first = self.position == 0
        if first and self._rng is not None:
            self.offset = int(self._rng.integers(self._offsets))
        at = self._starts + self.offset + self.position * T
        rows = np.zeros((T + 1, self.batch_size), np.intp)
        rows[:, columns] = self._ids.read_rows(at[columns], T + 1).T
        self.position += 1
        return Window(rows[:-1], rows[1:], first)

    def state(self) -> dict[str, int]:
        """Return where the streams are."""
        return {"position": self.position, "epoch": self.epoch, "offset": self.offset}

    @property
    def saved(self) -> Kind:
        """The kind of what `state` returns (see storage/fields.py)."""
        return record(
            {
                "position": whole(0, self.windows_per_epoch),
                "epoch": whole(0, 2**53),
                "offset": Maybe(whole(0, self._offsets - 1), 0),
            }
        )

    def restore(self, state: dict[str, int]) -> None:
        """Go to where `state` says; raises CorruptFile if there is no such place."""
        found = read(self.saved, state, "the saved place in the text")
        self.position, self.epoch, self.offset = (
            found["position"],
            found["epoch"],
            found["offset"],
        )


class ScoredWindow(NamedTuple):
    """Ids (T, B), targets (T, B), which targets count (T, B), as 0 or 1, and where they stand.

    at: (T, B), the place of each id in the text; its target stands one further.
    """

    inputs: Array
    targets: Array
    weights: Array
    at: Array


class Sweep:
    """Windows that score every character of ids[start + 1 : stop] exactly once.

    The range is cut into contiguous pieces that are read side by side, each after up to `warmup`
    characters before it that set the state and do not count. With one stream and no warm-up this
    is plain stateful evaluation. `count` characters are scored.
    """

    def __init__(
        self, ids: Ids, start: int, stop: int, streams: int, seq_length: int, warmup: int = 0
    ) -> None:
        self._ids, self._start, self._T = ids, start, seq_length
        self.count = stop - start - 1
        if self.count < 1:
            raise TextTooShort(f"{stop - start} characters are too few to score: 2 are needed")
        self.streams = max(1, min(streams, self.count))
        # Stream b scores targets bounds[b] + 1 … bounds[b + 1].
        self._bounds = start + np.linspace(0, self.count, self.streams + 1).astype(np.int64)
        self._begin = np.maximum(self._bounds[:-1] - warmup, start)
        longest = int((self._bounds[1:] - self._begin).max())
        self.windows = -(-longest // seq_length)

    def __iter__(self) -> Iterator[ScoredWindow]:
        last = int(self._bounds[-1])
        for w in range(self.windows):
            first = self._begin + w * self._T
            # A stream that has ended reads on inside the text; what it reads does not count.
            safe = np.maximum(np.minimum(first, last - self._T), self._start)
            length = min(self._T, last - self._start)
            rows = self._ids.read_rows(safe, length + 1).T.astype(np.intp)
            shift = first - safe
            steps = np.minimum(np.arange(self._T)[:, None] + shift, length - 1)
            at = first + np.arange(self._T)[:, None]
            weights = (at >= self._bounds[:-1]) & (at < self._bounds[1:])
            columns = np.arange(self.streams)
            yield ScoredWindow(
                rows[steps, columns], rows[steps + 1, columns], weights.astype(np.float64), at
            )
