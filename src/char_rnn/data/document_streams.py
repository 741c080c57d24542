"""Documents as parallel streams, shuffled anew in every epoch."""

import numpy as np

from char_rnn.data.documents import places_of, shuffle
from char_rnn.data.windows import Streams, Window, rows_of

Array = np.ndarray


class DocumentStreams(Streams):
    """B streams over documents, one after the other; see Streams.

    ids: END d₁ END … dₙ END, (N,). ends: where END stands, (n + 1,).
    seed: decides the order, with the number of the epoch.

    A stream may begin within a document, with the initial state: there are at most B − 1 of those
    in an epoch.
    """

    def __init__(
        self, ids: Array, ends: Array, batch_size: int, seq_length: int, seed: int
    ) -> None:
        self._documents, self._ends, self._seed = ids, ends, seed
        self._rows = Rows(ids)
        self._shuffled: int | None = None  # the epoch whose order `_rows` has
        super().__init__(self._rows, 0, len(ids), batch_size, seq_length)

    def next(self, columns: slice = slice(None)) -> Window:
        """Return the next window, of those columns; at the end of an epoch the next one begins."""
        epoch = self.epoch + (self.position == self.windows_per_epoch)
        if self._shuffled != epoch:
            order = shuffle(len(self._ends) - 1, self._seed, epoch)
            self._rows.ids[1:] = self._documents[places_of(self._ends, order)]
            self._shuffled = epoch
        return super().next(columns)


class Rows:
    """Ids (N,) in memory, of which rows can be read; a copy of `ids`."""

    def __init__(self, ids: Array) -> None:
        self.ids = ids.copy()

    def read_rows(self, starts: Array, length: int) -> Array:
        """Return the ids (len(starts), length) that begin at `starts`."""
        return rows_of(self.ids, starts, length)
