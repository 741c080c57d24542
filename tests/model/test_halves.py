"""A product on two cores: the same bits, whoever computes which half, and nobody waits forever."""

import os
import threading
import time

import numpy as np
import pytest

from char_rnn import CharRNN
from char_rnn.model import halves
from char_rnn.model.halves import Pair
from char_rnn.model.stepper import Stepper


@pytest.fixture
def small(monkeypatch):
    """Let weights of any size be too large for one core, and let there be two."""
    monkeypatch.setattr(halves, "ONE_CORE", 0)
    monkeypatch.setattr(halves, "available_threads", lambda: 2)


@pytest.mark.parametrize(
    ("cell", "reset_after"), [("rnn", False), ("gru", False), ("gru", True), ("lstm", False)]
)
def test_the_same_bits_with_and_without_help(small, monkeypatch, cell, reset_after):
    model = CharRNN(11, 48, cell, 2, reset_after, rng=np.random.default_rng(1))
    ids = np.random.default_rng(3).integers(11, size=(9, 1))
    served = []
    run = Pair.run
    monkeypatch.setattr(Pair, "run", lambda *given: (served.append(1), run(*given)))
    steppers = [Stepper(model.parameters, helped=helped) for helped in (False, True)]
    for stepper in steppers:
        stepper.begin(stepper.initial_state())
    assert served
    window, _ = model.forward(ids)
    beside = Stepper(model.parameters, 3, together=1)
    beside.begin(beside.initial_state())
    for t in range(9):
        alone, helped = (stepper.step(ids[t]) for stepper in steppers)
        np.testing.assert_array_equal(alone, helped)
        np.testing.assert_array_equal(beside.step(np.repeat(ids[t], 3)), np.repeat(helped, 3, 0))
        np.testing.assert_allclose(helped, window[t], atol=1e-5)


def test_small_models_need_no_help(monkeypatch):
    """Which sizes are halved decides over bits, so it may not depend on the machine."""
    called = []
    monkeypatch.setattr(halves, "halved", lambda *given: called.append(given) or (lambda: None))
    parameters = CharRNN(11, 48, "gru", 2, rng=np.random.default_rng(1)).parameters
    read = 4 * 48 * (3 * 48 * 3 + 11)  # both layers' U, the upper one's W, and the output
    for limit, expected in ((read, False), (read - 1, True)):
        monkeypatch.setattr(halves, "ONE_CORE", limit)
        for given, together in (((), 1), ((3, 1), 1), ((3,), 3)):
            called.clear()
            Stepper(parameters, *given)
            assert bool(called) == (expected and together == 1)
    # Several streams are computed side by side by whoever has them, if at all.
    Stepper(parameters, 3, 1)
    assert not any(helped for *_, helped in called)
    called.clear()
    Stepper(parameters, helped=False)
    assert called and not any(helped for *_, helped in called)


def test_two_halves_run_side_by_side():
    pair, here, there = Pair(), threading.Event(), threading.Event()

    def own():
        here.set()
        assert there.wait(20)

    def other():
        there.set()
        assert here.wait(20)

    pair.run(own, other)


def test_who_comes_while_it_serves_computes_both():
    pair, order = Pair(), []
    me = threading.get_ident()

    def within():
        pair.run(lambda: order.append("own"), lambda: order.append(threading.get_ident()))

    pair.run(within, lambda: time.sleep(0.05))
    assert order == ["own", me]
    pair.run(lambda: None, lambda: order.append(threading.get_ident()))
    assert order[-1] != me


@pytest.mark.parametrize("which", ["own", "other"])
def test_an_error_of_either_half_comes_out_and_it_serves_again(which):
    pair, done = Pair(), []

    def fails():
        raise KeyboardInterrupt

    def works():
        time.sleep(0.05)
        done.append(1)

    with pytest.raises(KeyboardInterrupt):
        pair.run(*((fails, works) if which == "own" else (works, fails)))
    assert done == [1]  # nothing still writes
    pair.run(works, works)
    assert len(done) == 3


@pytest.mark.parametrize("when", ["before it asks", "after the answer"])
def test_ctrl_c_at_the_worst_moment_leaves_another_thread_for_the_next(when, monkeypatch):
    class Interrupted:
        """A lock with Ctrl-C right before it is released, or right after it was taken."""

        def __init__(self, lock):
            self.lock = lock

        def release(self):
            if when == "before it asks":
                raise KeyboardInterrupt
            self.lock.release()

        def acquire(self, timeout=-1):
            found = self.lock.acquire(timeout=timeout)
            if timeout < 0:
                raise KeyboardInterrupt
            return found

    monkeypatch.setattr(halves, "PATIENCE", 0.1)
    halves.pair.cache_clear()
    pair, done = halves.pair(), []
    name = "_asked" if when == "before it asks" else "_answered"
    monkeypatch.setattr(pair, name, Interrupted(getattr(pair, name)))
    with pytest.raises(KeyboardInterrupt):
        pair.run(lambda: None, lambda: done.append(1))
    assert done == ([] if when == "before it asks" else [1])
    assert halves.pair() is not pair
    halves.pair().run(lambda: None, lambda: done.append(2))
    assert done[-1] == 2


def test_many_threads_share_one():
    pair, wrong = Pair(), []

    def use(seed):
        rng = np.random.default_rng(seed)
        weights, x = rng.random((64, 32)), rng.random(32)
        for _ in range(300):
            out = np.zeros(64)
            pair.run(
                lambda out=out: np.dot(weights[:32], x, out[:32]),
                lambda out=out: np.dot(weights[32:], x, out[32:]),
            )
            if not np.allclose(out, weights @ x):
                wrong.append(seed)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and not any(thread.is_alive() for thread in threads)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_has_a_thread_of_its_own():
    halves.pair().run(lambda: None, lambda: None)
    child = os.fork()
    if child == 0:
        out = []
        halves.pair().run(lambda: None, lambda: out.append(threading.get_ident()))
        os._exit(0 if out and out[0] != threading.get_ident() else 1)
    for _ in range(400):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the forked process waits for a thread that it does not have")
    assert os.waitstatus_to_exitcode(status) == 0
