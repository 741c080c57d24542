"""Products in blocks: the same product, cut by a rule from its shape."""

import numpy as np
import pytest

from char_rnn.model.products import SMALL_PRODUCT, as_blocks, block_width, into_blocks


@pytest.mark.parametrize(
    ("rows", "inner", "columns", "width"),
    [
        (1, 256, 256, 256),  # a vector: the whole matrix at once
        (2, 256, 256, 64),
        (32, 256, 256, 64),
        (64, 256, 256, 32),  # half as wide, so that a product stays small
        (32, 100, 48, 16),  # the widest that comes out even
        (32, 100, 37, 37),  # nothing comes out even
        (4096, 512, 512, 512),  # no block is small enough
    ],
)
def test_the_width_follows_from_the_shape(rows, inner, columns, width):
    assert block_width(rows, inner, columns) == width
    if width < columns:
        assert columns % width == 0 and rows * inner * width <= SMALL_PRODUCT


@pytest.mark.parametrize("rows", [2, 7, 33])
def test_blocks_give_the_product(rows):
    rng = np.random.default_rng(0)
    weights, h = rng.standard_normal((3, 40, 96)), rng.standard_normal((rows, 40))
    scale = np.array([1.0, 0.5, 2.0]).reshape(3, 1, 1)
    width = block_width(rows, 40, 96)
    blocks, product = np.empty((3, 96 // width, 40, width)), np.empty((3, rows, 96))
    into_blocks(weights, scale, blocks)
    np.matmul(h, blocks, out=as_blocks(product, width))
    np.testing.assert_allclose(product, scale * (h @ weights), rtol=0, atol=1e-12)
