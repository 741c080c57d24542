"""Training the way of min-char-rnn: one stream, one-hot columns, a Python loop over characters.

Written for this comparison: float64 columns, a product for every character in both directions,
gradients clipped by value and Adagrad on each matrix, as the well-known exercise does it.
"""

import numpy as np


class MinCharRNN:
    """A vanilla RNN of H units over V characters, with everything a column vector."""

    def __init__(self, V: int, H: int) -> None:
        rng = np.random.default_rng(0)
        self.V, self.H = V, H
        shapes = {"Wxh": (H, V), "Whh": (H, H), "Why": (V, H), "bh": (H, 1), "by": (V, 1)}
        self.w = {name: 0.01 * rng.standard_normal(shape) for name, shape in shapes.items()}
        self.memory = {name: np.zeros_like(w) for name, w in self.w.items()}
        self.h = np.zeros((H, 1))

    def step(self, inputs: list[int], targets: list[int]) -> float:
        """Take one step of Adagrad on one window; return its summed loss in nats."""
        w = self.w
        xs, hs, ps = [], [self.h], []
        loss = 0.0
        for idx, target in zip(inputs, targets, strict=True):
            x = np.zeros((self.V, 1))
            x[idx] = 1
            h = np.tanh(w["Wxh"] @ x + w["Whh"] @ hs[-1] + w["bh"])
            y = w["Why"] @ h + w["by"]
            p = np.exp(y) / np.sum(np.exp(y))
            loss -= float(np.log(p[target, 0]))
            xs.append(x)
            hs.append(h)
            ps.append(p)
        gradients = {name: np.zeros_like(array) for name, array in w.items()}
        dh_next = np.zeros((self.H, 1))
        for t in reversed(range(len(inputs))):
            dy = ps[t].copy()
            dy[targets[t]] -= 1
            gradients["Why"] += dy @ hs[t + 1].T
            gradients["by"] += dy
            dh = w["Why"].T @ dy + dh_next
            dz = (1 - hs[t + 1] ** 2) * dh
            gradients["bh"] += dz
            gradients["Wxh"] += dz @ xs[t].T
            gradients["Whh"] += dz @ hs[t].T
            dh_next = w["Whh"].T @ dz
        self.h = hs[-1]
        for name, gradient in gradients.items():
            np.clip(gradient, -5, 5, out=gradient)
            self.memory[name] += gradient**2
            w[name] -= 0.1 * gradient / np.sqrt(self.memory[name] + 1e-8)
        return loss
