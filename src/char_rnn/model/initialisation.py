"""Ways to fill the parameters of a new network, by name.

Biases start at zero, except the LSTM's forget gate at 1 (Gers et al. 2000; Jozefowicz et al. 2015):
a new LSTM remembers. Gains of layer normalisation start at 1. `uniform` is PyTorch's default and
draws the biases too.
"""

import numpy as np

from char_rnn.model.cells import cell_class
from char_rnn.model.parameters import STATE_NAMES, Parameters, is_spare, recurrent_name

Array = np.ndarray


def initialise_(parameters: Parameters, rng: np.random.Generator) -> None:
    """Fill `parameters` in place by `config.init`; learned initial states start at zero."""
    config = parameters.config
    cell = cell_class(config)
    H = config.hidden_size
    for name, array in parameters.items():
        if name in STATE_NAMES or is_spare(name, cell):
            continue
        if name.startswith("rnn.norm"):
            array[:] = 1
        elif config.init == "uniform":
            array[:] = rng.uniform(-1, 1, array.shape) / np.sqrt(H)
        elif array.ndim == 2:
            gates = array.reshape(-1, H, array.shape[1]) if name.startswith("rnn") else array[None]
            for gate in gates:
                gate[:] = _matrix(name, gate.shape, config.init, rng)
    for layer in range(config.layers):
        biases = parameters[recurrent_name(config, "bias_ih", layer)].reshape(-1, H)
        for gate, value in cell.first_bias.items():
            biases[cell.gates.index(gate)] = value


def _matrix(name: str, shape: tuple[int, int], init: str, rng: np.random.Generator) -> Array:
    if init == "normal":
        return 0.01 * rng.standard_normal(shape)
    if name.startswith("rnn.weight_hh"):
        return orthogonal(shape[0], rng)
    return glorot(shape, rng)


def orthogonal(size: int, rng: np.random.Generator) -> Array:
    """Return a random orthogonal matrix, uniformly distributed (Saxe et al. 2014)."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    signed: Array = q * np.sign(np.diagonal(r))
    return signed


def glorot(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return uniform values in ±√(6 / (rows + columns)) (Glorot & Bengio 2010)."""
    limit = np.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape)
