"""A product on two cores: the same bits, whoever computes which half, and nobody waits forever."""

import os
import threading
import time

import numpy as np
import pytest

from char_rnn import CharRNN
from char_rnn.model import halves
from char_rnn.model.halves import Half, Helper
from char_rnn.model.parameters import recurrent_name
from char_rnn.model.stepper import Stepper
from char_rnn.model.weights import Weights

CELLS = [("rnn", False), ("gru", False), ("gru", True), ("lstm", False)]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let weights of any size be too large for one core, let there be two, and a new helper."""
    monkeypatch.setattr(halves, "ONE_CORE", 0)
    monkeypatch.setattr(halves, "available_threads", lambda: 2)
    halves.helper.cache_clear()


def whose(helped=True):
    """Return a half that notes the thread which made its call, and its notes."""
    notes = []
    return Half(lambda: notes.append(threading.get_ident()), helped), notes


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_the_same_bits_with_and_without_help(monkeypatch, cell, reset_after):
    model = CharRNN(11, 48, cell, 2, reset_after, rng=np.random.default_rng(1))
    ids = np.random.default_rng(3).integers(11, size=(9, 1))
    served = []
    ask = Helper.ask
    monkeypatch.setattr(Helper, "ask", lambda *given: served.append(1) or ask(*given))
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


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
@pytest.mark.parametrize("hidden", [16, 96])  # the logits are in both halves, or in the first one
def test_nothing_is_touched_while_a_half_may_still_run(monkeypatch, cell, reset_after, hidden):
    """With a helper as slow as may be: each half is made at the last moment there is."""

    class Late(Half):
        pending = 0

        def start(self):
            assert not self._asked, "asked for again before it was done"
            self._asked = True
            self._found = [array.tobytes() for array in self.call.args]
            Late.pending += 1

        def join(self):
            assert self._asked, "waited for without having been asked for"
            self._asked = False
            Late.pending -= 1
            assert [array.tobytes() for array in self.call.args] == self._found
            self.call()

    V = 75
    model = CharRNN(V, hidden, cell, 2, reset_after, end=5, rng=np.random.default_rng(1))
    other = CharRNN(V, hidden, cell, 2, reset_after, end=5, rng=np.random.default_rng(2))
    recurrent = recurrent_name(model.config, "weight_hh", 1)
    at_once = Stepper(model.parameters, 3, together=1)
    monkeypatch.setattr(halves, "Half", Late)
    late = Stepper(model.parameters, 3, together=1)
    renew = Weights.renew

    def renewed(weights):
        assert weights is not late._weights or Late.pending == 0
        renew(weights)

    monkeypatch.setattr(Weights, "renew", renewed)

    def step(stepper, ids):
        logits = stepper.step(np.array(ids)).copy()
        assert stepper is at_once or Late.pending == (hidden == 96)  # while the next one is drawn
        return logits

    def change(stepper):
        stepper._parameters["out.bias"][:] = other.parameters["out.bias"]
        stepper._parameters[recurrent][:] = other.parameters[recurrent]
        stepper.begin(stepper.initial_state(), fresh=True)

    for act in (
        lambda stepper: stepper.begin(stepper.initial_state()),
        lambda stepper: step(stepper, [1, 2, 3]),
        lambda stepper: stepper.select(np.array([2, 0, 0])),
        lambda stepper: step(stepper, [4, 6, 7]),
        lambda stepper: step(stepper, [5, 8, 5]),  # two texts end
        lambda stepper: stepper.begin(stepper.state()[:, :, ::-1]),
        lambda stepper: step(stepper, [9, 9, 9]),
        change,
        lambda stepper: step(stepper, [5, 1, 2]),
    ):
        for expected, found in zip(*(_flat(act(each)) for each in (at_once, late)), strict=True):
            np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(late.logits(), at_once.logits())
        np.testing.assert_array_equal(late.state(), at_once.state())


def _flat(found):
    return [] if found is None else [found]


def test_small_models_need_no_help(monkeypatch):
    """Which sizes are halved decides over bits, so it may not depend on the machine."""
    made = []

    class Noted(Half):
        def __init__(self, call, helped):
            made.append(helped)
            super().__init__(call, False)

    monkeypatch.setattr(halves, "Half", Noted)
    parameters = CharRNN(11, 48, "gru", 2, rng=np.random.default_rng(1)).parameters
    read = 4 * 48 * (3 * 48 * 3 + 11)  # both layers' U, the upper one's W, and the output
    for limit, expected in ((read, False), (read - 1, True)):
        monkeypatch.setattr(halves, "ONE_CORE", limit)
        for given, together in (((), 1), ((3, 1), 1), ((3,), 3)):
            made.clear()
            Stepper(parameters, *given)
            assert bool(made) == (expected and together == 1)
    made.clear()
    Stepper(parameters)
    assert made and all(made)
    # Several streams are computed side by side by whoever has them, if at all.
    for given in ((3, 1), (1, 1, False)):
        made.clear()
        Stepper(parameters, *given)
        assert made and not any(made)


def test_the_call_is_made_while_its_owner_does_something_else():
    here, there = threading.Event(), threading.Event()

    def call():
        there.set()
        assert here.wait(20)

    half = Half(call, True)
    half.start()
    assert there.wait(20)
    here.set()
    half.join()


def test_join_waits_until_it_is_done():
    done = []
    half = Half(lambda: (time.sleep(0.1), done.append(1)), True)
    for n in (1, 2):
        half.start()
        half.join()
        assert len(done) == n


@pytest.mark.parametrize("why", ["not helped", "one core", "busy"])
def test_who_gets_no_help_makes_the_call(monkeypatch, why):
    release = threading.Event()
    busy = Half(lambda: release.wait(20), True)
    if why == "one core":
        monkeypatch.setattr(halves, "available_threads", lambda: 1)
    if why == "busy":
        busy.start()
    half, notes = whose(helped=why != "not helped")
    half.start()
    assert notes == [threading.get_ident()]
    half.join()
    assert len(notes) == 1
    if why == "busy":
        release.set()
        busy.join()
        half.start()
        half.join()
        assert notes[1] != threading.get_ident()


def test_an_error_comes_out_once_and_the_helper_serves_again():
    numbers, notes = [0, 1], []
    half = Half(lambda: (1 / numbers.pop(0), notes.append(threading.get_ident())), True)
    half.start()
    with pytest.raises(ZeroDivisionError):
        half.join()
    half.join()
    half.start()
    half.join()
    assert len(notes) == 1 and notes != [threading.get_ident()]


class Interrupted:
    """A lock with Ctrl-C right before or right after what is done with it."""

    def __init__(self, lock, when):
        self.lock, self.when = lock, when

    def _at(self, moment):
        if moment == self.when:
            self.when = None
            raise KeyboardInterrupt

    def release(self):
        self._at("before")
        self.lock.release()
        self._at("after")

    def acquire(self, blocking=True, timeout=-1):
        self._at("before")
        found = self.lock.acquire(blocking, timeout)
        self._at("after")
        return found


@pytest.mark.parametrize("lock", ["_free", "_asked"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_while_it_asks_leaves_another_helper_for_the_next(lock, when, monkeypatch):
    monkeypatch.setattr(halves, "PATIENCE", 0.1)
    helper = halves.helper()
    half, notes = whose()
    own = Interrupted(getattr(helper, lock), None)
    monkeypatch.setattr(helper, lock, own)
    own.when = when
    with pytest.raises(KeyboardInterrupt):
        half.start()
    half.join()  # whether anyone was asked is not known
    assert notes == ([] if (lock, when) != ("_asked", "after") else notes[:1])
    assert halves.helper() is not helper
    for n in (1, 2):
        half.start()
        half.join()
        assert notes[-n:] != [threading.get_ident()] * n


@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_while_it_waits_still_lets_it_be_joined(when, monkeypatch):
    monkeypatch.setattr(halves, "PATIENCE", 0.5)
    done, begun, go = [], threading.Event(), threading.Event()

    def call():
        begun.set()
        assert go.wait(20)
        done.append(1)

    half = Half(call, True)
    half.start()
    assert begun.wait(20)
    half.done = Interrupted(half.done, when)  # of which the helper knows nothing
    go.set()
    with pytest.raises(KeyboardInterrupt):
        half.join()
    half.join()
    assert done == [1]
    half.start()
    half.join()
    assert done == [1, 1]


def test_many_threads_share_one():
    wrong = []

    def use(seed):
        rng = np.random.default_rng(seed)
        weights, x, out = rng.random((64, 32)), rng.random(32), np.empty(64)
        half = Half(lambda: np.dot(weights[32:], x, out[32:]), True)
        for _ in range(300):
            out[:] = 0
            half.start()
            np.dot(weights[:32], x, out[:32])
            half.join()
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
def test_a_forked_process_has_a_helper_of_its_own():
    half, notes = whose()
    half.start()
    half.join()
    half.start()
    child = os.fork()
    if child == 0:
        me = threading.get_ident()
        half.join()  # nobody is there to make it
        joined = notes[-1] == me
        half.start()
        half.join()
        os._exit(0 if joined and notes[-1] != me else 1)
    half.join()
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
