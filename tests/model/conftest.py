"""Every test of cells runs over the worked example, too."""

import pytest
from min_gru import MinGRU

import char_rnn


@pytest.fixture(autouse=True)
def worked_example(own_tables):
    """Register the minGRU, as a notebook would."""
    char_rnn.register_cell("mingru", MinGRU)
