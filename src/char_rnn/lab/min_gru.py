"""The minGRU: a GRU whose gates see only the input, so that it has no recurrent product.

z = σ(W_z x + b_z)      update gate: how much to let in
n = W_n x + b_n         what to let in
h' = (1 − z) · h + z · n

h' stays between h and n, so that nothing grows and n needs no tanh. (The paper's g, which keeps n
above 0, is there for its scan in logarithms; this loop goes a step at a time.)

The worked example of CONTRIBUTING.md; why it is not among the package's cells: docs/results.md.

Source: Feng et al. 2024, "Were RNNs All We Needed?", section 3.1.
"""

import numpy as np

from char_rnn.model.cells.base import Cell, Phase, StepMemory
from char_rnn.model.kernels import sigmoid_from_half


class MinGRU(Cell):
    """Feng et al. 2024: a mean of what was read, with weights that are learned."""

    gates = ("z", "n")  # the rows of weight_ih and bias_ih
    phases = (Phase(),)  # no gates in it: no weight_hh. For U h of both, Phase(slice(0, 2))
    sigmoids = ("z",)  # it receives half of its sum: σ(x) = ½ + ½ tanh(x/2)
    direct = True  # h reaches h' past the products
    scratch = 2
    apart = "mingru"  # PyTorch has no such module; it goes into the names of the parameters

    def __init__(self, memory: StepMemory) -> None:
        self.z, self.n = memory.gates
        self.h, self.h_next = memory.before[0], memory.after[0]
        self.dh, self.d_direct = memory.d_states[0], memory.d_direct
        self.a, self.b = memory.scratch

    def forward(self) -> None:
        """Compute z and h' = h + z · (n − h)."""
        sigmoid_from_half(self.z, out=self.z)
        np.subtract(self.n, self.h, out=self.a)
        np.multiply(self.a, self.z, out=self.a)
        np.add(self.h, self.a, out=self.h_next)

    def backward(self) -> None:
        """Turn dh' into dz and dn, where z and n were, and the direct part of dh."""
        np.subtract(1.0, self.z, out=self.b)
        # dh = dh' · (1 − z)
        np.multiply(self.dh, self.b, out=self.d_direct)
        # dz = dh' · (n − h) · z · (1 − z);  dn = dh' · z
        np.subtract(self.n, self.h, out=self.a)
        np.multiply(self.a, self.b, out=self.a)
        np.multiply(self.dh, self.z, out=self.n)
        np.multiply(self.a, self.n, out=self.z)
