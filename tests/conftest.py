"""What every test may use: `import reference`, the built-in text, and tables of its own."""

import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from char_rnn.tables import CELLS, OPTIMIZERS

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))  # --import-mode=importlib adds nothing by itself


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Keep BLAS to one thread: on a busy machine, several wait for each other in small products.

    Whoever says how many threads it takes, and every process of its own, has them all the same.
    """
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(scope="session")
def shakespeare() -> Path:
    """Return the path of tiny-shakespeare, or skip the test where it is absent."""
    path = TESTS.parents[1] / "shared" / "data" / "shakespeare.txt"
    if not path.is_file():
        pytest.skip("../shared/data/shakespeare.txt is not here")
    return path


@pytest.fixture(autouse=True)
def own_tables():
    """Take out of the tables what a test has registered."""
    kept = [(table, dict(table)) for table in (CELLS, OPTIMIZERS)]
    yield
    for table, there in kept:
        table.clear()
        table.update(there)
