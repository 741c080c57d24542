"""Optimisers over flat arrays: each a small class with the update rule that its paper gives.

w: (P,) parameters, changed in place. g: (P,) gradient of the mean loss. Every array that an
optimiser remembers is in `slots`, so that a checkpoint can hold it.
"""

from abc import ABC, abstractmethod

import numpy as np

from char_rnn.config import TrainConfig
from char_rnn.model.memory import aligned
from char_rnn.model.parameters import Parameters

Array = np.ndarray

PIECE = 1 << 15
"""Elements that are updated at a time: so few that all their arrays stay in the cache. Adam on
3.3 million weights takes a third of the time that whole arrays take."""


class Optimizer(ABC):
    """Updates parameters from gradients, at a learning rate given with each step."""

    slot_names: tuple[str, ...] = ()

    def __init__(self, size: int, dtype: type) -> None:
        self.slots: dict[str, Array] = {name: aligned(size, dtype) for name in self.slot_names}
        self.steps = 0
        self._size = size
        self._scratch = aligned((2, min(size, PIECE)), dtype)

    def step(self, w: Array, g: Array, rate: float) -> None:
        """Change `w` in place by one step."""
        self.steps += 1
        for start in range(0, self._size, PIECE):
            piece = slice(start, start + PIECE)
            slots = {name: slot[piece] for name, slot in self.slots.items()}
            scratch = self._scratch[:, : min(PIECE, self._size - start)]
            self._a: Array = scratch[0]
            self._b: Array = scratch[1]
            self._update(w[piece], g[piece], slots, rate)

    @abstractmethod
    def _update(self, w: Array, g: Array, slots: dict[str, Array], rate: float) -> None: ...

    def _scaled(self, top: Array, squares: Array, rate: float, epsilon: float) -> Array:
        """Return rate · top / (√squares + ε)."""
        np.sqrt(squares, out=self._b)
        np.add(self._b, epsilon, out=self._b)
        np.multiply(top, rate, out=self._a)
        np.divide(self._a, self._b, out=self._a)
        return self._a


class SGD(Optimizer):
    """v ← μ v + g;  w ← w − η v (momentum, Polyak 1964)."""

    slot_names = ("velocity",)

    def __init__(self, size: int, dtype: type, momentum: float) -> None:
        super().__init__(size, dtype)
        self.momentum = momentum

    def _update(self, w: Array, g: Array, slots: dict[str, Array], rate: float) -> None:
        v = slots["velocity"]
        np.multiply(v, self.momentum, out=v)
        np.add(v, g, out=v)
        np.multiply(v, rate, out=self._a)
        np.subtract(w, self._a, out=w)


class Adagrad(Optimizer):
    """m ← m + g²;  w ← w − η g / (√m + 1e-8) (Duchi et al. 2011; the exercise)."""

    slot_names = ("squares",)

    def _update(self, w: Array, g: Array, slots: dict[str, Array], rate: float) -> None:
        m = slots["squares"]
        np.multiply(g, g, out=self._a)
        np.add(m, self._a, out=m)
        np.subtract(w, self._scaled(g, m, rate, 1e-8), out=w)


class RMSProp(Optimizer):
    """m ← ρ m + (1 − ρ) g²;  w ← w − η g / (√m + 1e-8), ρ = 0.95 (Tieleman & Hinton 2012)."""

    slot_names = ("squares",)
    decay = 0.95

    def _update(self, w: Array, g: Array, slots: dict[str, Array], rate: float) -> None:
        m = slots["squares"]
        _average_(m, np.multiply(g, g, out=self._a), self.decay)
        np.subtract(w, self._scaled(g, m, rate, 1e-8), out=w)


class Adam(Optimizer):
    """m, v: running means of g and g²;  w ← w − η m̂ / (√v̂ + 1e-8) (Kingma & Ba 2015)."""

    slot_names = ("mean", "squares")
    beta1, beta2 = 0.9, 0.999

    def _update(self, w: Array, g: Array, slots: dict[str, Array], rate: float) -> None:
        m, v = slots["mean"], slots["squares"]
        _average_(v, np.multiply(g, g, out=self._a), self.beta2)
        np.copyto(self._a, g)
        _average_(m, self._a, self.beta1)
        # m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ): the rate and ε take the corrections.
        fix1, fix2 = 1 - self.beta1**self.steps, (1 - self.beta2**self.steps) ** 0.5
        np.subtract(w, self._scaled(m, v, rate * fix2 / fix1, 1e-8 * fix2), out=w)


class AdamW(Adam):
    """Adam, with w ← (1 − η λ) w for matrices first (Loshchilov & Hutter 2019)."""

    def __init__(self, size: int, dtype: type, weight_decay: float, matrices: int) -> None:
        super().__init__(size, dtype)
        self.weight_decay, self.matrices = weight_decay, matrices

    def step(self, w: Array, g: Array, rate: float) -> None:
        """Shrink the matrices, and change `w` in place by one step."""
        w[: self.matrices] *= 1 - rate * self.weight_decay
        super().step(w, g, rate)


def _average_(mean: Array, new: Array, decay: float) -> None:
    """Move `mean` towards `new`, which is overwritten: mean ← decay · mean + (1 − decay) · new."""
    np.multiply(mean, decay, out=mean)
    np.multiply(new, 1 - decay, out=new)
    np.add(mean, new, out=mean)


def make_optimizer(config: TrainConfig, parameters: Parameters) -> Optimizer:
    """Return the optimiser that `config` names, for the trained part of `parameters`."""
    size, dtype = parameters.trained.size, parameters.flat.dtype.type
    if config.optimizer == "sgd":
        return SGD(size, dtype, config.momentum)
    if config.optimizer == "adamw":
        return AdamW(size, dtype, config.weight_decay, parameters.matrices.size)
    simple: dict[str, type[Adagrad | RMSProp | Adam]] = {
        "adagrad": Adagrad,
        "rmsprop": RMSProp,
        "adam": Adam,
    }
    return simple[config.optimizer](size, dtype)
