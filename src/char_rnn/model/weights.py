"""The parameters as steppers multiply with them: one copy for as many steppers as there are."""

from dataclasses import dataclass

import numpy as np

from char_rnn.model.inputs import DenseInput
from char_rnn.model.layer import Layer
from char_rnn.model.memory import aligned
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters
from char_rnn.model.products import WIDEST_BLOCK, block_width

Array = np.ndarray


class Weights:
    """What steppers of one network share, however many streams each of them has.

    A layout is made when the first stepper needs it: weights in rows for one stream, and for more
    of them one or two widths of blocks (products.py). So steppers that share weights are made one
    at a time; they may run side by side.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        # It never runs, so its gradients are never touched, and the system has no memory in them.
        self.network = Network(parameters)
        self._made: dict[tuple[int, ...], LayerWeights] = {}
        for layer in self.layers:
            layer.prepare_input()

    @property
    def layers(self) -> list[Layer]:
        """The layers; how a stepper may use one: its input's weights, and what it is."""
        return self.network.layers

    def of(self, k: int, together: int) -> "LayerWeights":
        """Return those of layer `k` for products of so many streams."""
        layer, N = self.layers[k], len(self._reader(k))
        late = [layer.cell.rows(p).start for p in layer.cell.phases if p.operand is not None]
        R, H = layer.R - len(late), layer.H  # gates whose product is with h
        # Columns of zeros between D h and U h, so that the product comes out in whole blocks.
        start = N + (-(N + R * H) % WIDEST_BLOCK if together > 1 else 0)
        columns = start + R * H
        width, late_width = block_width(together, H, columns), block_width(together, H, H)
        # One stream: weights in rows, as BLAS reads them fastest beside a vector (GRU of 512
        # units: 18 instead of 23 µs). Many: in columns, cut into blocks as products.py says (10
        # streams of a GRU of 256 units: 22 instead of 52 µs).
        shape: tuple[int, ...] = (columns, H)
        late_shape: tuple[int, ...] = (H, H)
        if together > 1:
            shape = (columns // width, H, width)
            late_shape = (H // late_width, H, late_width)
        key = (k, start, *shape, *late_shape)
        if key not in self._made:
            self._made[key] = made = LayerWeights(
                start,
                aligned(shape, layer.dtype),
                aligned((len(late), *late_shape), layer.dtype),
                late,
            )
            made.fill(self._reader(k), layer.recurrent_weight())
        return self._made[key]

    def renew(self) -> None:
        """Take the parameters as they are now."""
        for layer in self.layers:
            layer.prepare_input()
        for (k, *_), made in self._made.items():
            made.fill(self._reader(k), self.layers[k].recurrent_weight())

    def _reader(self, k: int) -> Array:
        """Return the weights (N, H) of what reads layer `k`: the layer above, or the output."""
        if k + 1 == len(self.layers):
            return self.parameters["out.weight"]
        return dense(self.layers[k + 1]).rows()


@dataclass(frozen=True)
class LayerWeights:
    """What multiplies one layer's h, [D; U], in the layout that some number of streams wants.

    start: the row at which U begins. main: (rows, H), or cut into blocks (n, H, w).
    late: (gates, …), each in the same way, those of U that multiply something else than h.
    gates: which of U's these are.
    """

    start: int
    main: Array
    late: Array
    gates: list[int]

    def fill(self, reader: Array, recurrent: Array) -> None:
        """Write the weights `reader` (N, H) and `recurrent` (R, H, H) into the layout."""
        H = recurrent.shape[-1]
        rows = np.zeros((self.main.size // H, H), self.main.dtype)
        rows[: len(reader)] = reader
        rows[self.start :] = recurrent.reshape(-1, H)[: len(rows) - self.start]
        self.main[:] = _laid_out(rows, self.main)
        for weight, gate in zip(self.late, self.gates, strict=True):
            weight[:] = _laid_out(recurrent[gate], weight)

    @property
    def nbytes(self) -> int:
        """What one character reads."""
        return self.main.nbytes + self.late.nbytes


def dense(layer: Layer) -> DenseInput:
    """Return the input of a layer that stands on another one."""
    assert isinstance(layer.input, DenseInput)
    return layer.input


def _laid_out(rows: Array, blocks: Array) -> Array:
    """Return the view of `rows` (columns of the product, H) that has the shape of `blocks`."""
    return rows if blocks.ndim == 2 else rows.reshape(len(blocks), -1, rows.shape[1]).swapaxes(1, 2)
