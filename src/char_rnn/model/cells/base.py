"""What a cell is: the elementwise maths of one time step, forward and backward.

A cell never multiplies matrices. The layer computes W x + b for a whole window and U h step by
step, and hands the cell views of its memory; the cell turns them into the next state, and later
turns the gradient of that state into the gradient of what it was given.
"""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Phase:
    """Gates whose recurrent product U · operand is taken together, and what to do around it.

    gates: which gates.
    forward: name of the method that runs after the product.
    backward: name of the method that runs before the product's gradient is taken.
    operand: None if U multiplies the state h before the step, else the index of the kept array
        that it multiplies (the exercise's GRU multiplies r · h).
    gradient: None if the gradient of U · operand is that of the gates, else the index of the
        kept array into which `backward` writes it (PyTorch's GRU scales the product by r).
    """

    gates: slice
    forward: str = "forward"
    backward: str = "backward"
    operand: int | None = None
    gradient: int | None = None


@dataclass(frozen=True)
class StepMemory:
    """Views of the layer's memory at one time step; B streams, H units, G gates, S states.

    gates: (G, B, H) W x + b on entry; `forward` leaves the activated gates, `backward` leaves
        their gradient before activation.
    recurrent: (G, B, H) the products U · operand, without bias.
    before, after: (S, B, H) the states on either side of the step; h comes first. In generation
        both are the same memory: `forward` reads an element of one before it writes the other's.
    kept: (K, B, H) whatever the cell wants to find again in `backward`.
    d_states: (S, B, H) gradient of `after` on entry to `backward`. The cell leaves the gradient
        of the other states `before` in d_states[1:]; that of h is put together by the layer.
    d_direct: (B, H) for cells with `direct`: the gradient of h `before` that does not pass
        through a product.
    d_operand: (B, H) gradient of a kept operand, from the phase that has one.
    recurrent_bias: (G, H) for cells with `own_recurrent_bias`, to be added to `recurrent`.
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
    halved: which gates are sigmoids: they receive half of W x + U h + b, since
        σ(x) = ½ + ½ tanh(x/2). Halving is exact, and the layer does it in its copy of the weights.
    phases: in the order of the forward pass.
    states: S.
    kept: K, arrays remembered from forward to backward.
    scratch: slabs of scratch memory that it wants.
    direct: whether h reaches the next h past the products.
    own_recurrent_bias: whether the two biases are not simply added.
    apart: what sets the cell apart from PyTorch's module of that name, for the names of its
        parameters (parameters.py); "" where the two compute the same.
    """

    gates: ClassVar[tuple[str, ...]]
    halved: ClassVar[tuple[bool, ...]]
    phases: ClassVar[tuple[Phase, ...]]
    states: ClassVar[int] = 1
    kept: ClassVar[int] = 0
    scratch: ClassVar[int] = 0
    direct: ClassVar[bool] = False
    own_recurrent_bias: ClassVar[bool] = False
    apart: ClassVar[str] = ""

    def __init__(self, memory: StepMemory) -> None:
        raise NotImplementedError
