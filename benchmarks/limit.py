"""The most that NumPy's products reach on this machine, and what a training step asks of them."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import ThreadpoolController

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def operations(cell: str, H: int, layers: int = 1, V: int = 65) -> int:
    """Return the floating-point operations of the products of one character's training.

    Each weight that is in a product takes a multiplication and an addition in the forward pass,
    in the gradient of what it multiplies, and in its own. The input is looked up, not multiplied.
    """
    weights = GATES[cell] * H * H * (2 * layers - 1) + V * H
    return 6 * weights


def product_rate(threads: int) -> float:
    """Return the best rate of float32 products found, in operations a second, on `threads` cores.

    Tried: one large product with BLAS's own threads, and a stack of small ones on each core.
    """
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 2048, 2048), np.float32)
    out = np.empty_like(a)
    small, blocks = rng.random((32, 256), np.float32), rng.random((16, 256, 64), np.float32)
    products = [np.empty((16, 32, 64), np.float32) for _ in range(threads)]

    def stack(product: np.ndarray) -> None:
        for _ in range(200):
            np.matmul(small, blocks, out=product)

    controller = ThreadpoolController()
    rates = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(8):
            with controller.limit(limits=threads, user_api="blas"):
                began = time.perf_counter()
                np.matmul(a, b, out=out)
                rates.append(2 * 2048**3 / (time.perf_counter() - began))
            with controller.limit(limits=1, user_api="blas"):
                began = time.perf_counter()
                list(pool.map(stack, products))
                work = threads * 200 * 2 * blocks.size * len(small)
                rates.append(work / (time.perf_counter() - began))
    return max(rates)
