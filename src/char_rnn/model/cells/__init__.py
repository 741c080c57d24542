"""The cells, one file each, and the table of them."""

from char_rnn.config import ModelConfig
from char_rnn.model.cells.base import Cell, Phase, StepMemory
from char_rnn.model.cells.gru import GRUResetAfter, GRUResetBefore
from char_rnn.model.cells.lstm import LSTM
from char_rnn.model.cells.rnn import RNN

__all__ = ["CELLS", "Cell", "Phase", "StepMemory", "cell_class"]

CELLS: dict[tuple[str, bool], type[Cell]] = {
    ("rnn", False): RNN,
    ("lstm", False): LSTM,
    ("gru", False): GRUResetBefore,
    ("gru", True): GRUResetAfter,
}
"""Every cell by its name and `reset_after`."""


def cell_class(config: ModelConfig) -> type[Cell]:
    """Return the cell that `config` asks for."""
    return CELLS[config.cell, bool(config.reset_after)]
