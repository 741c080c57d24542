"""Worker processes: that they end with their run, and that their death loses nothing."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from char_rnn import CharRNN
from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.errors import WorkerDied
from char_rnn.model.parameters import Parameters
from char_rnn.runs.run import Run
from char_rnn.training import parallel
from char_rnn.training.events import Checkpoint, Step
from char_rnn.training.parallel import Workers, worker_count
from char_rnn.training.trainer import Trainer

TEXT = "the quick brown fox jumps over the lazy dog.\n" * 40
CONFIG = TrainConfig(
    batch_size=8, seq_length=10, iterations=12, threads=2, eval_every=0, sample_every=0
)


@pytest.fixture(autouse=True)
def _workers_for_small_networks(monkeypatch):
    monkeypatch.setattr(parallel, "SMALLEST_SLICE", 1)


def trainer(config=CONFIG):
    corpus = Corpus.from_text(TEXT)
    model = CharRNN(
        corpus.vocabulary.size, 16, "lstm", rng=np.random.default_rng(0),
        vocabulary=corpus.vocabulary, initial_state="random",
    )  # fmt: skip
    return Trainer(model, corpus, config)


def weights_after(config):
    made = trainer(config)
    list(made)
    return made.model.parameters.flat


def test_the_same_count_gives_the_same_bits_and_another_count_nearly_so():
    one, two, again = (
        weights_after(dataclasses.replace(CONFIG, threads=count)) for count in (1, 2, 2)
    )
    np.testing.assert_array_equal(two, again)
    assert not np.array_equal(one, two)
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_a_worker_that_dies_ends_the_run_with_its_state_saved(monkeypatch, tmp_path):
    started = spy(monkeypatch)
    corpus = Corpus.from_text(TEXT)
    model = ModelConfig(corpus.vocabulary.size, 16, "lstm", initial_state="random")
    whole = Run.create(tmp_path / "whole", model, CONFIG, corpus)
    list(whole.follow(whole.trainer(corpus)))
    run = Run.create(tmp_path / "run", model, CONFIG, corpus)
    events = []
    with pytest.raises(WorkerDied, match=r"exit code .*--threads 1"):
        for event in run.follow(run.trainer(corpus)):
            events.append(event)
            if isinstance(event, Step) and event.iteration == 5:
                started[-1].kill()
                started[-1].wait()
    assert isinstance(events[-1], Checkpoint)
    assert events[-1].iteration == 5
    run = Run.open(tmp_path / "run")
    list(run.follow(run.trainer(corpus)))
    last = [CharRNN.load(r.folder / "last.safetensors").parameters.flat for r in (whole, run)]
    np.testing.assert_array_equal(*last)


def spy(monkeypatch):
    """Return a list to which every process that is started from now on is appended."""
    started, honest = [], subprocess.Popen

    def popen(*arguments, **settings):
        started.append(honest(*arguments, **settings))
        return started[-1]

    monkeypatch.setattr(parallel.subprocess, "Popen", popen)
    return started


def test_no_worker_outlives_its_run(monkeypatch):
    started = spy(monkeypatch)
    list(trainer())
    stopped = iter(trainer())
    next(stopped)
    stopped.close()
    assert [process.returncode for process in started] == [0, 0]


def test_no_worker_outlives_a_killed_process(tmp_path):
    script = """
import time
from char_rnn.config import ModelConfig
from char_rnn.model.parameters import Parameters
from char_rnn.training.parallel import Workers
config = ModelConfig(5, 4)
workers = Workers(Parameters(config), 2, 3, 4)
print(workers._processes[0]._process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        pid = int(process.stdout.readline())
        assert alive(pid)
        process.kill()
    until = time.monotonic() + 20
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(pid)


def alive(pid):
    if sys.platform != "linux":
        pytest.skip("looks into /proc")
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_a_worker_leaves_signals_to_the_process_that_can_save():
    config = ModelConfig(5, 4)
    ids = np.zeros((3, 4), np.int64)
    with Workers(Parameters(config), 2, 3, 4) as workers:
        state = workers.initial_state(4, np.random.default_rng(0))
        workers.step(ids, ids, state)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            workers._processes[0]._process.send_signal(number)
        workers.step(ids, ids, state)


def test_a_worker_that_cannot_start_is_told(monkeypatch):
    monkeypatch.setattr(parallel.sys, "executable", "/no/such/python")
    config = ModelConfig(5, 4)
    with pytest.raises(WorkerDied, match="--threads 1"):
        Workers(Parameters(config), 2, 3, 4)


def test_a_worker_that_fails_says_why():
    config = ModelConfig(5, 4)
    with Workers(Parameters(config), 2, 3, 4) as workers:
        workers._shared["targets"][:] = 99
        workers._processes[0].send(b"\1")
        with pytest.raises(WorkerDied, match="IndexError"):
            workers._processes[0].receive()


def test_small_work_is_not_shared_out(monkeypatch):
    monkeypatch.undo()
    assert worker_count(2, 50, 64, 300_000, "rnn") == 2
    assert worker_count(16, 50, 9, 300_000, "rnn") == 4
    assert worker_count(16, 50, 3, 300_000, "rnn") == 1
    assert worker_count(2, 10, 4, 1_000, "rnn") == 1
    monkeypatch.setattr(parallel.sys, "executable", "")
    assert worker_count(2, 50, 64, 300_000, "rnn") == 1
