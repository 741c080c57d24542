"""All parameters of a network in one flat array, with a named view for each.

Names, shapes and gate order are those of PyTorch's `nn.RNN`, `nn.LSTM`, `nn.GRU` and `nn.Linear`,
so that a saved model loads there with `load_state_dict`. A network that these modules cannot hold
has other names, so that none of them takes its weights and computes something else.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from char_rnn.config import ModelConfig
from char_rnn.errors import UsageError
from char_rnn.model.cells import Cell, cell_class
from char_rnn.model.memory import aligned

Array = np.ndarray

PYTORCHS = re.compile(r"(^|/)rnn\.[a-z_]+_l[0-9]+$")
"""What a recurrent parameter's name ended in before version 2 of the format."""


def apart(config: ModelConfig) -> list[str]:
    """Return what sets the network apart from PyTorch's modules: nothing, where one can hold it."""
    ways = {cell_class(config).apart: True, "layer_norm": config.layer_norm, "tied": config.tied}
    return [way for way, there in ways.items() if way and there]


def recurrent_name(config: ModelConfig, part: str, layer: int) -> str:
    """Return the name of a layer's parameter; part: `weight_ih`, `bias_hh` and so on.

    `rnn.weight_ih_l0`, as in PyTorch, or `rnn.weight_ih_l0_reset_before_tied`: what sets the
    network apart stands at the end, where it stays when the name of the module is cut off.
    """
    return "_".join([f"rnn.{part}_l{layer}", *apart(config)])


def named_as_now(tensors: Mapping[str, Array], config: ModelConfig) -> dict[str, Array]:
    """Return `tensors` with the names that they have now.

    Files of format version 1, and pickles of that time, had PyTorch's names for every network;
    they may follow others, as in `good/rnn.weight_ih_l0`.
    """
    ending = "".join(f"_{way}" for way in apart(config))
    return {
        name + ending if PYTORCHS.search(name) else name: tensor for name, tensor in tensors.items()
    }


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every parameter, in PyTorch's order."""
    V, H, L = config.vocab_size, config.hidden_size, config.layers
    cell = cell_class(config)
    shapes: dict[str, tuple[int, ...]] = {}
    for k in range(L):
        parts = cell.shapes(V if k == 0 and not config.tied else H, H, config.layer_norm)
        shapes |= {recurrent_name(config, part, k): shape for part, shape in parts.items()}
    shapes["out.weight"] = (V, H)
    shapes["out.bias"] = (V,)
    if config.initial_state == "learned":
        for name in STATE_NAMES[: cell.states]:
            shapes[name] = (L, H)
    return shapes


STATE_NAMES = ("h0", "c0")
"""The learned initial states: of every cell, and of the LSTM's cell state."""


def is_spare(name: str, cell: type[Cell]) -> bool:
    """Tell whether `name` is a bias that only repeats another one.

    PyTorch gives every layer two biases. Where they are simply added, the second one adds
    nothing: it starts at zero, training leaves it there, and it does not count as a parameter.
    """
    return name.startswith("rnn.bias_hh") and cell.adds_biases()


class Parameters(Mapping[str, Array]):
    """A mapping from parameter name to array, over one flat array.

    The flat order is: matrices, vectors, spare biases (`is_spare`). So `trained` and `matrices`
    are plain slices, and clipping, optimising and adding up gradients are flat operations.
    The arrays are live: writing into one changes the network. They start as zeros, unless `flat`
    (P,) is given, memory that another process may share.

    config: of the network.
    flat: (P,) everything.
    trained: (P',) what an optimiser updates.
    matrices: (P'',) what weight decay applies to.
    """

    def __init__(self, config: ModelConfig, flat: Array | None = None) -> None:
        shapes = parameter_shapes(config)
        cell = cell_class(config)
        self.config = config

        def rank(name: str) -> int:
            return 2 if is_spare(name, cell) else 1 if name not in _matrices(shapes) else 0

        sizes = {name: int(np.prod(shape)) for name, shape in shapes.items()}
        ends = [sum(sizes[name] for name in shapes if rank(name) <= r) for r in range(3)]
        self.flat = aligned(ends[2], config.dtype) if flat is None else flat
        self.matrices = self.flat[: ends[0]]
        self.trained = self.flat[: ends[1]]
        views: dict[str, Array] = {}
        start = 0
        for name in sorted(shapes, key=rank):
            views[name] = self.flat[start : start + sizes[name]].reshape(shapes[name])
            start += sizes[name]
        self._views = {name: views[name] for name in shapes}

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __setitem__(self, name: str, values: Array) -> None:
        """Write `values` into the array: `parameters[name] -= step` stays a view of `flat`."""
        self._views[name][...] = values

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle what is in `flat`: arrays that are copied one by one are no views."""
        return _filled, (self.config, np.array(self.flat))

    def __repr__(self) -> str:
        arrays = ", ".join(f"{name} {array.shape}" for name, array in self.items())
        return f"Parameters({self.trained.size:_} numbers: {arrays})"

    def like(self) -> "Parameters":
        """Return zeros of the same layout, for gradients."""
        return Parameters(self.config)


def _filled(config: ModelConfig, flat: Array) -> Parameters:
    parameters = Parameters(config)
    parameters.flat[:] = flat
    return parameters


def check_parameters(what: str, given: object) -> None:
    """Raise UsageError unless `given` is a Parameters; what: its name in the message."""
    if not isinstance(given, Parameters):
        raise UsageError(
            f"{what} are {type(given).__name__}; they must be Parameters, as `model.parameters` "
            "is, and what `model.backward` returns, with targets after the loss"
        )


def _matrices(shapes: dict[str, tuple[int, ...]]) -> set[str]:
    return {n for n, shape in shapes.items() if len(shape) == 2 and n not in STATE_NAMES}
