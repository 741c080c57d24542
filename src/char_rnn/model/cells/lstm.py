"""The LSTM: a cell state c that gates write to, keep and read.

i = σ(W_i x + U_i h + b_i)      input gate: how much to write
f = σ(W_f x + U_f h + b_f)      forget gate: how much to keep
g = tanh(W_g x + U_g h + b_g)   what to write
o = σ(W_o x + U_o h + b_o)      output gate: how much to show
c' = f · c + i · g
h' = o · tanh(c')
"""

import numpy as np

from char_rnn.model.cells.base import Cell, Phase, StepMemory
from char_rnn.model.kernels import half_plus_half_, times_sigmoid_slope_, times_tanh_slope_


class LSTM(Cell):
    """Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000."""

    gates = ("i", "f", "g", "o")
    halved = (True, True, False, True)
    phases = (Phase(slice(0, 4)),)
    states = 2
    kept = 1

    def __init__(self, memory: StepMemory) -> None:
        self.z, self.u = memory.gates, memory.recurrent
        self.i, self.f, self.g, self.o = memory.gates
        self.input_and_forget = memory.gates[0:2]
        self.c = memory.before[1]
        self.h_next, self.c_next = memory.after
        self.tanh_c = memory.kept[0]
        self.dh, self.dc = memory.d_states
        self.a, self.b, self.scratch = memory.scratch

    def forward(self) -> None:
        """Compute c' and h'; one tanh serves all four gates."""
        np.add(self.z, self.u, out=self.z)
        np.tanh(self.z, out=self.z)
        half_plus_half_(self.input_and_forget)
        half_plus_half_(self.o)
        # c' = f · c + i · g
        np.multiply(self.f, self.c, out=self.c_next)
        np.multiply(self.i, self.g, out=self.a)
        np.add(self.c_next, self.a, out=self.c_next)
        # h' = o · tanh(c')
        np.tanh(self.c_next, out=self.tanh_c)
        np.multiply(self.o, self.tanh_c, out=self.h_next)

    def backward(self) -> None:
        """Turn dh', dc' into the gates' gradients and dc."""
        # dc' += dh' · o · (1 − tanh²c')
        np.multiply(self.dh, self.o, out=self.a)
        times_tanh_slope_(self.a, self.tanh_c, self.scratch)
        np.add(self.dc, self.a, out=self.dc)
        # do = dh' · tanh c'
        np.multiply(self.dh, self.tanh_c, out=self.a)
        times_sigmoid_slope_(self.a, self.o, self.scratch)
        np.copyto(self.o, self.a)
        # di = dc' · g;  dg = dc' · i
        np.multiply(self.dc, self.g, out=self.a)
        np.multiply(self.dc, self.i, out=self.b)
        times_sigmoid_slope_(self.a, self.i, self.scratch)
        times_tanh_slope_(self.b, self.g, self.scratch)
        np.copyto(self.i, self.a)
        np.copyto(self.g, self.b)
        # df = dc' · c;  dc = dc' · f
        np.multiply(self.dc, self.c, out=self.a)
        times_sigmoid_slope_(self.a, self.f, self.scratch)
        np.multiply(self.dc, self.f, out=self.dc)
        np.copyto(self.f, self.a)
