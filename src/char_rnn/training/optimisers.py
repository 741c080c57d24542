"""Optimisers: each a small class with the update rule that its paper gives.

To write one, derive a dataclass from `Optimizer`: its fields are its constants, `slot_names` what
it remembers of every parameter, and `update` its rule, a few lines of NumPy in place. Hand it, or
an object of it, to the trainer, or give it a name with `char_rnn.register_optimizer`; then
`from_config` makes it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from copy import copy
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

import numpy as np

from char_rnn.config import TrainConfig
from char_rnn.errors import UsageError
from char_rnn.model.memory import aligned
from char_rnn.model.parameters import Parameters, check_parameters
from char_rnn.tables import OPTIMIZERS, find

Array = np.ndarray
Slots = dict[str, Array]

PIECE = 1 << 15
"""Elements that are updated at a time: so few that all their arrays stay in the cache. Adam on
3.3 million weights takes a third of the time that whole arrays take."""

MANY, WIDE_PIECE = 500_000, 1 << 17
"""Parameters from which on a step goes by threads, where there are several, and what each updates
at a time: longer pieces, so that they seldom wait for each other's turn at the interpreter. Adam on
10.5 million weights takes 8.8 ms on two threads, 14.6 on one, and 13.3 with the short pieces."""


@dataclass
class Optimizer:
    """Updates parameters from the gradients of the mean loss, at a rate given with each step.

    weight_decay: λ in w ← (1 − η λ) w, for matrices, before each step ("decoupled": Loshchilov &
        Hutter 2019).
    slots: the arrays (P,) that it remembers, by name, of the parameters' dtype. They and `steps`,
        how many it has taken, are all that decides its next step: a checkpoint holds them.
    """

    weight_decay: float = field(default=0.0, kw_only=True)
    slots: Slots = field(default_factory=dict, init=False, repr=False, compare=False)
    steps: int = field(default=0, init=False, repr=False, compare=False)

    slot_names: ClassVar[tuple[str, ...]] = ()
    _pool: ThreadPoolExecutor | None = field(default=None, init=False, repr=False, compare=False)
    _threads: int = field(default=1, init=False, repr=False, compare=False)
    _wide: list[Array] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def from_config(cls, config: TrainConfig) -> Self:
        """Return one with the constants that `config` has settings for: here, none."""
        return cls()

    @property
    def described(self) -> str:
        """Its class and its constants, which together are its rule."""
        constants = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        return f"{type(self).__name__}({', '.join(map(_constant, constants.items()))})"

    def begin(self, parameters: Parameters) -> None:
        """Make the slots for `parameters`, all zeros, and count from 0.

        Who needs slots of another shape adds them after `super().begin(parameters)`.
        """
        size, dtype = parameters.trained.size, parameters.flat.dtype
        self.slots = {name: aligned(size, dtype) for name in self.slot_names}
        self.steps = 0
        self._scratch: Array = aligned((2, min(size, PIECE) or 1), dtype)

    def step(self, parameters: Parameters, gradients: Parameters, rate: float) -> None:
        """Change `parameters` in place by one step; the first one begins, if nothing has."""
        check_parameters("parameters", parameters)
        check_parameters("gradients", gradients)
        if not hasattr(self, "_scratch"):
            self.begin(parameters)
        self._check_sizes(parameters, gradients)
        self.steps += 1
        if self.weight_decay:
            parameters.matrices[:] *= 1 - rate * self.weight_decay
        w, g = parameters.trained, gradients.trained
        if self._pool is None or len(w) < MANY:
            self._update_pieces(w, g, range(0, len(w), PIECE), self._scratch, rate)
        else:
            self._side_by_side(self._pool, w, g, rate)

    @contextmanager
    def on_threads(self, count: int) -> Iterator[None]:
        """Inside, take the steps of many parameters on `count` threads; the bits are the same.

        NumPy lets the others run while it computes. Rules that are not of this module stay on one
        thread: what they keep in `self` may not be for two.
        """
        if count < 2 or type(self).__module__ != __name__:
            yield
            return
        with ThreadPoolExecutor(count - 1, "optimizer") as self._pool:
            self._threads = count
            try:
                yield
            finally:
                self._pool, self._wide = None, []

    def _side_by_side(self, pool: ThreadPoolExecutor, w: Array, g: Array, rate: float) -> None:
        """Share the pieces out among the threads, of which this one is the first."""
        if not self._wide:
            self._wide = [aligned((2, WIDE_PIECE), w.dtype) for _ in range(self._threads)]
        starts, running = range(0, len(w), WIDE_PIECE), []
        for k in range(1, self._threads):
            twin = copy(self)  # shares slots and constants; what it writes in is its own
            run, share = copy_context().run, starts[k :: self._threads]  # with NumPy's settings
            task = pool.submit(run, twin._update_pieces, w, g, share, self._wide[k], rate)
            running.append(task)
        self._update_pieces(w, g, starts[:: self._threads], self._wide[0], rate)
        for one in running:
            one.result()

    def _update_pieces(self, w: Array, g: Array, starts: range, memory: Array, rate: float) -> None:
        """Update the pieces that begin at `starts`, each as long as `memory` (2, N) is wide."""
        for start in starts:
            piece = slice(start, start + memory.shape[1])
            slots = {name: slot[piece] for name, slot in self.slots.items()}
            scratch = memory[:, : len(w[piece])]
            self.a: Array = scratch[0]
            self.b: Array = scratch[1]
            self.update(w[piece], g[piece], slots, rate)

    def _check_sizes(self, parameters: Parameters, gradients: Parameters) -> None:
        size = parameters.trained.size
        if gradients.trained.size != size:
            raise UsageError(
                f"there are {gradients.trained.size:,} gradients for {size:,} parameters; take "
                "those of the same network"
            )
        if any(
            slot.size != size for slot in map(self.slots.get, self.slot_names) if slot is not None
        ):
            raise UsageError(
                f"{type(self).__name__} has begun with another network; take one for each, or "
                "call begin(parameters)"
            )

    def update(self, w: Array, g: Array, slots: Slots, rate: float) -> None:
        """Change `w` and `slots` in place by one step, for a piece (N,) of the parameters.

        g: (N,) the gradient, which stays as it is. slots: the same piece of each.
        `self.a` and `self.b`, (N,), are memory to write in, and `self.steps` counts from 1. A rule
        that does not go by elements alone overrides `step` instead, and counts `steps` itself.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rule: write its update or step")

    def _scaled(self, top: Array, squares: Array, rate: float, epsilon: float) -> Array:
        """Return rate · top / (√squares + ε)."""
        np.sqrt(squares, out=self.b)
        np.add(self.b, epsilon, out=self.b)
        np.multiply(top, rate, out=self.a)
        np.divide(self.a, self.b, out=self.a)
        return self.a


@dataclass
class SGD(Optimizer):
    """v ← μ v + g;  w ← w − η v (momentum, Polyak 1964)."""

    momentum: float = 0.9
    slot_names: ClassVar = ("velocity",)

    @classmethod
    def from_config(cls, config: TrainConfig) -> Self:
        """Return one with the momentum of `config`."""
        return cls(momentum=config.momentum)

    def update(self, w: Array, g: Array, slots: Slots, rate: float) -> None:
        """Change `w` and the velocity."""
        v = slots["velocity"]
        np.multiply(v, self.momentum, out=v)
        np.add(v, g, out=v)
        np.multiply(v, rate, out=self.a)
        np.subtract(w, self.a, out=w)


@dataclass
class Adagrad(Optimizer):
    """m ← m + g²;  w ← w − η g / (√m + ε) (Duchi et al. 2011; the exercise)."""

    epsilon: float = 1e-8
    slot_names: ClassVar = ("squares",)

    def update(self, w: Array, g: Array, slots: Slots, rate: float) -> None:
        """Change `w` and the sum of squares."""
        m = slots["squares"]
        np.multiply(g, g, out=self.a)
        np.add(m, self.a, out=m)
        np.subtract(w, self._scaled(g, m, rate, self.epsilon), out=w)


@dataclass
class RMSProp(Optimizer):
    """m ← ρ m + (1 − ρ) g²;  w ← w − η g / (√m + ε) (Tieleman & Hinton 2012)."""

    decay: float = 0.95
    epsilon: float = 1e-8
    slot_names: ClassVar = ("squares",)

    def update(self, w: Array, g: Array, slots: Slots, rate: float) -> None:
        """Change `w` and the mean of squares."""
        m = slots["squares"]
        _average_(m, np.multiply(g, g, out=self.a), self.decay, self.a)
        np.subtract(w, self._scaled(g, m, rate, self.epsilon), out=w)


@dataclass
class Adam(Optimizer):
    """m, v: running means of g and g²;  w ← w − η m̂ / (√v̂ + ε) (Kingma & Ba 2015)."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    slot_names: ClassVar = ("mean", "squares")

    def update(self, w: Array, g: Array, slots: Slots, rate: float) -> None:
        """Change `w` and both means."""
        m, v = slots["mean"], slots["squares"]
        _average_(v, np.multiply(g, g, out=self.a), self.beta2, self.a)
        _average_(m, g, self.beta1, self.a)
        # m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ): the rate and ε take the corrections.
        fix1, fix2 = 1 - self.beta1**self.steps, (1 - self.beta2**self.steps) ** 0.5
        np.subtract(w, self._scaled(m, v, rate * fix2 / fix1, self.epsilon * fix2), out=w)


@dataclass
class AdamW(Adam):
    """Adam whose matrices decay (Loshchilov & Hutter 2019)."""

    weight_decay: float = field(default=0.01, kw_only=True)

    @classmethod
    def from_config(cls, config: TrainConfig) -> Self:
        """Return one with the decay of `config`."""
        return cls(weight_decay=config.weight_decay)


def _constant(item: tuple[str, Any]) -> str:
    name, value = item
    simple = isinstance(value, int | float | str | tuple | None)
    # What has no name of its own, a function say, would be written with its place in memory.
    return f"{name}={value!r}" if simple else f"{name}={type(value).__name__}"


def _average_(mean: Array, new: Array, decay: float, scratch: Array) -> None:
    """Move `mean` towards `new`: mean ← decay · mean + (1 − decay) · new; may use `new` itself."""
    np.multiply(mean, decay, out=mean)
    np.multiply(new, 1 - decay, out=scratch)
    np.add(mean, scratch, out=mean)


def make_optimizer(
    config: TrainConfig, own: Optimizer | type[Optimizer] | None = None
) -> Optimizer:
    """Return `own`, or one of that class, or the optimiser that `config` names if it is None."""
    chosen = find(OPTIMIZERS, "optimizer", config.optimizer) if own is None else own
    if isinstance(chosen, type) and issubclass(chosen, Optimizer):
        chosen = chosen.from_config(config)
    if not isinstance(chosen, Optimizer):
        raise UsageError(
            f"optimizer is {chosen!r}; it must be a class derived from "
            "char_rnn.training.optimisers.Optimizer, or an object of one"
        )
    kind = type(chosen)
    if kind.update is Optimizer.update and kind.step is Optimizer.step:
        raise UsageError(f"the optimizer {kind.__name__} has no rule: write its update")
    return chosen
