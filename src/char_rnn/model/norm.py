"""Layer normalisation of gates: each gate of each row gets mean 0 and variance 1, times a gain.

y = γ · x̂,  x̂ = (x − mean x) / √(var x + ε), over the H units of a gate (Ba, Kiros & Hinton 2016).
It is applied to W x and to U h apart; the bias comes after. Source of the gradient: the chain
rule on mean and variance, dx = (dx̂ − mean dx̂ − x̂ · mean(dx̂ · x̂)) / √(var x + ε).
"""

import numpy as np

Array = np.ndarray

EPSILON = 1e-5


class Norm:
    """Normalises (G, N, H) in place; gain and d_gain are (G, H)."""

    def __init__(self, gain: Array, d_gain: Array) -> None:
        self._gain, self.d_gain = gain, d_gain

    def forward(self, x: Array, hat: Array, deviation: Array, gates: slice = slice(None)) -> None:
        """Turn x into γ · x̂; leave x̂ in `hat` (G, N, H) and √(var + ε) in (G, N, 1)."""
        np.subtract(x, x.mean(axis=-1, keepdims=True), out=hat)
        np.multiply(hat, hat, out=x)
        np.mean(x, axis=-1, keepdims=True, out=deviation)
        np.add(deviation, EPSILON, out=deviation)
        np.sqrt(deviation, out=deviation)
        np.divide(hat, deviation, out=hat)
        np.multiply(hat, self._gain[gates, None], out=x)

    def backward(
        self, dy: Array, hat: Array, deviation: Array, out: Array, gates: slice = slice(None)
    ) -> None:
        """Write dx into `out`, which may be `hat` or `dy`, and add to d_gain."""
        product = dy * hat
        self.d_gain[gates] += product.sum(axis=1)
        gain = self._gain[gates, None]
        np.multiply(product, gain, out=product)
        along = product.mean(axis=-1, keepdims=True)
        np.multiply(dy, gain, out=product)
        np.subtract(product, product.mean(axis=-1, keepdims=True), out=product)
        np.subtract(product, hat * along, out=product)
        np.divide(product, deviation, out=out)
