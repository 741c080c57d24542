"""The blocking of the recurrent products: the one place where it lives.

OpenBLAS packs its operands on every call, except for products of at most about a million
multiplications. A stack of such small products, walked by `np.matmul`, runs at about 150 GF/s on
a core where the one large product (B = 32, H = 256) reaches 100. So the columns of a weight are
cut into blocks, each block contiguous, and the product writes the blocks side by side.
"""

import numpy as np

Array = np.ndarray

SMALL_PRODUCT = 2**19
WIDEST_BLOCK = 64
FEWEST_ROWS = 2
"""A single row is a vector, which BLAS takes fastest beside the whole matrix. From two rows on
blocks pay: four rows and a GRU of 512 units take 37 µs in blocks and 111 without."""


def block_width(rows: int, inner: int, columns: int) -> int:
    """Return how many columns a block of the product (rows, inner) · (inner, columns) has.

    All of them where blocking does not pay (one row) or does not come out even.
    """
    if rows < FEWEST_ROWS:
        return columns
    width = WIDEST_BLOCK
    while width >= 16:
        if columns % width == 0 and rows * inner * width <= SMALL_PRODUCT:
            return width
        width //= 2
    return columns


def into_blocks(weights: Array, scale: Array, blocks: Array) -> None:
    """Write scale · `weights` (G, K, N) into `blocks` (G, N/w, K, w); scale: (G, 1, 1)."""
    G, K, N = weights.shape
    width = blocks.shape[-1]
    cut = weights.reshape(G, K, N // width, width).transpose(0, 2, 1, 3)
    np.multiply(cut, scale[:, None], out=blocks)


def as_blocks(product: Array, width: int) -> Array:
    """Return the view (G, N/w, B, w) of `product` (G, B, N) that a blocked product fills."""
    G, B, N = product.shape
    return product.reshape(G, B, N // width, width).transpose(0, 2, 1, 3)
