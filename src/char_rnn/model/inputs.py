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

    def prepare(self, bias: Array) -> None:
        """Take the weights as they are now; bias: (G·H,)."""

    def forward(self, x: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates`."""

    def backward(self, d_gates: Array) -> Array | None:
        """Write the gradient of W and return that of x, if x has one."""


class CharacterInput:
    """x is an index, so W x is a column of W: a row of its transposed copy is looked up.

    The index V, one past the last symbol, stands for no symbol at all: W x = 0. Dropout puts it
    where it leaves a character out.
    """

    def __init__(
        self, weight: Array, gradient: Array, scale: Array, V: int, norm: Norm | None
    ) -> None:
        G = len(scale)
        self._weight = weight.reshape(G, -1, weight.shape[1])  # (G, H, V)
        self._gradient = gradient.reshape(self._weight.shape)
        self._scale, self.norm = scale, norm
        self._table = aligned((G, V + 1, self._weight.shape[1]), weight.dtype)
        self._hat, self._deviation = np.empty_like(self._table), np.empty_like(self._table[..., :1])

    def prepare(self, bias: Array) -> None:
        """Take the weights and `bias` as they are now."""
        table, bias = self._table, bias.reshape(len(self._table), 1, -1)
        self._products(table[:, :-1])
        table[:, -1] = 0
        if self.norm is not None:
            self.norm.forward(table, self._hat, self._deviation)
        np.add(table, bias, out=table)
        np.multiply(table, self._scale, out=table)

    def _products(self, table: Array) -> None:
        """Write W x of every symbol into `table` (G, V, H)."""
        np.copyto(table, self._weight.transpose(0, 2, 1))

    def _products_backward(self, d_table: Array) -> None:
        """Turn the gradient of `_products` into that of the weights."""
        np.copyto(self._gradient, d_table.transpose(0, 2, 1))

    def forward(self, x: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates` (G, T·B, H)."""
        self._x = x.reshape(-1)
        np.take(self._table, self._x, axis=1, out=gates, mode="clip")

    def backward(self, d_gates: Array) -> None:
        """Write the gradient of W: for each symbol, the sum of dz where it stood.

        Summing rows is four times as fast as a product with a one-hot matrix (0.7 against 2.6 ms
        for 1,600 characters of 65, four gates of 256), and does not grow with V.
        """
        order = np.argsort(self._x, kind="stable")
        symbols, starts = np.unique(self._x[order], return_index=True)
        sums = np.zeros_like(self._table)  # (G, V + 1, H)
        if len(order) <= FEW_ROWS:
            sums[:, symbols] = np.add.reduceat(d_gates.take(order, axis=1), starts, axis=1)
        else:
            # A product with ones is the quickest sum over rows.
            ones = np.ones((1, len(order)), sums.dtype)
            for symbol, rows in zip(symbols, np.split(order, starts[1:]), strict=True):
                mine = d_gates.take(rows, axis=1)
                np.matmul(ones[:, : len(rows)], mine, out=sums[:, symbol, None])
        if self.norm is not None:
            self.norm.backward(sums, self._hat, self._deviation, out=sums)
        self._products_backward(sums[:, :-1])


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

    def _products(self, table: Array) -> None:
        np.matmul(self._vectors, self._weight.transpose(0, 2, 1), out=table)

    def _products_backward(self, d_table: Array) -> None:
        np.matmul(d_table.transpose(0, 2, 1), self._vectors, out=self._gradient)
        # Added to what the output layer left there.
        self._d_vectors += np.matmul(d_table, self._weight).sum(axis=0)


class DenseInput:
    """x is a vector: one product for the whole window."""

    def __init__(self, weight: Array, gradient: Array, scale: Array, norm: Norm | None) -> None:
        G, size = len(scale), weight.shape[1]
        self._weight = weight.reshape(G, -1, size)  # (G, H, I)
        self._gradient = gradient.reshape(G, -1, size)
        self._scale, self.norm = scale, norm
        # Normalisation would take a factor out again: there it multiplies what comes out.
        self._on_weights = scale if norm is None else np.ones_like(scale)
        self._hat = np.empty((0, 0, 0), weight.dtype)
        self._transposed = aligned((G, size, self._weight.shape[1]), weight.dtype)
        self._bias = np.empty((G, 1, self._weight.shape[1]), weight.dtype)

    def prepare(self, bias: Array) -> None:
        """Take the weights and `bias` as they are now."""
        np.multiply(self._weight.transpose(0, 2, 1), self._on_weights, out=self._transposed)
        np.multiply(bias.reshape(self._bias.shape), self._on_weights, out=self._bias)

    def forward(self, x: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates` (G, T·B, H)."""
        self._x = x.reshape(-1, x.shape[-1])  # (T·B, I)
        np.matmul(self._x, self._transposed, out=gates)
        self.finish(gates, gates)

    def rows(self) -> Array:
        """Return scale · W, (G·H, I), for a product that somebody else takes."""
        scaled: Array = self._weight * self._on_weights
        return scaled.reshape(-1, scaled.shape[2])

    def finish(self, product: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates` from the product `rows` · x, (G, T·B, H)."""
        if self.norm is None:
            np.add(product, self._bias, out=gates)
            return
        if product is not gates:
            np.copyto(gates, product)
        if self._hat.shape != gates.shape:
            self._hat = np.empty_like(gates)
            self._deviation = np.empty_like(gates[..., :1])
        self.norm.forward(gates, self._hat, self._deviation)
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
