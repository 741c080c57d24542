"""What every test may use: `import reference`, and the built-in text."""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS))  # --import-mode=importlib adds nothing by itself


@pytest.fixture(scope="session")
def shakespeare() -> Path:
    """Return the path of tiny-shakespeare, or skip the test where it is absent."""
    path = TESTS.parents[1] / "shared" / "data" / "shakespeare.txt"
    if not path.is_file():
        pytest.skip("../shared/data/shakespeare.txt is not here")
    return path
