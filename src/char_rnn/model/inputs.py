"""What enters a layer: characters as indices below, the states of another layer above."""

from typing import Protocol

import numpy as np

Array = np.ndarray

DENSE_GRADIENT_V = 512


class LayerInput(Protocol):
    """Computes W x + b for a whole window, and the gradients of W and x.

    W is (G·H, I) in PyTorch's layout; gates are (G, T·B, H); scale (G, 1, 1) multiplies the gates.
    """

    def prepare(self, bias: Array) -> None:
        """Take the weights as they are now; bias: (G·H,)."""

    def forward(self, x: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates`."""

    def backward(self, d_gates: Array) -> Array | None:
        """Write the gradient of W and return that of x, if x has one."""


class CharacterInput:
    """x is an index, so W x is a column of W: a row of its transposed copy is looked up."""

    def __init__(self, weight: Array, gradient: Array, scale: Array) -> None:
        G, V = len(scale), weight.shape[1]
        self._weight = weight.reshape(G, -1, V)  # (G, H, V)
        self._gradient = gradient.reshape(G, -1, V)
        self._scale = scale
        self._table = np.empty((G, V, self._weight.shape[1]), weight.dtype)

    def prepare(self, bias: Array) -> None:
        """Take the weights and `bias` as they are now."""
        G = len(self._table)
        np.add(self._weight.transpose(0, 2, 1), bias.reshape(G, 1, -1), out=self._table)
        np.multiply(self._table, self._scale, out=self._table)

    def forward(self, x: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates` (G, T·B, H)."""
        self._x = x.reshape(-1)
        for table, gate in zip(self._table, gates, strict=True):
            np.take(table, self._x, axis=0, out=gate, mode="clip")

    def backward(self, d_gates: Array) -> None:
        """Write the gradient of W; an index has none."""
        V = self._gradient.shape[2]
        if V <= DENSE_GRADIENT_V:
            one_hot = np.zeros((len(self._x), V), d_gates.dtype)
            one_hot[np.arange(len(self._x)), self._x] = 1
            np.matmul(d_gates.transpose(0, 2, 1), one_hot, out=self._gradient)
            return
        # Many symbols, most of them absent from the window: add up the rows of those that occur.
        order = np.argsort(self._x, kind="stable")
        symbols, starts = np.unique(self._x[order], return_index=True)
        sums = np.add.reduceat(d_gates[:, order], starts, axis=1)  # (G, symbols, H)
        self._gradient[:] = 0
        self._gradient[:, :, symbols] = sums.transpose(0, 2, 1)


class DenseInput:
    """x is a vector: one product for the whole window."""

    def __init__(self, weight: Array, gradient: Array, scale: Array) -> None:
        G, size = len(scale), weight.shape[1]
        self._weight = weight.reshape(G, -1, size)  # (G, H, I)
        self._gradient = gradient.reshape(G, -1, size)
        self._scale = scale
        self._transposed = np.empty((G, size, self._weight.shape[1]), weight.dtype)
        self._bias = np.empty((G, 1, self._weight.shape[1]), weight.dtype)

    def prepare(self, bias: Array) -> None:
        """Take the weights and `bias` as they are now."""
        np.multiply(self._weight.transpose(0, 2, 1), self._scale, out=self._transposed)
        np.multiply(bias.reshape(self._bias.shape), self._scale, out=self._bias)

    def forward(self, x: Array, gates: Array) -> None:
        """Write scale · (W x + b) into `gates` (G, T·B, H)."""
        self._x = x.reshape(-1, x.shape[-1])  # (T·B, I)
        np.matmul(self._x, self._transposed, out=gates)
        np.add(gates, self._bias, out=gates)

    def backward(self, d_gates: Array) -> Array:
        """Write the gradient of W and return that of x, (T·B, I)."""
        np.matmul(d_gates.transpose(0, 2, 1), self._x, out=self._gradient)
        # dx = Σ dz_g W_g over the gates g
        dx: Array = d_gates[0] @ self._weight[0]
        for dz, weight in zip(d_gates[1:], self._weight[1:], strict=True):
            dx += dz @ weight
        return dx
