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

from char_rnn.errors import UsageError
from char_rnn.model import halves
from char_rnn.model.cells import StepMemory
from char_rnn.model.inputs import CharacterInput
from char_rnn.model.layer import Layer
from char_rnn.model.memory import aligned
from char_rnn.model.parameters import Parameters
from char_rnn.model.weights import LayerWeights, Weights, dense

Array = np.ndarray
Calls = list[Callable[[], object]]
_MakesProduct = Callable[[Array, Array, Array], tuple[Calls, Calls]]
"""Of x, weights and where to: what makes the first rows of a product, and what then all of it."""


class Stepper:
    """Runs B streams a character at a time: `begin` somewhere, then `step` as often as wanted.

    It takes the parameters as they are when it is made, and anew where `begin` is told to.

    weights: of a network, or parameters, of which it then has weights of its own.
    together: how many streams are multiplied in one product, all of them if None. The bits that
        come out for a stream depend on this number, and on nothing else that there is beside it:
        B may be any multiple.
    helped: whether a second core may take half of a product, where that pays (halves.py).
    """

    def __init__(
        self,
        weights: Weights | Parameters,
        B: int = 1,
        together: int | None = None,
        helped: bool = True,
    ) -> None:
        together = B if together is None else together
        if B % together:
            raise UsageError(f"{B} streams do not come out even in products of {together}")
        self._weights = weights if isinstance(weights, Weights) else Weights(weights)
        self._parameters, self.B, self.together = self._weights.parameters, B, together
        config, layers = self._parameters.config, self._weights.layers
        V, H = config.vocab_size, config.hidden_size
        below = [layer.G * H for layer in layers[1:]]
        laid_out = [self._weights.of(k, together) for k in range(len(layers))]
        product: _MakesProduct = partial(_whole_product, together=together)
        if together == 1 and sum(each.nbytes for each in laid_out) > halves.ONE_CORE:
            product = partial(_product_in_halves, helped=helped and B == 1)
        self._levels = [
            _Level(layer, of_layer, B, N, product, last=layer is layers[-1])
            for layer, of_layer, N in zip(layers, laid_out, [*below, V], strict=True)
        ]
        self._logits = aligned((B, V), config.dtype)
        self._prepare()

    def _prepare(self) -> None:
        """Keep what follows from the weights as they are now."""
        self._end = self._parameters.config.end
        if self._end is not None:
            self.begin(self.initial_state())
            for level in self._levels:
                level.keep_beginning()
        self._out_bias = np.tile(self._parameters["out.bias"], (self.B, 1))

    def initial_state(self) -> Array:
        """Return the state (S, L, B, H) with which a text begins."""
        return self._weights.network.initial_state(self.B)

    def begin(self, state: Array, fresh: bool = False) -> None:
        """Go on from `state` (S, L, B, H), which is copied.

        fresh: take the parameters as they are now; they have changed. Steppers that share weights
            are all told so.
        """
        if fresh:
            for level in self._levels:
                level.settle()
            self._weights.renew()
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
    """One layer at one step. N: rows of what is read of it. product: makes its products.

    last: whether no layer is above it. Then the next character is drawn while a second core may
    still compute what this one gives to its own next step (`settle`).
    """

    def __init__(
        self,
        layer: Layer,
        weights: LayerWeights,
        B: int,
        N: int,
        product: _MakesProduct,
        last: bool,
    ) -> None:
        cell, G, R, H = layer.cell, layer.G, layer.R, layer.H
        self._layer = layer

        def new(*shape: int) -> Array:
            return aligned(shape, layer.dtype)

        self.states = new(cell.states, B, H)
        self._gates = new(G, B, H)
        self._y = new(B, weights.start + R * H)
        self.read = self._y[:, :N]
        recurrent = self._y[:, weights.start :].reshape(B, R, H).transpose(1, 0, 2)
        kept = new(cell.kept, B, H)
        self._recurrent = recurrent
        # Of the norms of what enters and of what recurs, one after the other.
        self._hat, self._deviation = new(max(G, R), B, H), new(max(G, R), B, 1)
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
        self._calls: Calls = []
        late = iter(weights.late)
        for phase in cell.phases:
            if phase.operand is not None:
                gate = recurrent[cell.rows(phase)][0]
                for calls in product(kept[phase.operand], next(late), gate):
                    self._calls += calls
                self._calls += self._norm(cell.rows(phase))
            self._calls.append(getattr(step, phase.forward))
        # What this state gives to the layer above, and to its own next step.
        self._after, self._rest = product(self.states[0], weights.main, self._y)
        for phase in cell.phases:
            if phase.operand is None and cell.count(phase):
                self._rest += self._norm(cell.rows(phase))
        if not last or halves.cut(len(weights.main)) < N:
            self._after, self._rest = self._after + self._rest, []
        self._settled = True

    def _norm(self, rows: slice) -> list[Callable[[], object]]:
        layer = self._layer
        if layer.recurrent_norm is None:
            return []

        hat, deviation = self._hat[rows], self._deviation[rows]

        def normalise() -> None:
            # In a copy: it works on contiguous gates.
            product = self._recurrent[rows].copy()
            layer.normalise(product, hat, deviation, rows)
            np.copyto(self._recurrent[rows], product)

        return [normalise]

    def begin(self, state: Array) -> None:
        """Go on from `state` (S, B, H)."""
        self.settle()
        self.states[:] = state
        self._give()

    def _give(self) -> None:
        """Compute what is read of this layer, and at least begin what its next step needs."""
        self._settled = False
        for call in self._after:
            call()

    def settle(self) -> None:
        """Wait until all that this state gives is there: before anything of it is touched."""
        if not self._settled:
            for call in self._rest:
                call()
            self._settled = True

    def keep_beginning(self) -> None:
        """Let this state, and what is read of it, be where `begin_anew` goes to."""
        self.settle()
        self._beginning = self.states[:, :1].copy(), self._y[:1].copy()

    def begin_anew(self, streams: Array) -> None:
        """Put `streams`, a mask (B,), back to the beginning that was kept."""
        self.settle()
        self.states[:, streams], self._y[streams] = self._beginning

    def look_up(self, ids: Array) -> None:
        """Take characters, ids (B,), as the input."""
        assert isinstance(self._layer.input, CharacterInput)
        self._layer.input.look_up(ids, self._gates)

    def take(self, x: Array) -> None:
        """Take D h of the layer below, (B, G·H), as the input."""
        G, B, H = self._gates.shape
        product = x.reshape(B, G, H).transpose(1, 0, 2)
        dense(self._layer).finish(product, self._gates, self._hat[:G], self._deviation[:G])

    def run(self) -> None:
        """Compute the next state and what is read of it."""
        self.settle()
        for call in self._calls:
            call()
        self._give()

    def select(self, rows: Array) -> None:
        """Let stream b go on from where stream rows[b] is."""
        self.settle()
        # `take` needs a third of the time of an index with an array.
        self.states[:] = self.states.take(rows, 1)
        self._y[:] = self._y.take(rows, 0)


def _whole_product(x: Array, weights: Array, out: Array, together: int) -> tuple[Calls, Calls]:
    """Return what makes a product at once."""
    return [_product(x, weights, out, together)], []


def _product_in_halves(x: Array, weights: Array, out: Array, helped: bool) -> tuple[Calls, Calls]:
    """Return what makes a product of one stream, or of several one by one, half by half."""
    cut, rows = halves.cut(len(weights)), len(weights)
    own, other = (
        _product(x, weights[half], out[:, half], 1) for half in (slice(cut), slice(cut, rows))
    )
    half = halves.Half(other, helped)
    return [half.start, own], [half.join]


def _product(x: Array, weights: Array, out: Array, together: int) -> Callable[[], object]:
    """Return what writes the product of x (B, H) and a layout of weights into columns of `out`.

    weights: (columns, H) for one stream, or (n, H, w). out: (B, columns or more).
    """
    B, H = x.shape
    if weights.ndim == 2 and B == 1:
        return partial(np.dot, weights, x[0], out[0, : len(weights)])
    if weights.ndim == 2:
        columns = out[:, : len(weights), None]
        return partial(np.matmul, weights, x[:, :, None], columns)
    n, _, w = weights.shape
    rows = x.reshape(B // together, together, H)
    blocks = out[:, : n * w].reshape(B // together, together, n, w).transpose(2, 0, 1, 3)
    return partial(np.matmul, rows, weights[:, None], blocks)
