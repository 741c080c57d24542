"""The library computes with one BLAS thread, and leaves the user's setting as it was."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from char_rnn import CharRNN, Corpus, SampleConfig, Vocabulary
from char_rnn.analyse.dynamic import dynamic_surprisals
from char_rnn.analyse.free_running import free_running
from char_rnn.analyse.surprise import likeliest
from char_rnn.model import blas
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network
from char_rnn.model.stepper import Stepper
from char_rnn.scoring import cold_loss, surprisals

LIBRARIES = ThreadpoolController().select(user_api="blas").lib_controllers
TEXT = "the quick brown fox jumps over the lazy dog. " * 30


@pytest.fixture
def mine(monkeypatch):
    """Set a number of threads that nobody else sets, and see that it stands afterwards."""
    if not LIBRARIES:
        pytest.skip("threadpoolctl finds no BLAS here")
    # The server of other tests in this process holds a limit of its own as long as it runs.
    monkeypatch.setattr(blas, "_LIMITS", blas._Limits())
    before = [library.get_num_threads() for library in LIBRARIES]
    for library in LIBRARIES:
        library.set_num_threads(2)
    yield now()
    assert now() == [2] * len(LIBRARIES)
    for library, count in zip(LIBRARIES, before, strict=True):
        library.set_num_threads(count)


def now():
    return [library.get_num_threads() for library in LIBRARIES]


@pytest.fixture
def model():
    return CharRNN(Vocabulary(TEXT).size, 4, "gru", vocabulary=Vocabulary(TEXT))


def everything(model):
    corpus, rng = Corpus.from_text(TEXT), np.random.default_rng(0)
    model.forward([1, 2])
    model.backward([2, 3])
    surprisals(model, corpus, 0, 300)
    cold_loss(model, corpus, 0, 300, 50)
    likeliest(model, corpus, 0, 50)
    dynamic_surprisals(model, corpus, 0, 50)
    free_running(model, corpus, 300, 600, rng, length=20)
    model.sample("t", 3)
    model.sample_many(["t", "q"], 3)
    model.search("t", SampleConfig(length=3), width=2)
    session = model.session(SampleConfig(length=3))
    list(session.turn("the"))


def test_all_that_runs_a_network_has_one_thread(monkeypatch, mine, model):
    seen = []

    def spy(kind, name):
        honest = getattr(kind, name)

        def watched(self, *arguments, **named):
            seen.append(now())
            return honest(self, *arguments, **named)

        monkeypatch.setattr(kind, name, watched)

    spy(Network, "forward")
    spy(Network, "backward")
    spy(Stepper, "step")
    everything(model)
    assert len(seen) > 50 and all(counts == [1] * len(mine) for counts in seen)


def test_the_setting_stands_again_after_an_error(mine, model):
    for wrong in ([99], [[]]):
        with pytest.raises(Exception, match=r"ids must|shape"):
            model.forward(wrong)
    with pytest.raises(Exception, match="no forward before"):
        model.backward([1, 2, 3])


def test_limits_may_overlap(mine):
    """As those of two texts that are written in turns, of which the first ends first."""
    one, three = blas_threads(1), blas_threads(3)
    one.__enter__()
    three.__enter__()
    assert now() == [3] * len(mine)
    one.__exit__()
    assert now() == [3] * len(mine)
    with one, one:
        assert now() == [1] * len(mine)
    assert now() == [3] * len(mine)
    three.__exit__()


def test_threads_of_the_user_may_compute_side_by_side(mine):
    models = [CharRNN(5, 4) for _ in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda model: model.forward([1, 2]), models))


def test_libraries_are_looked_for_once_and_not_at_import(monkeypatch):
    code = "import sys, char_rnn.charrnn; sys.exit('threadpoolctl' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    with blas_threads(1):
        monkeypatch.setattr("threadpoolctl.ThreadpoolController", None)
        with blas_threads(2):
            assert blas._libraries() is blas._libraries()
