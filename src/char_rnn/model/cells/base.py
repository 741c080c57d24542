"""What a cell is: the elementwise maths of one time step, forward and backward.

A cell never multiplies matrices. The layer computes W x + b for a whole window and U h step by
step, and hands the cell views of its memory; the cell turns them into the next state, and later
turns the gradient of that state into the gradient of what it was given.
"""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from char_rnn.config import ModelConfig
from char_rnn.errors import UsageError, unknown_name

Array = np.ndarray


@dataclass(frozen=True)
class Phase:
    """Gates whose recurrent product U · operand is taken together, and what to do around it.

    gates: which gates; none of them (as is the default) for maths without a product.
    forward: name of the method that runs after the product.
    backward: name of the method that runs before the product's gradient is taken.
    operand: None if U multiplies the state h before the step, else the index of the kept array
        that it multiplies (the exercise's GRU multiplies r · h); such a phase has one gate.
    gradient: None if the gradient of U · operand is that of the gates, else the index of the
        kept array into which `backward` writes it (PyTorch's GRU scales the product by r); such a
        phase has one gate, too, and adds its recurrent bias itself.
    """

    gates: slice = field(default_factory=lambda: slice(0, 0))
    forward: str = "forward"
    backward: str = "backward"
    operand: int | None = None
    gradient: int | None = None


@dataclass(frozen=True)
class StepMemory:
    """Views of the layer's memory at one time step; B streams, H units, G gates, S states.

    R: gates that have a recurrent product, which is all of them in most cells.

    gates: (G, B, H) W x + b on entry; `forward` leaves the activated gates, `backward` leaves
        their gradient before activation.
    recurrent: (R, B, H) the products U · operand, in the order of the phases, without bias.
    before, after: (S, B, H) the states on either side of the step; h comes first. In generation
        both are the same memory: `forward` reads an element of one before it writes the other's.
    kept: (K, B, H) whatever the cell wants to find again in `backward`.
    d_states: (S, B, H) gradient of `after` on entry to `backward`. The cell leaves the gradient
        of the other states `before` in d_states[1:]; that of h is put together by the layer.
    d_direct: (B, H) for cells with `direct`: the gradient of h `before` that does not pass
        through a product.
    d_operand: (B, H) gradient of a kept operand, from the phase that has one.
    recurrent_bias: (R, H) for phases with a `gradient`, to be added to `recurrent`.
    scale, shift: (G, B, H) or (G, 1, 1) what makes tanh each gate's own function: ½ and ½ for
        sigmoids, 1 and 0 for the others.
    scratch: (cell.scratch, B, H).
    """

    gates: Array
    recurrent: Array
    before: Array
    after: Array
    kept: Array
    d_states: Array
    d_direct: Array
    d_operand: Array
    recurrent_bias: Array
    scale: Array
    shift: Array
    scratch: Array


class Cell(ABC):
    """One time step of one layer. A subclass names its views once and writes the equations.

    gates: the gates' names in PyTorch's order.
    phases: in the order of the forward pass, those first whose product is with h. The recurrent
        weights and biases have rows for the gates of the phases, in this order; a cell whose
        phases have no gates has no such weights.
    sigmoids: which gates are sigmoids: they receive half of W x + U h + b, since
        σ(x) = ½ + ½ tanh(x/2). Halving is exact, and the layer does it in its copy of the weights
        (docs/performance.md has what that saves).
    first_bias: what a gate's bias starts at, where that is not 0.
    states: S, 1 or 2.
    kept: K, arrays remembered from forward to backward.
    scratch: slabs of scratch memory that it wants.
    direct: whether h reaches the next h past the products.
    apart: what sets the cell apart from PyTorch's module of that name, for the names of its
        parameters (parameters.py); "" where the two compute the same.
    """

    gates: ClassVar[tuple[str, ...]]
    phases: ClassVar[tuple[Phase, ...]]
    sigmoids: ClassVar[tuple[str, ...]] = ()
    first_bias: ClassVar[Mapping[str, float]] = MappingProxyType({})
    states: ClassVar[int] = 1
    kept: ClassVar[int] = 0
    scratch: ClassVar[int] = 0
    direct: ClassVar[bool] = False
    apart: ClassVar[str] = ""

    def __init__(self, memory: StepMemory) -> None:
        raise NotImplementedError

    def __init_subclass__(cls) -> None:
        """Raise UsageError for a class that contradicts itself, which would compute nonsense."""
        if not hasattr(cls, "phases"):
            return
        gates = getattr(cls, "gates", None)
        names = isinstance(gates, tuple) and all(isinstance(gate, str) for gate in gates)
        if not names or len(set(cls.gates)) < len(cls.gates):
            raise UsageError(
                f"{cls.__name__}.gates is {gates!r}; it must be a tuple of different names"
            )
        for name in (*cls.sigmoids, *cls.first_bias):
            if name not in cls.gates:
                raise unknown_name(f"gate of {cls.__name__}", name, cls.gates)
        late = [phase.operand is not None for phase in cls.phases if cls.count(phase)]
        if late != sorted(late):
            raise UsageError(
                f"{cls.__name__}.phases: one with an operand comes before one whose product is "
                "with h; put it after"
            )
        if cls.__init__ is Cell.__init__:
            raise UsageError(f"{cls.__name__} has no __init__, which takes its views of the memory")
        for phase in cls.phases:
            for method in (phase.forward, phase.backward):
                if not callable(getattr(cls, method, None)):
                    raise UsageError(f"{cls.__name__} has no {method}, which its phase names")

    @classmethod
    def form(cls, config: ModelConfig) -> "type[Cell]":
        """Return the class for `config`: this one, but for a name that stands for several forms."""
        return cls

    @staticmethod
    def count(phase: Phase) -> int:
        """Return how many gates `phase` has."""
        return int(phase.gates.stop - phase.gates.start)

    @classmethod
    def rows(cls, phase: Phase) -> slice:
        """Return where the gates of `phase` stand among those with a recurrent product."""
        before = sum(cls.count(other) for other in cls.phases[: cls.phases.index(phase)])
        return slice(before, before + cls.count(phase))

    @classmethod
    def recurrent_gates(cls) -> int:
        """Return R, the number of gates that have a recurrent product."""
        return sum(cls.count(phase) for phase in cls.phases)

    @classmethod
    def adds_biases(cls) -> bool:
        """Return whether the two biases are simply added, so that one of them is enough."""
        return all(phase.gradient is None for phase in cls.phases)

    @classmethod
    def shapes(cls, inputs: int, H: int, layer_norm: bool = False) -> dict[str, tuple[int, ...]]:
        """Return part and shape of the parameters of a layer that reads `inputs` numbers."""
        rows, recurrent = len(cls.gates) * H, cls.recurrent_gates() * H
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, inputs),
            "weight_hh": (recurrent, H),
            "bias_ih": (rows,),
            "bias_hh": (recurrent,),
        }
        if layer_norm:
            shapes |= {"norm_ih": (rows,), "norm_hh": (recurrent,)}
        return {part: shape for part, shape in shapes.items() if shape[0]}

    @classmethod
    def products(cls, inputs: int, H: int) -> int:
        """Return the multiplications of matrices for one character; `inputs` as in `shapes`."""
        return (len(cls.gates) * inputs + cls.recurrent_gates() * H) * H
