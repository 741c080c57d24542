"""What a network has in it while it reads a text: states and gates of every step, surprisals."""

from collections.abc import Iterator

import numpy as np

from char_rnn.model.cells.rnn import RNN
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters

Array = np.ndarray

WINDOW = 100
"""Steps that are read at a time, so that the network's memory does not grow with the text."""


def states(
    parameters: Parameters, ids: Array, gates: bool = False, state: Array | None = None
) -> tuple[Array, dict[str, Array]]:
    """Return the states (S, T, L, B, H) after each of ids (T, B).

    gates: return also every gate at each of them, activated: name -> (T, L, B, H).
    state: (S, L, B, H) to begin with, the initial one if None.
    """
    network = Network(parameters)
    shape = _shape(network, ids)
    names = network.cell.gates if gates else ()
    found = np.empty((network.cell.states, *shape), parameters.flat.dtype)
    at_gates = np.empty((len(names), *shape), parameters.flat.dtype)
    kept = not issubclass(network.cell, RNN)  # its one gate is its new state, and only there
    for part in in_windows(network, ids, state):
        for k, layer in enumerate(network.layers):
            found[:, part, k] = layer.after
            if gates:
                at_gates[:, part, k] = layer.gates if kept else layer.after
    return found, dict(zip(names, at_gates, strict=True))


def surprisals(parameters: Parameters, ids: Array, start: int | None) -> Array:
    """Return −log p of each of ids (T, B) given those before it, (T, B) float64, in nats.

    start: an id that is read before all of them; None if there is none: then the first may be any
        of the V alike, log V nats.
    """
    text = ids if start is None else np.concatenate([np.full_like(ids[:1], start), ids])
    network = Network(parameters)
    nats = np.full(text.shape, np.log(parameters.config.vocab_size))
    inputs, targets, found = text[:-1], text[1:], nats[1:]
    for part in in_windows(network, inputs):
        found[part] = network.nats(targets[part])
    return nats[-len(ids) :]


def _shape(network: Network, ids: Array) -> tuple[int, int, int, int]:
    T, B = ids.shape
    return T, network.config.layers, B, network.config.hidden_size


def in_windows(
    network: Network, ids: Array, state: Array | None = None, steps: int = WINDOW
) -> Iterator[slice]:
    """Let `network` read ids (T, B); yield where each window is while its memory has it.

    state: (S, L, B, H) to begin with, the initial one if None. steps: the most of a window.
    """
    state = network.initial_state(ids.shape[1]) if state is None else state
    with network.weights_held():
        for at in range(0, len(ids), steps):
            part = slice(at, at + steps)
            network.forward(ids[part].astype(np.intp, copy=False), state)
            yield part
            state = network.state()
