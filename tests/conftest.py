"""What every test may use: `import reference`, the built-in text, and tables of its own."""

import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

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


@pytest.fixture
def set_clock(monkeypatch):
    """Return what gives one module clocks of its own.

    Those of `time` are every thread's: the event loop of a server that runs for other tests would
    sleep by them for hours.
    """

    def set_clock(module, **clocks):
        own = SimpleNamespace(**{**vars(time), **clocks})
        monkeypatch.setattr(module, "time", own)

    return set_clock


@pytest.fixture(autouse=True)
def own_tables():
    """Take out of the tables what a test has registered."""
    kept = [(table, dict(table)) for table in (CELLS, OPTIMIZERS)]
    yield
    for table, there in kept:
        table.clear()
        table.update(there)


FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DARK = {"color_scheme": "dark", "viewport": {"width": 360, "height": 640}}


@pytest.fixture(scope="module")
def chromium():
    """Return Chromium, driven by Playwright; skip the test where one of them is absent."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("there is no Chromium here")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=[{}, DARK], ids=["wide and light", "narrow and dark"])
def tab(chromium, request, tmp_path):
    """Return a tab, to show `tab.file` in; that must ask for nothing else, and make no mistake."""
    context = chromium.new_context(offline=True, **request.param)
    tab = context.new_page()
    tab.file, errors = tmp_path / "page.html", []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda said: said.type == "error" and errors.append(said.text))
    tab.on("request", lambda asked: errors.append(asked.url))
    yield tab
    context.close()
    assert set(errors) == {tab.file.as_uri()}
