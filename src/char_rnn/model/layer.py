"""A recurrent layer: every matrix product and the time loop around a cell's elementwise maths.

Shapes: T steps, B streams, H units, G gates, S states. Each gate is a slab of its own in the
array of gates (G, T, B, H). So a gate at one step is contiguous, and all steps of a gate are one
(T·B, H) operand: the weight gradient is one product over the window, without a copy.
"""

from collections.abc import Callable, Mapping
from functools import partial, reduce
from itertools import groupby
from typing import NamedTuple

import numpy as np

from char_rnn.config import ModelConfig
from char_rnn.model.cells import Cell, Phase, StepMemory, cell_class
from char_rnn.model.inputs import CharacterInput, DenseInput, LayerInput, TiedInput
from char_rnn.model.memory import aligned
from char_rnn.model.norm import Norm
from char_rnn.model.parameters import recurrent_name
from char_rnn.model.products import as_blocks, block_width, into_blocks

Array = np.ndarray
Elementwise = Callable[[], None]

FEW_UNITS = 4096
"""Up to so many units of a batch a gate's constants are quicker read in full than broadcast: 5.7
instead of 7.5 µs for the LSTM's activations (16 rows of 128). Beyond, the cache is too small for
them: 29 instead of 22 µs (64 rows of 256)."""


class Forward(NamedTuple):
    """One phase of one step: product = operand · weight, then the cell's maths."""

    operand: Array
    weight: Array
    product: Array
    then: Elementwise


class Backward(NamedTuple):
    """One phase of one step, backward: the cell's maths, then product = dz · weight."""

    first: Elementwise
    dz: Array
    weight: Array
    product: Array


class PhaseMemory(NamedTuple):
    """What a phase needs after the time loop, of all steps.

    dz: gradient of what the cell was given; d_product: that of the product, which is the same
        but for layer normalisation between the two; operand: what the weights multiplied.
    """

    phase: Phase
    dz: Array
    d_product: Array
    operand: Array


class Layer:
    """One layer of one network, with memory for windows of one shape at a time."""

    def __init__(
        self, config: ModelConfig, index: int, parameters: Mapping[str, Array],
        gradients: Mapping[str, Array],
    ) -> None:  # fmt: skip
        parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        names = [recurrent_name(config, part, index) for part in parts]
        w_ih, w_hh, b_ih, b_hh = (parameters[name] for name in names)
        dw_ih, dw_hh, db_ih, db_hh = (gradients[name] for name in names)
        self.cell = cell = cell_class(config)
        G, H = len(cell.gates), w_hh.shape[1]
        self.G, self.H, self.dtype = G, H, w_hh.dtype
        self._w_hh, self._dw_hh = w_hh.reshape(G, H, H), dw_hh.reshape(G, H, H)
        self._b_ih, self._b_hh = b_ih.reshape(G, H), b_hh.reshape(G, H)
        self._db_ih, self._db_hh = db_ih.reshape(G, H), db_hh.reshape(G, H)
        self._scale = np.where(cell.halved, 0.5, 1.0).astype(self.dtype).reshape(G, 1, 1)
        self._ones = np.ones_like(self._scale)
        # A phase with a gradient of its own adds its recurrent bias itself.
        self._folded = np.ones((G, 1), self.dtype)
        for phase in cell.phases:
            if phase.gradient is not None:
                self._folded[phase.gates] = 0
        input_norm, self.recurrent_norm = (
            self._norm(recurrent_name(config, part, index), parameters, gradients)
            for part in ("norm_ih", "norm_hh")
        )
        self.input: LayerInput
        vectors, d_vectors = parameters["out.weight"], gradients["out.weight"]
        if index > 0:
            self.input = DenseInput(w_ih, dw_ih, self._scale, input_norm)
        elif config.tied:
            self.input = TiedInput(w_ih, dw_ih, self._scale, input_norm, vectors, d_vectors)
        else:
            self.input = CharacterInput(w_ih, dw_ih, self._scale, len(vectors), input_norm)
        self._shape = (0, 0)

    def _norm(
        self, name: str, parameters: Mapping[str, Array], gradients: Mapping[str, Array]
    ) -> Norm | None:
        if name not in parameters:
            return None
        shape = (self.G, self.H)
        return Norm(parameters[name].reshape(shape), gradients[name].reshape(shape), self._scale)

    def allocate(self, T: int, B: int) -> None:
        """Make room for windows of shape (T, B); what was there is lost."""
        if self._shape == (T, B):
            return
        self._shape = (T, B)
        G, H, S, K = self.G, self.H, self.cell.states, self.cell.kept
        new = self._new
        self.gates = new(G, T, B, H)
        self._rows = self.gates.reshape(G, T * B, H)
        self.states = new(S, T + 1, B, H)
        self._kept = new(K, T, B, H)
        if self.recurrent_norm is not None:
            # x̂ of every product, and in the backward pass the product's gradient.
            self._hat, self._deviation = new(G, T, B, H), new(G, T, B, 1)
        self._d_states = new(S, B, H)
        # A slab for the part of dh that passes no product, and one for each gate's product.
        self._products = new(G + 1, B, H)
        # One gate and no way past it: its product is dh already, there is nothing to add up.
        self._adds_up = G > 1 or self.cell.direct
        if not self._adds_up:
            self._d_states = self._products[1:]
        self._forward_width = block_width(B, H, H)
        self._weights = new(G, H // self._forward_width, H, self._forward_width)
        self._weights_back = new(*self._weights.shape)
        if B == 1:
            # One row: all gates are one (1, H) · (H, G·H), so that BLAS is called once.
            self._side_by_side = new(H, G, H)
            self._weights = self._side_by_side.transpose(1, 0, 2)[:, None]
        shared: dict[str, Array] = {
            "recurrent": new(G, B, H),
            "d_states": self._d_states,
            "d_direct": self._products[0],
            "d_operand": new(B, H),
            "recurrent_bias": self.recurrent_bias,
            "scratch": new(self.cell.scratch, B, H),
            **self.scale_and_shift(B),
        }
        self._forward: list[Forward] = []
        self._backward: list[list[Backward]] = []
        for t in range(T):
            step = self.cell(
                StepMemory(
                    gates=self.gates[:, t],
                    before=self.states[:, t],
                    after=self.states[:, t + 1],
                    kept=self._kept[:, t],
                    **shared,
                )
            )
            self._forward += [self._plan_forward(ps, t, step, shared) for ps in self._together]
            self._backward.append(
                [self._plan_backward(p, t, step, shared) for p in reversed(self.cell.phases)]
            )
        self._phases = [self._phase_memory(phase) for phase in self.cell.phases]
        slabs = [p.gates.stop - p.gates.start for p in self.cell.phases if p.operand is None]
        first = 0 if self.cell.direct else 1
        self._dh_terms = self._products[first : 1 + sum(slabs)]

    def scale_and_shift(self, B: int) -> dict[str, Array]:
        """Return what makes tanh each gate's own function; see StepMemory."""
        scale = self._scale
        if B * self.H <= FEW_UNITS:
            scale = self._new(self.G, B, self.H)
            scale[:] = self._scale
        shift = np.subtract(1, scale, out=aligned(scale.shape, self.dtype))
        return {"scale": scale, "shift": shift}

    @property
    def recurrent_bias(self) -> Array:
        """The second bias, (G, H), for cells that add it themselves."""
        return self._b_hh

    @property
    def product_scale(self) -> Array:
        """The factors (G, 1, 1) of U in U h: ½ for sigmoids, unless normalisation applies them."""
        return self._scale if self.recurrent_norm is None else self._ones

    def recurrent_weight(self) -> Array:
        """Return U as the products want it, (G, H, H), in PyTorch's layout."""
        weight: Array = self._w_hh * self.product_scale
        return weight

    def prepare_input(self) -> None:
        """Take the input's weights and the biases as they are now."""
        bias = self._b_ih + self._folded * self._b_hh
        self.input.prepare(bias.reshape(-1))

    def prepare(self) -> None:
        """Take the weights as they are now, in the layouts that the products want."""
        self.prepare_input()
        into_blocks(self._w_hh.transpose(0, 2, 1), self.product_scale, self._weights)
        into_blocks(self._w_hh, self._ones, self._weights_back)

    def forward(self, x: Array, state: Array) -> Array:
        """Run the window: x (T, B) ids or (T, B, I), state (S, B, H); return h (T, B, H)."""
        self.input.forward(x, self._rows)
        self.states[:, 0] = state
        for operand, weight, product, then in self._forward:
            np.matmul(operand, weight, out=product)
            then()
        return self.states[0, 1:]

    def backward(self, dh_above: Array) -> tuple[Array | None, Array]:
        """Run backward: dh_above (T, B, H) is the gradient of what `forward` returned.

        Writes the gradients of the parameters; returns those of x (None for ids) and of the
        state (S, B, H). The activations are overwritten: one backward for each forward.
        """
        dh = self._d_states[0]
        self._d_states[:] = 0
        for norm in (self.recurrent_norm, self.input.norm):
            if norm is not None:
                norm.d_gain[:] = 0
        for t in range(len(dh_above) - 1, -1, -1):
            np.add(dh, dh_above[t], out=dh)
            for first, dz, weight, product in self._backward[t]:
                first()
                np.matmul(dz, weight, out=product)
            if self._adds_up:
                np.add.reduce(self._dh_terms, axis=0, out=dh)
        return self._weight_gradients(), self._d_states.copy()

    def _weight_gradients(self) -> Array | None:
        d_gates = self._rows
        # A bias sees every row: a product with ones is the quickest sum over them.
        ones = np.ones((1, d_gates.shape[1]), self.dtype)
        np.matmul(ones, d_gates, out=self._db_ih[:, None])
        for phase, dz, d_product, operand in self._phases:
            np.matmul(d_product.transpose(0, 2, 1), operand, out=self._dw_hh[phase.gates])
            if phase.gradient is None:
                self._db_hh[phase.gates] = self._db_ih[phase.gates]
            else:
                np.matmul(ones, dz, out=self._db_hh[phase.gates, None])
        return self.input.backward(d_gates)

    @property
    def _together(self) -> list[list[Phase]]:
        """The phases, in groups whose products share an operand and so are one product."""
        return [list(group) for _, group in groupby(self.cell.phases, lambda p: p.operand)]

    def _plan_forward(
        self, phases: list[Phase], t: int, step: Cell, shared: dict[str, Array]
    ) -> Forward:
        kept = phases[0].operand
        operand = self.states[0, t] if kept is None else self._kept[kept, t]
        gates = slice(phases[0].gates.start, phases[-1].gates.stop)
        recurrent = shared["recurrent"][gates]
        then = [getattr(step, phase.forward) for phase in phases]
        if self.recurrent_norm is not None:
            hat, deviation = self._hat[gates, t], self._deviation[gates, t]
            norm = partial(self.recurrent_norm.forward, recurrent, hat, deviation, gates)
            then = [norm, *then]
        after = reduce(lambda first, second: partial(_in_turn, first, second), then)
        if len(operand) == 1:
            weight = self._side_by_side[:, gates].reshape(self.H, -1)
            return Forward(operand, weight, recurrent.reshape(1, -1), after)
        product = as_blocks(recurrent, self._forward_width)
        return Forward(operand, self._weights[gates], product, after)

    def _plan_backward(
        self, phase: Phase, t: int, step: Cell, shared: dict[str, Array]
    ) -> Backward:
        dz = self.gates[phase.gates, t] if phase.gradient is None else self._kept[phase.gradient, t]
        first = getattr(step, phase.backward)
        if self.recurrent_norm is not None:
            hat, deviation = self._hat[phase.gates, t], self._deviation[phase.gates, t]
            norm = self.recurrent_norm.backward
            first = partial(
                _in_turn, first,
                partial(norm, dz.reshape(hat.shape), hat, deviation, hat, phase.gates),
            )  # fmt: skip
            dz = hat
        dz = dz.reshape(-1, 1, *dz.shape[-2:])
        if phase.operand is None:
            # Slab 0 is the direct part; the gates follow in their order.
            product = self._products[1 + phase.gates.start : 1 + phase.gates.stop]
        else:
            product = shared["d_operand"][None]
        return Backward(
            first,
            dz,
            self._weights_back[phase.gates],
            as_blocks(product, self._forward_width),
        )

    def _phase_memory(self, phase: Phase) -> PhaseMemory:
        T, B = self._shape
        dz = self.gates[phase.gates]
        if phase.gradient is not None:
            dz = self._kept[phase.gradient : phase.gradient + 1]
        d_product = dz if self.recurrent_norm is None else self._hat[phase.gates]
        operand = self.states[0, :T] if phase.operand is None else self._kept[phase.operand]
        rows = (-1, T * B, self.H)
        return PhaseMemory(
            phase, dz.reshape(rows), d_product.reshape(rows), operand.reshape(rows[1:])
        )

    def _new(self, *shape: int) -> Array:
        return aligned(shape, self.dtype)


def _in_turn(first: Elementwise, second: Elementwise) -> None:
    first()
    second()
