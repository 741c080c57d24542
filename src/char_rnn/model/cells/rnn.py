"""The vanilla RNN: h' = tanh(W x + U h + b)."""

import numpy as np

from char_rnn.model.cells.base import Cell, Phase, StepMemory
from char_rnn.model.kernels import tanh_slope


class RNN(Cell):
    """The exercise's cell (Elman 1990, with tanh)."""

    gates = ("h",)
    phases = (Phase(slice(0, 1)),)
    scratch = 1

    def __init__(self, memory: StepMemory) -> None:
        self.x, self.u = memory.gates[0], memory.recurrent[0]
        self.h = memory.after[0]
        self.dh, self.dz = memory.d_states[0], memory.gates[0]
        self.slope = memory.scratch[0]

    def forward(self) -> None:
        """Compute h' = tanh(W x + b + U h)."""
        np.add(self.x, self.u, out=self.h)
        np.tanh(self.h, out=self.h)

    def backward(self) -> None:
        """Compute dz = dh' · (1 − h'²)."""
        tanh_slope(self.h, out=self.slope)
        np.multiply(self.dh, self.slope, out=self.dz)
