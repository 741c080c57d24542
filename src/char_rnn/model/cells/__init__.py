"""The cells, one file each; `tables.CELLS` has their names."""

from char_rnn.config import ModelConfig
from char_rnn.model.cells.base import Cell, Phase, StepMemory
from char_rnn.tables import CELLS, find

__all__ = ["Cell", "Phase", "StepMemory", "cell_class"]


def cell_class(config: ModelConfig) -> type[Cell]:
    """Return the cell that `config` asks for, in the form that it asks for."""
    named: type[Cell] = find(CELLS, "cell", config.cell)
    return named.form(config)
