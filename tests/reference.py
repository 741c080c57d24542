"""The slow, obvious truth: each cell and the whole network, one time step and one gate at a time.

Rows are streams: x is (T, B, I), a state (B, H). Everything is float64. Weights have PyTorch's
names, shapes and order of gates: weight_ih (G·H, I), weight_hh (G·H, H), bias_ih and bias_hh (G·H),
with G = 1 for the RNN, i, f, g, o for the LSTM and r, z, n for the GRU; other cells say what they
have. A state is a tuple, (h,) or (h, c). Nothing is fused and nothing is reused; `forward` keeps
every value for `backward`.
"""

import re
from typing import NamedTuple

import numpy as np


def floats(array):
    return np.asarray(array, dtype=np.float64)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class Cell:
    """One layer. `step` and `step_back` are the equations of a cell; the loops are here.

    gates: names of the gates, in the order of their rows in the weights.
    parts: the weights that it has, in the order in which it takes them.
    """

    gates: tuple[str, ...]
    states = ("h0",)
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")

    def __init__(self, *arrays):
        split = {
            part: dict(zip(self.gates, np.split(floats(array), len(self.gates)), strict=True))
            for part, array in zip(self.parts, arrays, strict=True)
        }
        # W["r"] (H, I), U["r"] (H, H), b["r"] and d["r"] (H): the parts of gate r
        self.W, self.U, self.b, self.d = (split.get(part, {}) for part in Cell.parts)

    def forward(self, x, state):
        """Read x (T, B, I) from `state`. Returns h of all steps (T, B, H) and the final state."""
        self.steps, h = [], []
        for x_t in floats(x):
            new, values = self.step(x_t, *state)
            self.steps.append((x_t, state, values))
            h.append(new[0])
            state = new
        return np.stack(h), state

    def backward(self, dh, dstate=None):
        """Go back through the last `forward`.

        dh: (T, B, H), gradient of the loss by every h that `forward` returned.
        dstate: gradient by the final state besides, None for zero.
        Returns the gradients of weight_ih, weight_hh, bias_ih, bias_hh, x (T, B, I), h0 and c0.
        """
        self.dW, self.dU, self.db, self.dd = (
            {gate: np.zeros_like(value) for gate, value in part.items()}
            for part in (self.W, self.U, self.b, self.d)
        )
        if dstate is None:
            dstate = tuple(np.zeros_like(dh[0]) for _ in self.states)
        dx = []
        for (x_t, state, values), dh_t in reversed(list(zip(self.steps, dh, strict=True))):
            # h of this step was returned, and it was read by the next step
            dstate = (dstate[0] + dh_t, *dstate[1:])
            dx_t, dstate = self.step_back(x_t, *state, values, *dstate)
            dx.insert(0, dx_t)
        found = dict(zip(Cell.parts, (self.dW, self.dU, self.db, self.dd), strict=True))
        return {
            **{
                part: np.concatenate([found[part][gate] for gate in self.gates])
                for part in self.parts
            },
            "x": np.stack(dx),
            **dict(zip(self.states, dstate, strict=True)),
        }

    # W x + b and U h + d, with x (B, I) and h (B, H) as rows

    def from_input(self, gate, x):
        return x @ self.W[gate].T + self.b[gate]

    def from_state(self, gate, h):
        return h @ self.U[gate].T + self.d[gate]

    def from_input_back(self, gate, x, da):
        self.dW[gate] += da.T @ x
        self.db[gate] += da.sum(axis=0)
        return da @ self.W[gate]

    def from_state_back(self, gate, h, da):
        self.dU[gate] += da.T @ h
        self.dd[gate] += da.sum(axis=0)
        return da @ self.U[gate]


class Rnn(Cell):
    """h' = tanh(W x + b + U h + d)."""

    gates = ("a",)

    def step(self, x, h):
        new_h = np.tanh(self.from_input("a", x) + self.from_state("a", h))
        return (new_h,), new_h

    def step_back(self, x, h, new_h, dnew_h):
        da = dnew_h * (1 - new_h**2)
        dx = self.from_input_back("a", x, da)
        dh = self.from_state_back("a", h, da)
        return dx, (dh,)


class Lstm(Cell):
    """c' = f · c + i · g and h' = o · tanh(c')."""

    gates = ("i", "f", "g", "o")
    states = ("h0", "c0")

    def step(self, x, h, c):
        i = sigmoid(self.from_input("i", x) + self.from_state("i", h))
        f = sigmoid(self.from_input("f", x) + self.from_state("f", h))
        g = np.tanh(self.from_input("g", x) + self.from_state("g", h))
        o = sigmoid(self.from_input("o", x) + self.from_state("o", h))
        new_c = f * c + i * g
        new_h = o * np.tanh(new_c)
        return (new_h, new_c), (i, f, g, o, new_c)

    def step_back(self, x, h, c, values, dnew_h, dnew_c):
        i, f, g, o, new_c = values
        # h' = o · tanh(c')
        do = dnew_h * np.tanh(new_c)
        dnew_c = dnew_c + dnew_h * o * (1 - np.tanh(new_c) ** 2)
        # c' = f · c + i · g
        df = dnew_c * c
        dc = dnew_c * f
        di = dnew_c * g
        dg = dnew_c * i
        # through the sigmoids and the tanh
        da = {
            "i": di * i * (1 - i),
            "f": df * f * (1 - f),
            "g": dg * (1 - g**2),
            "o": do * o * (1 - o),
        }
        dx = sum(self.from_input_back(gate, x, da[gate]) for gate in self.gates)
        dh = sum(self.from_state_back(gate, h, da[gate]) for gate in self.gates)
        return dx, (dh, dc)


class GruBefore(Cell):
    """h' = (1 − z) · n + z · h with n = tanh(W x + b + U (r · h) + d): reset before the product."""

    gates = ("r", "z", "n")

    def step(self, x, h):
        r = sigmoid(self.from_input("r", x) + self.from_state("r", h))
        z = sigmoid(self.from_input("z", x) + self.from_state("z", h))
        n = np.tanh(self.from_input("n", x) + self.from_state("n", r * h))
        new_h = (1 - z) * n + z * h
        return (new_h,), (r, z, n)

    def step_back(self, x, h, values, dnew_h):
        r, z, n = values
        # h' = (1 − z) · n + z · h
        dz = dnew_h * (h - n)
        dn = dnew_h * (1 - z)
        dh = dnew_h * z
        # n = tanh(W x + b + U (r · h) + d)
        da_n = dn * (1 - n**2)
        dx = self.from_input_back("n", x, da_n)
        drh = self.from_state_back("n", r * h, da_n)
        dr = drh * h
        dh = dh + drh * r
        # r and z
        da_r = dr * r * (1 - r)
        da_z = dz * z * (1 - z)
        dx = dx + self.from_input_back("r", x, da_r) + self.from_input_back("z", x, da_z)
        dh = dh + self.from_state_back("r", h, da_r) + self.from_state_back("z", h, da_z)
        return dx, (dh,)


class GruAfter(Cell):
    """h' = (1 − z) · n + z · h with n = tanh(W x + b + r · (U h + d)): reset after the product."""

    gates = ("r", "z", "n")

    def step(self, x, h):
        r = sigmoid(self.from_input("r", x) + self.from_state("r", h))
        z = sigmoid(self.from_input("z", x) + self.from_state("z", h))
        n = np.tanh(self.from_input("n", x) + r * self.from_state("n", h))
        new_h = (1 - z) * n + z * h
        return (new_h,), (r, z, n)

    def step_back(self, x, h, values, dnew_h):
        r, z, n = values
        # h' = (1 − z) · n + z · h
        dz = dnew_h * (h - n)
        dn = dnew_h * (1 - z)
        dh = dnew_h * z
        # n = tanh(W x + b + r · (U h + d))
        da_n = dn * (1 - n**2)
        dx = self.from_input_back("n", x, da_n)
        dr = da_n * self.from_state("n", h)
        dh = dh + self.from_state_back("n", h, da_n * r)
        # r and z
        da_r = dr * r * (1 - r)
        da_z = dz * z * (1 - z)
        dx = dx + self.from_input_back("r", x, da_r) + self.from_input_back("z", x, da_z)
        dh = dh + self.from_state_back("r", h, da_r) + self.from_state_back("z", h, da_z)
        return dx, (dh,)


class MinGru(Cell):
    """h' = (1 − z) · h + z · n with n = W x + b: the gates do not see the state."""

    gates = ("z", "n")
    parts = ("weight_ih", "bias_ih")

    def step(self, x, h):
        z = sigmoid(self.from_input("z", x))
        n = self.from_input("n", x)
        return ((1 - z) * h + z * n,), (z, n)

    def step_back(self, x, h, values, dnew_h):
        z, n = values
        dz = dnew_h * (n - h)
        dn = dnew_h * z
        dh = dnew_h * (1 - z)
        dx = self.from_input_back("z", x, dz * z * (1 - z)) + self.from_input_back("n", x, dn)
        return dx, (dh,)


CELLS = {
    ("rnn", False): Rnn,
    ("lstm", False): Lstm,
    ("gru", False): GruBefore,
    ("gru", True): GruAfter,
    ("mingru", False): MinGru,
}
"""Every cell, by its name and `reset_after`, which tells the two GRUs apart."""


def cell_class(cell, reset_after=False):
    """Return the class of a cell."""
    return CELLS[cell, reset_after]


class Reference(NamedTuple):
    """What `reference_network` returns.

    logits: (T, B, V).
    loss: nats per character, the mean over T and B.
    gradients: of the loss, under the names of the parameters, and h0 (L, B, H) and c0 for `lstm`.
    state: the final one, (h,) or (h, c), each (L, B, H).
    """

    logits: np.ndarray
    loss: float
    gradients: dict[str, np.ndarray]
    state: tuple[np.ndarray, ...]


def plain_name(name):
    """Return a parameter's name as PyTorch has it, without what sets the network apart."""
    return re.sub(r"(_l[0-9]+)_.*", r"\1", name)


def reference_network(parameters, cell, reset_after, layers, ids, targets, state=None):
    """Run a whole network forward and backward.

    parameters: by PyTorch's names (`plain_name`), rnn.weight_ih_l0 (G·H, V) … rnn.bias_hh_l1,
        out.weight (V, H) and out.bias (V); the gradients have the same names.
    ids, targets: (T, B). state: (h0,) or (h0, c0), each (L, B, H); None for zeros.
    """
    parameters = {plain_name(name): floats(value) for name, value in parameters.items()}
    T, B = ids.shape
    V, H = parameters["out.weight"].shape
    kind = cell_class(cell, reset_after)
    if state is None:
        state = tuple(np.zeros((layers, B, H)) for _ in kind.states)

    # One-hot rows, through the layers, to the logits
    stack, finals = [], []
    h = np.eye(V)[ids]  # (T, B, V), and (T, B, H) after the first layer
    for layer in range(layers):
        stack.append(kind(*(parameters[f"rnn.{part}_l{layer}"] for part in kind.parts)))
        h, final = stack[layer].forward(h, tuple(floats(part[layer]) for part in state))
        finals.append(final)
    logits = h @ parameters["out.weight"].T + parameters["out.bias"]

    # loss = mean of −log softmax(logits)[target]
    loss = 0.0
    dlogits = np.zeros_like(logits)
    for t, b in np.ndindex(T, B):
        y = logits[t, b] - logits[t, b].max()
        p = np.exp(y) / np.exp(y).sum()
        loss += (np.log(np.exp(y).sum()) - y[targets[t, b]]) / (T * B)
        dlogits[t, b] = (p - np.eye(V)[targets[t, b]]) / (T * B)

    # And back
    gradients = {
        "out.weight": np.einsum("tbv,tbh->vh", dlogits, h),
        "out.bias": dlogits.sum(axis=(0, 1)),
    }
    dstates = {name: np.zeros((layers, B, H)) for name in kind.states}
    dh = dlogits @ parameters["out.weight"]
    for layer in reversed(range(layers)):
        found = stack[layer].backward(dh)
        gradients |= {f"rnn.{part}_l{layer}": found[part] for part in kind.parts}
        for name in kind.states:
            dstates[name][layer] = found[name]
        dh = found["x"]
    return Reference(
        logits,
        float(loss),
        gradients | dstates,
        tuple(np.stack(part) for part in zip(*finals, strict=True)),
    )
