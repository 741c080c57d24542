"""Dropout: what one window of training leaves out, so that no unit can rely on another.

Every mask is drawn once a window and holds for all of its steps ("variational", Gal &
Ghahramani 2016); what stays is divided by the share that stays, so that nothing changes on
average and evaluation needs no dropout. Four places, each with a rate of its own:

input      characters: a stream does not see some of the symbols, but sees where a document begins
layer      what a layer hands to the layer above
output     what the top layer hands to the output
recurrent  single recurrent weights, the same for all streams (DropConnect: Wan et al. 2013,
           Merity et al. 2018)
"""

from typing import NamedTuple

import numpy as np

from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.errors import UsageError
from char_rnn.model.parameters import Parameters, parameter_shapes, recurrent_name

Array = np.ndarray

LEVELS = 1 << 16
"""Rates are rounded to so many levels: 16 random bits a weight are drawn in a quarter of the
time of a float."""


class Noise(NamedTuple):
    """What one window leaves out.

    symbols: (V, B), False where stream b does not see a symbol; None if it sees all.
    masks: (L, B, H), factors of what each layer hands on; None if it hands on everything.
    factors: by parameter name, what the weights are multiplied by.
    """

    symbols: Array | None
    masks: Array | None
    factors: dict[str, Array]

    def hide(self, ids: Array) -> Array:
        """Return `ids` (T, B) with V, which stands for no symbol, where a symbol is left out."""
        if self.symbols is None:
            return ids
        V, B = self.symbols.shape
        return np.where(self.symbols[ids, np.arange(B)], ids, V)

    def scale(self, parameters: Parameters) -> None:
        """Multiply the weights, or their gradients, by the factors: d(f·w) = f · d(w)."""
        for name, factor in self.factors.items():
            np.multiply(parameters[name], factor, out=parameters[name])


class Dropout:
    """Draws the noise of one window after the other."""

    def __init__(self, train: TrainConfig, model: ModelConfig, B: int) -> None:
        self._train, self._model, self._B = train, model, B
        self._recurrent = parameter_shapes(model).get(recurrent_name(model, "weight_hh", 0), ())
        if train.recurrent_dropout and not self._recurrent:
            raise UsageError(
                f"recurrent_dropout is {train.recurrent_dropout:g}, but the cell {model.cell!r} "
                "has no recurrent weights; take layer_dropout or output_dropout"
            )
        between = train.layer_dropout if model.layers > 1 else 0.0
        self._rates = [between] * (model.layers - 1) + [train.output_dropout]
        self.masks = any(self._rates)
        self.active = self.masks or train.input_dropout > 0 or train.recurrent_dropout > 0

    def draw(self, rng: np.random.Generator) -> Noise | None:
        """Return the noise of the next window, or None if there is none."""
        if not self.active:
            return None
        train, model, dtype = self._train, self._model, self._model.dtype
        symbols, masks = None, None
        factors: dict[str, Array] = {}
        if train.input_dropout:
            symbols, share = _stays(train.input_dropout, (model.vocab_size, self._B), rng)
            if model.end is not None:  # hidden, it would join two documents
                symbols[model.end] = True
            if not model.layer_norm:  # which would take any factor out again
                factors[recurrent_name(model, "weight_ih", 0)] = self._input_factors(1 / share)
        if self.masks:
            shape = (self._B, model.hidden_size)
            masks = np.stack([_factors(rate, shape, rng, dtype) for rate in self._rates])
        if train.recurrent_dropout:
            for k in range(model.layers):
                factors[recurrent_name(model, "weight_hh", k)] = _factors(
                    train.recurrent_dropout, self._recurrent, rng, dtype
                )
        return Noise(symbols, masks, factors)

    def _input_factors(self, factor: float) -> Array:
        """Return what W_ih is multiplied by: `factor`, but 1 for the symbol that always stays.

        Tied weights have no column for each symbol: there it gets the others' factor.
        """
        model = self._model
        if model.end is None or model.tied:
            return np.array(factor, model.dtype)
        factors = np.full(model.vocab_size, factor, model.dtype)
        factors[model.end] = 1
        return factors


def _stays(rate: float, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Array, float]:
    """Return what stays, as booleans, and which share stays on average."""
    threshold = min(round(rate * LEVELS), LEVELS - 1)
    drawn = rng.integers(0, LEVELS, shape, dtype=np.uint16)
    return drawn >= threshold, 1 - threshold / LEVELS


def _factors(rate: float, shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> Array:
    """Return 0 for what is left out and 1 / (share that stays) for the rest."""
    stays, share = _stays(rate, shape, rng)
    factors: Array = stays.astype(dtype)
    np.divide(factors, share, out=factors)
    return factors
