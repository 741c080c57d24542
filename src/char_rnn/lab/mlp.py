"""A feedforward network that predicts a character from the few before it, and has no state.

    a = Σ_k W_k x_k + b          x_k: the one-hot character k places back, of `window` of them
    h = tanh(a)
    logits = U h + c

What lies further back than the window cannot reach the logits, however it is trained. The product
of a matrix and a one-hot is one of its columns (here: rows), so that it is looked up. After Bengio
et al. 2003, "A Neural Probabilistic Language Model", without its embedding.
"""

import numpy as np

Array = np.ndarray


class MLP:
    """Reads `window` characters of V; parameters: name -> array, of which `backward` has gradients.

    Shapes: W (window, V, H), b (H,), U (H, V), c (V,); those of `window` places back come first.
    """

    def __init__(self, window: int, V: int, H: int, rng: np.random.Generator) -> None:
        self.window = window
        self.parameters = {
            "W": rng.normal(0, window**-0.5, (window, V, H)),
            "b": np.zeros(H),
            "U": rng.normal(0, 0.1 * H**-0.5, (H, V)),
            "c": np.zeros(V),
        }

    def forward(self, ids: Array) -> Array:
        """Return the logits (B, V) of what follows ids (N, B), of which it sees the last few."""
        self._ids = ids[-self.window :]
        W, b, U, c = self.parameters.values()
        a = W[np.arange(self.window)[:, None], self._ids].sum(axis=0) + b  # (B, H)
        self._h = np.tanh(a)
        logits: Array = self._h @ U + c
        return logits

    def backward(self, d_logits: Array) -> dict[str, Array]:
        """Return the gradient of each parameter, for that of the logits (B, V) of `forward`."""
        W, _, U, _ = self.parameters.values()
        dh = d_logits @ U.T
        da = dh * (1 - self._h**2)
        dW = np.zeros_like(W)
        np.add.at(dW, (np.arange(self.window)[:, None], self._ids), da)
        return {"W": dW, "b": da.sum(axis=0), "U": self._h.T @ d_logits, "c": d_logits.sum(axis=0)}

    def step(self, gradients: dict[str, Array], rate: float) -> None:
        """Take a step of gradient descent."""
        for name, gradient in gradients.items():
            self.parameters[name] -= rate * gradient
