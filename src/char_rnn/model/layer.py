"""A recurrent layer: every matrix product and the time loop around a cell's elementwise maths.

Shapes: T steps, B streams, H units, G gates, R of them with a recurrent product, S states. Each
gate is a slab of its own in the array of gates (G, T, B, H). So a gate at one step is contiguous,
and all steps of a gate are one (T·B, H) operand: the weight gradient is one product over the
window, without a copy.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import groupby
from types import MappingProxyType
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
Call = Callable[[], object]
Borders = Mapping[int, Array]
"""Where streams begin anew: step of the window -> which ones, for the steps that have some."""
NO_BORDERS: Borders = MappingProxyType({})

FEW_UNITS = 4096
"""Up to so many units of a batch a gate's constants are quicker read in full than broadcast: 5.7
instead of 7.5 µs for the LSTM's activations (16 rows of 128). Beyond, the cache is too small for
them: 29 instead of 22 µs (64 rows of 256)."""


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
        self,
        config: ModelConfig,
        index: int,
        parameters: Mapping[str, Array],
        gradients: Mapping[str, Array],
    ) -> None:
        self.cell = cell = cell_class(config)
        self.G, self.H, self.R = len(cell.gates), config.hidden_size, cell.recurrent_gates()
        self.dtype = parameters["out.weight"].dtype

        def part(name: str, *shape: int) -> list[Array]:
            """Return the parameter and its gradient; nothing of each, where the cell has none."""
            name = recurrent_name(config, name, index)
            none = np.empty(0, self.dtype)
            return [arrays.get(name, none).reshape(shape) for arrays in (parameters, gradients)]

        rows, units = (self.G, self.H), (self.R, self.H)
        self._w_hh, self._dw_hh = part("weight_hh", *units, self.H)
        self._b_ih, self._db_ih = part("bias_ih", *rows)
        self._b_hh, self._db_hh = part("bias_hh", *units)
        halved = [gate in cell.sigmoids for gate in cell.gates]
        self._scale = np.where(halved, 0.5, 1.0).astype(self.dtype).reshape(-1, 1, 1)
        self._recurrent_scale = np.concatenate([self._scale[phase.gates] for phase in cell.phases])
        input_norm, self.recurrent_norm = None, None
        if config.layer_norm:
            input_norm = Norm(*part("norm_ih", *rows))
            self.recurrent_norm = Norm(*part("norm_hh", *units)) if self.R else None
        w_ih, dw_ih = part("weight_ih", self.G * self.H, -1)
        self.input: LayerInput
        vectors, d_vectors = parameters["out.weight"], gradients["out.weight"]
        if index > 0:
            self.input = DenseInput(w_ih, dw_ih, self._scale, input_norm)
        elif config.tied:
            self.input = TiedInput(w_ih, dw_ih, self._scale, input_norm, vectors, d_vectors)
        else:
            self.input = CharacterInput(w_ih, dw_ih, self._scale, len(vectors), input_norm)
        self.d_initial = np.zeros((cell.states, self.H), self.dtype)
        self._apart = config.end is not None
        self._shape = (0, 0)

    def allocate(self, T: int, B: int) -> None:
        """Make room for windows of shape (T, B); what was there is lost."""
        if self._shape == (T, B):
            return
        self._shape = (0, 0)  # until all is there: memory may run out
        G, R, H, S, K = self.G, self.R, self.H, self.cell.states, self.cell.kept
        new = self._new
        self.gates = new(G, T, B, H)
        self._rows = self.gates.reshape(G, T * B, H)
        self._place_states(T, B)
        self._kept = new(K, T, B, H)
        if self.recurrent_norm is not None:
            # x̂ of every product, and in the backward pass the product's gradient.
            self._hat, self._deviation = new(R, T, B, H), new(R, T, B, 1)
        self._d_states = new(S, B, H)
        # A slab for the part of dh that passes no product, and one for each gate's product.
        self._products = new(R + 1, B, H)
        with_h = sum(self.cell.count(phase) for phase in self.cell.phases if phase.operand is None)
        self._dh_terms = self._products[0 if self.cell.direct else 1 : 1 + with_h]
        # One product and no way past it: it is dh already, there is nothing to add up.
        self._adds_up = with_h != 1 or self.cell.direct or S > 1
        if not self._adds_up:
            self._d_states = self._dh_terms
        self._forward_width = block_width(B, H, H)
        self._weights = new(R, H // self._forward_width, H, self._forward_width)
        self._weights_back = new(*self._weights.shape)
        if B == 1:
            # One row: all gates are one (1, H) · (H, R·H), so that BLAS is called once.
            self._side_by_side = new(H, R, H)
            self._weights = self._side_by_side.transpose(1, 0, 2)[:, None]
        shared: dict[str, Array] = {
            "recurrent": new(R, B, H),
            "d_states": self._d_states,
            "d_direct": self._products[0],
            "d_operand": new(B, H),
            "recurrent_bias": self.recurrent_bias,
            "scratch": new(self.cell.scratch, B, H),
            **self.scale_and_shift(B),
        }
        together = [list(ps) for _, ps in groupby(self.cell.phases, lambda p: p.operand)]
        self._forward: list[list[Call]] = []
        self._backward: list[list[Call]] = []
        for t in range(T):
            step = self.cell(
                StepMemory(
                    gates=self.gates[:, t],
                    before=self._before[:, t],
                    after=self.after[:, t],
                    kept=self._kept[:, t],
                    **shared,
                )
            )
            calls: list[Call] = []
            for phases in together:
                calls += self._plan_forward(phases, t, step, shared["recurrent"])
            if self._apart and t + 1 < T:
                calls.append(partial(np.copyto, self._before[:, t + 1], self.after[:, t]))
            self._forward.append(calls)
            back: list[Call] = []
            for phase in reversed(self.cell.phases):
                back += self._plan_backward(phase, t, step, shared["d_operand"])
            self._backward.append(back)
        with_product = [phase for phase in self.cell.phases if self.cell.count(phase)]
        self._phases = [self._phase_memory(phase) for phase in with_product]
        self._shape = (T, B)

    def _place_states(self, T: int, B: int) -> None:
        """Make room for the states (S, T, B, H) before and after each step.

        The ones are the others, a step on; where streams may begin anew in between, they are not.
        """
        S, H = self.cell.states, self.H
        states = self._new(S, T + 1, B, H)
        self._before: Array = self._new(S, T, B, H) if self._apart else states[:, :T]
        self.after: Array = states[:, 1:]

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
        """The second bias, (R, H), for phases that add it themselves."""
        return self._b_hh

    @property
    def _product_scale(self) -> Array:
        """The factors (R, 1, 1) of U in U h: ½ for sigmoids, unless they come after the norm."""
        scale = self._recurrent_scale
        return scale if self.recurrent_norm is None else np.ones_like(scale)

    def recurrent_weight(self) -> Array:
        """Return U as the products want it, (R, H, H), in PyTorch's layout."""
        weight: Array = self._w_hh * self._product_scale
        return weight

    def normalise(self, product: Array, hat: Array, deviation: Array, rows: slice) -> None:
        """Turn the products of `rows` into scale · γ · x̂; see Norm."""
        assert self.recurrent_norm is not None
        self.recurrent_norm.forward(product, hat, deviation, rows)
        np.multiply(product, self._recurrent_scale[rows], out=product)

    def prepare_input(self, x: Array | None = None) -> None:
        """Take the input's weights and the biases as they are now; see `prepare`."""
        bias = self._b_ih.copy()
        for phase in self.cell.phases:
            if phase.gradient is None:  # the others add their recurrent bias themselves
                bias[phase.gates] += self._b_hh[self.cell.rows(phase)]
        self.input.prepare(bias.reshape(-1), x)

    def prepare(self, x: Array | None = None) -> None:
        """Take the weights as they are now, in the layouts that the products want.

        x: ids (T, B) of the window, if these are all that they are taken for.
        """
        self.prepare_input(x)
        into_blocks(self._w_hh.transpose(0, 2, 1), self._product_scale, self._weights)
        into_blocks(self._w_hh, np.ones_like(self._recurrent_scale), self._weights_back)

    def forward(
        self, x: Array, state: Array, borders: Borders = NO_BORDERS, initial: Array | float = 0
    ) -> Array:
        """Run the window: x (T, B) ids or (T, B, I), state (S, B, H); return h (T, B, H).

        The streams that `borders` names begin that step anew, with `initial` (S, 1, H).
        """
        self.input.forward(x, self._rows)
        self._before[:, 0] = state
        self._borders = borders
        for t, calls in enumerate(self._forward):
            if t in borders:
                self._before[:, t, borders[t]] = initial
            for call in calls:
                call()
        h: Array = self.after[0]
        return h

    def backward(self, dh_above: Array) -> tuple[Array | None, Array]:
        """Run backward: dh_above (T, B, H) is the gradient of what `forward` returned.

        Writes the gradients of the parameters; returns those of x (None for ids) and of the
        state (S, B, H). Leaves `d_initial` (S, H), the gradient of the initial state of those that
        began anew. The activations are overwritten: one backward for each forward.
        """
        dh = self._d_states[0]
        self._d_states[:] = 0
        self.d_initial[:] = 0
        for norm in (self.recurrent_norm, self.input.norm):
            if norm is not None:
                norm.d_gain[:] = 0
        for t in range(len(dh_above) - 1, -1, -1):
            np.add(dh, dh_above[t], out=dh)
            for call in self._backward[t]:
                call()
            if self._adds_up:
                np.add.reduce(self._dh_terms, axis=0, out=dh)
            if t in self._borders:  # what came before has no part in it
                anew = self._borders[t]
                self.d_initial += self._d_states[:, anew].sum(axis=1)
                self._d_states[:, anew] = 0
        return self._weight_gradients(), self._d_states.copy()

    def _weight_gradients(self) -> Array | None:
        d_gates = self._rows
        # A bias sees every row: a product with ones is the quickest sum over them.
        ones = np.ones((1, d_gates.shape[1]), self.dtype)
        np.matmul(ones, d_gates, out=self._db_ih[:, None])
        for phase, dz, d_product, operand in self._phases:
            rows = self.cell.rows(phase)
            np.matmul(d_product.transpose(0, 2, 1), operand, out=self._dw_hh[rows])
            if phase.gradient is None:
                self._db_hh[rows] = self._db_ih[phase.gates]
            else:
                np.matmul(ones, dz, out=self._db_hh[rows, None])
        return self.input.backward(d_gates)

    def _plan_forward(
        self, phases: list[Phase], t: int, step: Cell, recurrent: Array
    ) -> list[Call]:
        """Plan phases whose products share an operand, and so are one product; then their maths."""
        maths = [getattr(step, phase.forward) for phase in phases]
        rows = slice(self.cell.rows(phases[0]).start, self.cell.rows(phases[-1]).stop)
        recurrent = recurrent[rows]
        if not len(recurrent):
            return maths
        kept = phases[0].operand
        operand = self._before[0, t] if kept is None else self._kept[kept, t]
        weight, product = self._weights[rows], as_blocks(recurrent, self._forward_width)
        if len(operand) == 1:
            weight = self._side_by_side[:, rows].reshape(self.H, -1)
            product = recurrent.reshape(1, -1)
        calls: list[Call] = [partial(np.matmul, operand, weight, product)]
        if self.recurrent_norm is not None:
            hat, deviation = self._hat[rows, t], self._deviation[rows, t]
            calls.append(partial(self.normalise, recurrent, hat, deviation, rows))
        return calls + maths

    def _plan_backward(self, phase: Phase, t: int, step: Cell, d_operand: Array) -> list[Call]:
        """Plan a phase's maths, then the product that leaves the gradient of its operand."""
        calls: list[Call] = [getattr(step, phase.backward)]
        rows = self.cell.rows(phase)
        if rows.start == rows.stop:
            return calls
        dz = self.gates[phase.gates, t]
        if phase.gradient is not None:
            dz = self._kept[phase.gradient, t][None]
        if self.recurrent_norm is not None:
            hat, deviation = self._hat[rows, t], self._deviation[rows, t]
            calls.append(partial(self.recurrent_norm.backward, dz, hat, deviation, hat, rows))
            dz = hat
        # Slab 0 is the direct part; the gates follow in their order.
        product = self._products[1:][rows] if phase.operand is None else d_operand[None]
        product = as_blocks(product, self._forward_width)
        return [*calls, partial(np.matmul, dz[:, None], self._weights_back[rows], product)]

    def _phase_memory(self, phase: Phase) -> PhaseMemory:
        T, B = self.gates.shape[1:3]
        dz = self.gates[phase.gates]
        if phase.gradient is not None:
            dz = self._kept[phase.gradient : phase.gradient + 1]
        d_product = dz if self.recurrent_norm is None else self._hat[self.cell.rows(phase)]
        operand = self._before[0] if phase.operand is None else self._kept[phase.operand]
        rows = (-1, T * B, self.H)
        return PhaseMemory(
            phase, dz.reshape(rows), d_product.reshape(rows), operand.reshape(rows[1:])
        )

    def _new(self, *shape: int) -> Array:
        return aligned(shape, self.dtype)
