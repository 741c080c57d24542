"""What enters a layer: characters as indices below, the states of another layer above."""

from typing import Protocol

import numpy as np

from char_rnn.model.memory import aligned
from char_rnn.model.norm import Norm

Array = np.ndarray

FEW_ROWS = 64
"""Up to here one call over all rows is quicker than two for each symbol."""


class LayerInput(Protocol):
    """Computes W x + b for a whole window, and the gradients of W and x.

    W is (G·H, I) in PyTorch's layout; gates are (G, T·B, H); scale (G, 1, 1) multiplies the gates.
    """

    norm: Norm | None

    def prepare(self, bias: Array, x: Array | None = None) -> None:
        """Take the weights as they are now; bias: (G·H,); x: the one window to come, or any."""

    def forward(self, x: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates`."""

    def backward(self, d_gates: Array) -> Array | None:
        """Write the gradient of W and return that of x, if x has one."""


class CharacterInput:
    """x is an index, so W x is a column of W: a row of a table of the symbols is looked up.

    The table has all symbols, or only those of a window that has fewer characters than there are
    symbols.

    The index V, one past the last symbol, stands for no symbol at all: W x = 0. Dropout puts it
    where it leaves a character out.
    """

    def __init__(
        self, weight: Array, gradient: Array, scale: Array, V: int, norm: Norm | None
    ) -> None:
        G = len(scale)
        self._weight = weight.reshape(G, -1, weight.shape[1])  # (G, H, V)
        self._gradient = gradient.reshape(self._weight.shape)
        self._scale, self.norm, self._V = scale, norm, V
        self._all = np.arange(V + 1)
        self._memory = aligned(0, weight.dtype)
        self._hat = np.empty((0, 0, 0), weight.dtype)

    def prepare(self, bias: Array, x: Array | None = None) -> None:
        """Take the weights and `bias` as they are now, of all symbols or those in `x` (T, B)."""
        self._bias = bias.reshape(len(self._weight), 1, -1)
        self._symbols = self._all
        if x is not None and x.size < self._V:
            self._symbols, self._rows = np.unique(x.reshape(-1), return_inverse=True)
        self._fill(self._symbols)

    def forward(self, x: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates` (G, T·B, H); `x` is that of `prepare`, if any."""
        if self._symbols is self._all:
            self._rows = x.reshape(-1)
        np.take(self._table, self._rows, axis=1, out=gates, mode="clip")

    def look_up(self, ids: Array, gates: Array) -> None:
        """Write scale · (W x + b) of ids (B,) into `gates` (G, B, H), of a table of all symbols."""
        np.take(self._table, ids, axis=1, out=gates, mode="clip")

    def _fill(self, symbols: Array) -> None:
        """Fill the table (G, K, H) of scale · (W x + b) for K symbols in their order."""
        G, K, H = len(self._weight), len(symbols), self._weight.shape[1]
        if self._memory.size < G * K * H:
            self._memory = aligned(G * K * H, self._memory.dtype)
        self._table = table = self._memory[: G * K * H].reshape(G, K, H)
        known = self._known(symbols)
        self._products(known, table[:, : len(known)])
        table[:, len(known) :] = 0
        if self.norm is not None:
            if self._hat.shape != table.shape:
                self._hat = np.empty_like(table)
                self._deviation = np.empty_like(table[..., :1])
            self.norm.forward(table, self._hat, self._deviation)
        np.add(table, self._bias, out=table)
        np.multiply(table, self._scale, out=table)

    def _known(self, symbols: Array) -> Array:
        """Return `symbols`, in their order, without the V that stands for none."""
        return symbols[: np.searchsorted(symbols, self._V)]

    def _products(self, symbols: Array, table: Array) -> None:
        """Write W x of `symbols` into `table` (G, K, H)."""
        columns = self._weight
        if len(symbols) < self._V:
            columns = columns.take(symbols, axis=2, mode="clip")
        np.copyto(table, columns.transpose(0, 2, 1))

    def _products_backward(self, symbols: Array, d_table: Array) -> None:
        """Turn the gradient of `_products` into that of the weights."""
        columns = d_table.transpose(0, 2, 1)
        if len(symbols) == self._V:
            np.copyto(self._gradient, columns)
            return
        self._gradient[:] = 0
        self._gradient[..., symbols] = columns

    def backward(self, d_gates: Array) -> None:
        """Write the gradient of W: for each symbol, the sum of dz where it stood.

        Summing rows is four times as fast as a product with a one-hot matrix (0.7 against 2.6 ms
        for 1,600 characters of 65, four gates of 256), and does not grow with V.
        """
        sums = self._sums(d_gates)
        if self.norm is not None:
            self.norm.backward(sums, self._hat, self._deviation, out=sums)
        known = self._known(self._symbols)
        self._products_backward(known, sums[:, : len(known)])

    def _sums(self, d_gates: Array) -> Array:
        """Return the sum of `d_gates` (G, T·B, H) for each row of the table, (G, K, H)."""
        order = np.argsort(self._rows, kind="stable")
        places, starts, counts = np.unique(self._rows[order], return_index=True, return_counts=True)
        if len(order) <= FEW_ROWS:
            found = np.add.reduceat(d_gates.take(order, axis=1), starts, axis=1)
        else:
            found = d_gates.take(order[starts], axis=1)  # is the sum of those that stand once
            # A product with ones is the quickest sum over rows.
            ones = np.ones((1, len(order)), found.dtype)
            for k in np.flatnonzero(counts > 1):
                rows = order[starts[k] : starts[k] + counts[k]]
                mine = d_gates.take(rows, axis=1)
                np.matmul(ones[:, : len(rows)], mine, out=found[:, k, None])
        if len(places) == len(self._symbols):
            return found
        sums = np.zeros_like(self._table)
        sums[:, places] = found
        return sums


class TiedInput(CharacterInput):
    """A character enters as its row of the output weights E (V, H): W x is a row of E Wᵀ.

    The product is taken once for every symbol, not for every character. Inan et al. 2017, Press
    & Wolf 2017.
    """

    def __init__(
        self,
        weight: Array,
        gradient: Array,
        scale: Array,
        norm: Norm | None,
        vectors: Array,
        d_vectors: Array,
    ) -> None:
        super().__init__(weight, gradient, scale, len(vectors), norm)
        self._vectors, self._d_vectors = vectors, d_vectors

    def _products(self, symbols: Array, table: Array) -> None:
        np.matmul(self._rows_of(symbols), self._weight.transpose(0, 2, 1), out=table)

    def _products_backward(self, symbols: Array, d_table: Array) -> None:
        np.matmul(d_table.transpose(0, 2, 1), self._rows_of(symbols), out=self._gradient)
        # Added to what the output layer left there.
        d_rows = np.matmul(d_table, self._weight).sum(axis=0)
        if len(symbols) == self._V:
            self._d_vectors += d_rows
        else:
            self._d_vectors[symbols] += d_rows

    def _rows_of(self, symbols: Array) -> Array:
        return self._vectors if len(symbols) == self._V else self._vectors[symbols]


class DenseInput:
    """x is a vector: one product for the whole window."""

    def __init__(self, weight: Array, gradient: Array, scale: Array, norm: Norm | None) -> None:
        G, size = len(scale), weight.shape[1]
        self._weight = weight.reshape(G, -1, size)  # (G, H, I)
        self._gradient = gradient.reshape(G, -1, size)
        self._scale, self.norm = scale, norm
        # Normalisation would take a factor out again: there it multiplies what comes out.
        self._on_weights = scale if norm is None else np.ones_like(scale)
        self._hat = self._deviation = np.empty((0, 0, 0), weight.dtype)
        self._transposed = aligned((G, size, self._weight.shape[1]), weight.dtype)
        self._bias = np.empty((G, 1, self._weight.shape[1]), weight.dtype)

    def prepare(self, bias: Array, x: Array | None = None) -> None:
        """Take the weights and `bias` as they are now, for any `x`."""
        np.multiply(self._weight.transpose(0, 2, 1), self._on_weights, out=self._transposed)
        np.multiply(bias.reshape(self._bias.shape), self._on_weights, out=self._bias)

    def forward(self, x: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates` (G, T·B, H)."""
        self._x = x.reshape(-1, x.shape[-1])  # (T·B, I)
        np.matmul(self._x, self._transposed, out=gates)
        if self.norm is not None and self._hat.shape != gates.shape:
            self._hat = np.empty_like(gates)
            self._deviation = np.empty_like(gates[..., :1])
        self.finish(gates, gates, self._hat, self._deviation)

    def rows(self) -> Array:
        """Return scale · W, (G·H, I), for a product that somebody else takes."""
        scaled: Array = self._weight * self._on_weights
        return scaled.reshape(-1, scaled.shape[2])

    def finish(self, product: Array, gates: Array, hat: Array, deviation: Array) -> None:
        """Write scale · (W x + b) into `gates` from the product `rows` · x, (G, T·B, H).

        hat, deviation: what the norm leaves, if there is one; see Norm.
        """
        if self.norm is None:
            np.add(product, self._bias, out=gates)
            return
        if product is not gates:
            np.copyto(gates, product)
        self.norm.forward(gates, hat, deviation)
        np.add(gates, self._bias, out=gates)
        np.multiply(gates, self._scale, out=gates)

    def backward(self, d_gates: Array) -> Array:
        """Write the gradient of W and return that of x, (T·B, I); `d_gates` may be overwritten."""
        if self.norm is not None:
            self.norm.backward(d_gates, self._hat, self._deviation, out=d_gates)
        np.matmul(d_gates.transpose(0, 2, 1), self._x, out=self._gradient)
        # dx = Σ dz_g W_g over the gates g
        dx: Array = d_gates[0] @ self._weight[0]
        for dz, weight in zip(d_gates[1:], self._weight[1:], strict=True):
            dx += dz @ weight
        return dx
