"""The LSTM: a cell state c that gates write to, keep and read.

i = σ(W_i x + U_i h + b_i)      input gate: how much to write
f = σ(W_f x + U_f h + b_f)      forget gate: how much to keep
g = tanh(W_g x + U_g h + b_g)   what to write
o = σ(W_o x + U_o h + b_o)      output gate: how much to show
c' = f · c + i · g
h' = o · tanh(c')

What all four gates share is done to all four in one call: with few rows a call costs more than
its arithmetic. So σ(x) = ½ tanh(x/2) + ½ and tanh(x) = 1 tanh(x) + 0 are one scale and one shift,
and their slopes s − s² and 1 − g² are both m − y², with m = 1 for g. In between the gates stay in
scratch memory, whose slabs touch: a call on the gates of one step, which lie a window apart, takes
two to three times as long (16 rows of 128).
"""

from typing import ClassVar

import numpy as np

from char_rnn.model.cells.base import Cell, Phase, StepMemory
from char_rnn.model.kernels import tanh_slope


class LSTM(Cell):
    """Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000."""

    gates = ("i", "f", "g", "o")
    phases = (Phase(slice(0, 4)),)
    sigmoids = ("i", "f", "o")
    first_bias: ClassVar = {"f": 1.0}
    states = 2
    kept = 1
    scratch = 8

    def __init__(self, memory: StepMemory) -> None:
        self.z, self.u = memory.gates, memory.recurrent
        self.i, self.f, self.g, self.o = memory.gates
        self.c = memory.before[1]
        self.h_next, self.c_next = memory.after
        self.tanh_c = memory.kept[0]
        self.dh, self.dc = memory.d_states
        self.scale, self.shift = memory.scale, memory.shift
        self.y = self.dy = memory.scratch[:4]
        self.di, self.df, self.dg, self.do = self.dy
        self.slope = memory.scratch[4:]
        self.a, self.b = self.slope[:2]

    def forward(self) -> None:
        """Compute c' and h'; one tanh serves all four gates."""
        np.add(self.z, self.u, out=self.y)
        np.tanh(self.y, out=self.y)
        np.multiply(self.y, self.scale, out=self.y)
        np.add(self.y, self.shift, out=self.z)
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
        tanh_slope(self.tanh_c, out=self.a)
        np.multiply(self.dh, self.o, out=self.b)
        np.multiply(self.a, self.b, out=self.a)
        np.add(self.dc, self.a, out=self.dc)
        # di = dc' · g;  df = dc' · c;  dg = dc' · i;  do = dh' · tanh c';  dc = dc' · f
        np.multiply(self.dc, self.g, out=self.di)
        np.multiply(self.dc, self.c, out=self.df)
        np.multiply(self.dc, self.i, out=self.dg)
        np.multiply(self.dh, self.tanh_c, out=self.do)
        np.multiply(self.dc, self.f, out=self.dc)
        # Each times the slope of its own gate, m − y².
        np.multiply(self.z, self.z, out=self.slope)
        self.g.fill(1)
        np.subtract(self.z, self.slope, out=self.slope)
        np.multiply(self.dy, self.slope, out=self.z)
