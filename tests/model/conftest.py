"""Every test of cells runs over the worked example, too."""

import pytest

from char_rnn.lab.min_gru import MinGRU
from char_rnn.tables import CELLS


@pytest.fixture(autouse=True)
def worked_example(own_tables):
    """Put the minGRU into the table, unless the recipe has been followed."""
    CELLS.setdefault("mingru", MinGRU)
