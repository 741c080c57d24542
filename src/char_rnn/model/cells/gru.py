"""The GRU, in its two forms; gates in PyTorch's order r, z, n.

    r = σ(W_r x + U_r h + b_r)                  reset gate
    z = σ(W_z x + U_z h + b_z)                  update gate: how much of h to keep
    n = tanh(W_n x + b_n + U_n (r · h))         candidate, reset before the product
    n = tanh(W_n x + b_n + r · (U_n h + b'_n))  candidate, reset after the product
    h' = (1 − z) · n + z · h

Here z keeps the old state, as in PyTorch. The exercise's z lets the new one in: its z is our
1 − z, so W_z, U_z and b_z change sign and nothing else does.
"""

import numpy as np

from char_rnn.config import ModelConfig
from char_rnn.model.cells.base import Cell, Phase, StepMemory
from char_rnn.model.kernels import sigmoid_from_half, tanh_slope


class GRU(Cell):
    """What both forms share: the gates r and z, and how h' mixes n with h."""

    gates = ("r", "z", "n")
    sigmoids = ("r", "z")
    kept = 1
    direct = True
    scratch = 6

    @classmethod
    def form(cls, config: ModelConfig) -> type[Cell]:
        """Return the form that `config.reset_after` asks for."""
        return GRUResetAfter if config.reset_after else GRUResetBefore

    def __init__(self, memory: StepMemory) -> None:
        self.r, self.z, self.n = memory.gates
        self.u_n = memory.recurrent[2]
        self.r_and_z, self.u_r_and_z = memory.gates[0:2], memory.recurrent[0:2]
        self.h, self.h_next = memory.before[0], memory.after[0]
        self.dh, self.d_direct = memory.d_states[0], memory.d_direct
        self.dr, self.dz = self.dr_and_dz = memory.scratch[0:2]
        self.slope = self.y = memory.scratch[2:4]
        self.z_slope = self.slope[1]
        self.a, self.b = memory.scratch[4:6]

    def _update_gates(self) -> None:
        np.add(self.r_and_z, self.u_r_and_z, out=self.y)
        sigmoid_from_half(self.y, out=self.r_and_z)

    def _mix(self) -> None:
        # h' = n + z · (h − n)
        np.subtract(self.h, self.n, out=self.h_next)
        np.multiply(self.h_next, self.z, out=self.h_next)
        np.add(self.h_next, self.n, out=self.h_next)

    def _mix_backward(self) -> None:
        """Leave dn in n, dz without its slope, and the direct part of dh."""
        # dz = dh' · (h − n), before the slope of z
        np.subtract(self.h, self.n, out=self.dz)
        np.multiply(self.dz, self.dh, out=self.dz)
        # dh = dh' · z + …
        np.multiply(self.dh, self.z, out=self.d_direct)
        # dn = dh' · (1 − z) · (1 − n²)
        np.subtract(1.0, self.r_and_z, out=self.slope)
        np.multiply(self.dh, self.z_slope, out=self.a)
        tanh_slope(self.n, out=self.b)
        np.multiply(self.a, self.b, out=self.n)
        # The slopes of r and z: r · (1 − r) and z · (1 − z)
        np.multiply(self.slope, self.r_and_z, out=self.slope)

    def _gates_backward(self) -> None:
        """Leave dr and dz, each times its slope, in r and z."""
        np.multiply(self.dr_and_dz, self.slope, out=self.r_and_z)


class GRUResetBefore(GRU):
    """Cho et al. 2014, version 3 of the paper, and the exercise: U_n multiplies r · h."""

    phases = (
        Phase(slice(0, 2), "forward_gates", "backward_gates"),
        Phase(slice(2, 3), "forward_candidate", "backward_candidate", operand=0),
    )
    apart = "reset_before"

    def __init__(self, memory: StepMemory) -> None:
        super().__init__(memory)
        self.rh, self.d_rh = memory.kept[0], memory.d_operand

    def forward_gates(self) -> None:
        """Compute r, z and the operand r · h."""
        self._update_gates()
        np.multiply(self.r, self.h, out=self.rh)

    def forward_candidate(self) -> None:
        """Compute n = tanh(W_n x + b_n + U_n (r · h)) and h'."""
        np.add(self.n, self.u_n, out=self.n)
        np.tanh(self.n, out=self.n)
        self._mix()

    def backward_candidate(self) -> None:
        """Compute dn and the part of dh that passes z."""
        self._mix_backward()

    def backward_gates(self) -> None:
        """Compute dr from d(r · h), dz, and the part of dh that passes r."""
        # dh += d(r · h) · r
        np.multiply(self.d_rh, self.r, out=self.a)
        np.add(self.d_direct, self.a, out=self.d_direct)
        # dr = d(r · h) · h · r · (1 − r)
        np.multiply(self.d_rh, self.h, out=self.dr)
        self._gates_backward()


class GRUResetAfter(GRU):
    """PyTorch's and cuDNN's form (version 1 of the paper): r multiplies U_n h + b'_n."""

    phases = (
        Phase(slice(0, 2), "forward_gates", "backward_gates"),
        Phase(slice(2, 3), "forward_candidate", "backward_candidate", gradient=0),
    )

    def __init__(self, memory: StepMemory) -> None:
        super().__init__(memory)
        self.bias = memory.recurrent_bias[2]
        self.m = self.dm = memory.kept[0]  # U_n h + b'_n; in the backward pass its gradient

    def forward_gates(self) -> None:
        """Compute r and z."""
        self._update_gates()

    def forward_candidate(self) -> None:
        """Compute n = tanh(W_n x + b_n + r · m), where m = U_n h + b'_n, and h'."""
        np.add(self.u_n, self.bias, out=self.m)
        np.multiply(self.r, self.m, out=self.a)
        np.add(self.n, self.a, out=self.n)
        np.tanh(self.n, out=self.n)
        self._mix()

    def backward_candidate(self) -> None:
        """Compute dn and dm."""
        self._mix_backward()
        # dr = dn · m, before the slope of r;  dm = dn · r
        np.multiply(self.n, self.m, out=self.dr)
        np.multiply(self.n, self.r, out=self.dm)

    def backward_gates(self) -> None:
        """Compute dr and dz."""
        self._gates_backward()
