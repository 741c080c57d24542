"""One character at a time: the network as generation runs it, many streams as one batch.

A window (network.py) computes the input of all its steps at once and keeps what the backward pass
needs. Here one step follows another and nothing is kept, so all that multiplies a state h is laid
side by side and h is read once:

    y = [D; U] h    D h is what the layer above reads, or the logits; U h waits for the next step

That is one product a layer and character. The cells' maths is the same code as in training.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from char_rnn.model.cells import StepMemory
from char_rnn.model.inputs import DenseInput
from char_rnn.model.layer import Layer
from char_rnn.model.memory import aligned
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters
from char_rnn.model.products import WIDEST_BLOCK, as_blocks, block_width

Array = np.ndarray


class Stepper:
    """Runs B streams a character at a time: `begin` somewhere, then `step` as often as wanted.

    It takes the parameters as they are when it is made, and anew where `begin` is told to.
    """

    def __init__(self, parameters: Parameters, B: int = 1) -> None:
        config, self.B = parameters.config, B
        self._network = Network(parameters)
        V, H = config.vocab_size, config.hidden_size
        layers = self._network.layers
        below = [layer.G * H for layer in layers[1:]]
        self._levels = [
            _Level(layer, B, rows) for layer, rows in zip(layers, [*below, V], strict=True)
        ]
        self._logits = aligned((B, V), config.dtype)
        self._prepare()

    def _prepare(self) -> None:
        """Take the parameters as they are now."""
        parameters = self._network.parameters
        readers = [_dense(layer).rows() for layer in self._network.layers[1:]]
        readers.append(parameters["out.weight"])
        for level, reader in zip(self._levels, readers, strict=True):
            level.prepare(reader)
        self._end = parameters.config.end
        if self._end is not None:
            self.begin(self.initial_state())
            for level in self._levels:
                level.keep_beginning()
        self._out_bias = np.tile(parameters["out.bias"], (self.B, 1))

    def initial_state(self) -> Array:
        """Return the state (S, L, B, H) with which a text begins."""
        return self._network.initial_state(self.B)

    def begin(self, state: Array, fresh: bool = False) -> None:
        """Go on from `state` (S, L, B, H), which is copied.

        fresh: take the parameters as they are now; they have changed.
        """
        if fresh:
            self._prepare()
        for level, of_layer in zip(self._levels, state.swapaxes(0, 1), strict=True):
            level.begin(of_layer)

    def step(self, ids: Array) -> Array:
        """Read one character of each stream, ids (B,), and return the logits (B, V).

        The logits are valid until the next call. A stream that reads `config.end` begins anew.
        """
        if self._end is not None and np.any(anew := ids == self._end):
            for level in self._levels:
                level.begin_anew(anew)
        first, *others = self._levels
        first.look_up(ids)
        first.run()
        read = first.read
        for level in others:
            level.take(read)
            level.run()
            read = level.read
        return self.logits()

    def logits(self) -> Array:
        """Return the logits (B, V) of what follows, valid until the next call."""
        np.add(self._levels[-1].read, self._out_bias, out=self._logits)
        return self._logits

    def state(self) -> Array:
        """Return a copy of the state: (S, L, B, H)."""
        return np.stack([level.states for level in self._levels], axis=1)

    def select(self, rows: Array) -> None:
        """Let stream b go on from where stream rows[b] is, for all b at once; rows: (B,)."""
        for level in self._levels:
            level.select(rows)


class _Level:
    """One layer at one step. N: rows of what is read of it."""

    def __init__(self, layer: Layer, B: int, N: int) -> None:
        cell, G, H = layer.cell, layer.G, layer.H
        self._layer, self._B, self._N = layer, B, N
        others = [phase for phase in cell.phases if phase.operand is not None]
        R = layer.R - len(others)  # gates whose product is with h

        def new(*shape: int) -> Array:
            return aligned(shape, layer.dtype)

        self.states = new(cell.states, B, H)
        self._gates = new(G, B, H)
        # Columns of zeros between D h and U h, so that the product comes out in whole blocks.
        self._start = N + (-(N + R * H) % WIDEST_BLOCK if B > 1 else 0)  # where U h begins
        columns = self._start + R * H
        self._y = new(B, self._start + layer.R * H)
        self.read = self._y[:, :N]
        recurrent = self._y[:, self._start :].reshape(B, layer.R, H).transpose(1, 0, 2)
        kept = new(cell.kept, B, H)
        self._recurrent, self._kept = recurrent, kept
        # One stream: weights in rows, as BLAS reads them fastest beside a vector (GRU of 512
        # units: 18 instead of 23 µs). Many: in columns, cut into blocks as products.py says (10
        # streams of a GRU of 256 units: 22 instead of 52 µs).
        width, late_width = block_width(B, H, columns), block_width(B, H, H)
        self._weights = new(columns, H) if B == 1 else new(columns // width, H, width)
        self._late = new(len(others), H // late_width, H, late_width)
        step = cell(
            StepMemory(
                gates=self._gates,
                recurrent=recurrent,
                before=self.states,
                after=self.states,
                kept=kept,
                d_states=self.states,
                d_direct=self.states[0],
                d_operand=self.states[0],
                recurrent_bias=layer.recurrent_bias[:, None],
                scratch=new(cell.scratch, B, H),
                **layer.scale_and_shift(B),
            )
        )
        h, y = self.states[0], self._y[:, :columns]
        if B == 1:
            self._product: Callable[[], object] = partial(np.dot, self._weights, h[0], y[0])
        else:
            self._product = partial(np.matmul, h, self._weights, as_blocks(y[None], width)[0])
        self._calls: list[Callable[[], object]] = []
        for phase in cell.phases:
            if phase.operand is not None:
                weight = self._late[others.index(phase)]
                product = as_blocks(recurrent[cell.rows(phase)], late_width)[0]
                self._calls.append(partial(np.matmul, kept[phase.operand], weight, product))
                self._calls += self._norm(cell.rows(phase))
            self._calls.append(getattr(step, phase.forward))
        # What this state gives to the layer above, and to its own next step.
        self._after: list[Callable[[], object]] = [self._product]
        for phase in cell.phases:
            if phase.operand is None and cell.count(phase):
                self._after += self._norm(cell.rows(phase))
        self._calls += self._after
        self._others = others
        self._hat = new(layer.R, B, H)
        self._deviation = new(layer.R, B, 1)

    def _norm(self, rows: slice) -> list[Callable[[], object]]:
        layer = self._layer
        if layer.recurrent_norm is None:
            return []

        def normalise() -> None:
            # In a copy: it works on contiguous gates.
            product = self._recurrent[rows].copy()
            layer.normalise(product, self._hat[rows], self._deviation[rows], rows)
            np.copyto(self._recurrent[rows], product)

        return [normalise]

    def prepare(self, reader: Array) -> None:
        """Take the weights as they are now; reader (N, H): those of what reads this layer."""
        layer, N, start = self._layer, self._N, self._start
        recurrent = layer.recurrent_weight()
        late = [layer.cell.rows(phase).start for phase in self._others]
        rows = np.zeros((self._weights.size // layer.H, layer.H), layer.dtype)
        rows[:N] = reader
        rows[start:] = recurrent.reshape(-1, layer.H)[: len(rows) - start]
        if self._B == 1:
            self._weights[:] = rows
        else:
            self._weights[:] = _in_blocks(rows, self._weights)
        for weight, row in zip(self._late, late, strict=True):
            weight[:] = _in_blocks(recurrent[row], weight)
        layer.prepare_input()

    def begin(self, state: Array) -> None:
        """Go on from `state` (S, B, H)."""
        self.states[:] = state
        for call in self._after:
            call()

    def keep_beginning(self) -> None:
        """Let this state, and what is read of it, be where `begin_anew` goes to."""
        self._beginning = self.states[:, :1].copy(), self._y[:1].copy()

    def begin_anew(self, streams: Array) -> None:
        """Put `streams`, a mask (B,), back to the beginning that was kept."""
        self.states[:, streams], self._y[streams] = self._beginning

    def look_up(self, ids: Array) -> None:
        """Take characters, ids (B,), as the input."""
        self._layer.input.forward(ids, self._gates)

    def take(self, x: Array) -> None:
        """Take D h of the layer below, (B, G·H), as the input."""
        shape = (self._B, self._layer.G, self._layer.H)
        _dense(self._layer).finish(x.reshape(shape).transpose(1, 0, 2), self._gates)

    def run(self) -> None:
        """Compute the next state and what is read of it."""
        for call in self._calls:
            call()

    def select(self, rows: Array) -> None:
        """Let stream b go on from where stream rows[b] is."""
        # `take` needs a third of the time of an index with an array.
        self.states[:] = self.states.take(rows, 1)
        self._y[:] = self._y.take(rows, 0)


def _in_blocks(rows: Array, blocks: Array) -> Array:
    """Return the view of `rows` (columns of the product, H) that has the shape of `blocks`."""
    return rows.reshape(len(blocks), -1, rows.shape[1]).swapaxes(1, 2)


def _dense(layer: Layer) -> DenseInput:
    assert isinstance(layer.input, DenseInput)
    return layer.input
