"""Runs on several ranks, as a user starts them: mpiexec -n N char-rnn train."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from launching import Launched, entry, on_ranks
from safetensors.numpy import load_file

import char_rnn
from char_rnn.runs.run import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")

SMALL = ("--hidden_size", 40, "--batch_size", 18, "--seq_length", 25, "--sample_every", 0)
LONG = (*SMALL, "--iterations", 1_000_000, "--eval_every", 40)


@pytest.fixture
def text(tmp_path):
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefgh"), 4)) for _ in range(50)]
    lines = [" ".join(rng.choice(words, 8)) for _ in range(600)]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines))
    return path


def train(*options):
    return entry("train", "text.txt", *options)


def assert_same(one, other):
    """Fail unless two runs have come to the same bits."""
    for name in ("model.safetensors", "last.safetensors"):
        ours, theirs = load_file(one / name), load_file(other / name)
        assert ours.keys() == theirs.keys()
        for key in ours:
            np.testing.assert_array_equal(ours[key], theirs[key], key)
    curves = [Run.open(run).curves.val_loss for run in (one, other)]
    assert curves[0].y == curves[1].y != []
    assert curves[0].iterations == curves[1].iterations


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_n_ranks_of_one_thread_are_one_process_of_n_threads(ranks, text, tmp_path):
    options = (
        *SMALL, "--iterations", 30, "--eval_every", 10, "--layers", 2, "--cell", "lstm",
        *("--output_dropout", 0.2, "--recurrent_dropout", 0.1, "--average", 0.9, "--reset", 0.1),
    )  # fmt: skip
    code, out, err = on_ranks(
        ranks, *train(*options, "--threads", 1, "--out", "many"), cwd=tmp_path
    )
    assert (code, err) == (0, "")
    assert out.count("Architecture:") == 1
    alone = subprocess.run(
        train(*options, "--threads", ranks, "--out", "one"), cwd=tmp_path, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert f"{ranks} thread" in alone.stdout
    assert_same(tmp_path / "many", tmp_path / "one")
    assert {path.name for path in tmp_path.iterdir()} == {"many", "one", "text.txt"}


def test_minutes_are_planned_by_rank_0_and_kept_by_all(text, tmp_path):
    code, out, err = on_ranks(2, *train("--minutes", 0.04, "--out", "run"), cwd=tmp_path)
    assert err == ""
    assert code in (0, 1)  # 1: nothing was learned in so short a time
    assert "on each of 2 ranks" in out
    assert Run.open(tmp_path / "run").curves.loss.iterations[-1] > 1


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (["--hidden_siz", 8], 2, "No such option"),
        (["--batch_size", 1], 2, "2 ranks cannot share a batch of 1"),
        (["--out", "text.txt"], 1, "cannot make a run folder"),
        (["--learning_rate", "nan"], 2, "learning_rate"),
    ],
)
def test_a_mistake_is_told_once(change, code, said, text, tmp_path):
    found, _, err = on_ranks(2, *train(*SMALL, "--iterations", 2, *change), cwd=tmp_path)
    assert found == code
    assert err.count(said) == 1
    assert "Traceback" not in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (["text.txt"], ["other.txt"], "the options must be the same on all ranks, and rank 1 on"),
        (["a/text.txt"], ["b/text.txt"], "the text must be the same"),
        (["a/text.txt"], ["c/text.txt"], "rank 1 on"),
    ],
)
def test_ranks_that_do_not_fit_end_with_one_line(first, second, said, text, tmp_path):
    for name, more in (("a", ""), ("b", "more")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text.txt").write_text(text.read_text() + more)
    (tmp_path / "c").mkdir()
    commands = []
    for (name,) in (first, second):
        folder, _, file = name.rpartition("/")
        inside = f"import os, sys; os.chdir({str(tmp_path / folder)!r}); " + (
            f"sys.argv = ['char-rnn', 'train', {file!r}, '--iterations', '2', '--out', "
            f"{str(tmp_path / 'run')!r}]; from char_rnn.cli.main import main; main()"
        )
        commands.append([sys.executable, "-c", inside])
    code, _, err = on_ranks(commands, cwd=tmp_path)
    assert code == 1
    assert len(err.splitlines()) == 1
    assert said in err
    assert not (tmp_path / "run").exists()


VERSION = """
import sys
import char_rnn
if {other}:
    char_rnn.__version__ = "0.0.1"
sys.argv = ["char-rnn", "train", "text.txt", "--iterations", "2", "--out", "run"]
from char_rnn.cli.main import main
main()
"""


def test_other_versions_end_with_one_line(text, tmp_path):
    commands = [[sys.executable, "-c", VERSION.format(other=other)] for other in (False, True)]
    code, _, err = on_ranks(commands, cwd=tmp_path)
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "versions must be the same" in err
    assert "0.0.1" in err


def begun(tmp_path, *options, hang=60.0):
    """Return a run that has saved something."""
    launched = Launched(2, *train(*LONG, *options, "--out", "run"), cwd=tmp_path, hang=hang)
    launched.until((tmp_path / "run" / "last.safetensors").exists)
    return launched


def goes_on(tmp_path):
    """Fail unless the run goes on from what was saved."""
    run = Run.open(tmp_path / "run")
    at = run.curves.loss.iterations[-1]
    char_rnn.resume(run, iterations=at + 20, progress=False)
    assert run.curves.loss.iterations[-1] == at + 20


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_is_killed_ends_the_run(rank, text, tmp_path):
    launched = begun(tmp_path)
    os.kill(launched.ranks()[rank], signal.SIGKILL)
    code, _, err = launched.wait(10)
    launched.check_gone()
    assert code != 0
    ours = [line for line in err.splitlines() if line.startswith("char-rnn")]
    assert len(ours) == 1
    assert "a rank was killed" in ours[0]
    assert "mpiexec -n 2 char-rnn train --resume run" in ours[0]
    goes_on(tmp_path)


def test_a_run_goes_on_on_ranks(text, tmp_path):
    subprocess.run(
        train(*SMALL, "--iterations", 20, "--eval_every", 10, "--threads", 1, "--out", "run"),
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    command = ("train", "--resume", "run", "--iterations", 40)
    code, out, err = on_ranks(2, *entry(*command), cwd=tmp_path)
    assert err == ""
    assert code in (0, 1)
    assert "Going on with run at iteration 20" in out
    assert "1 + 1 on 2 ranks, before 1: the run goes on, but not to the same bits" in out
    assert Run.open(tmp_path / "run").curves.loss.iterations[-1] == 40
    code, _, err = on_ranks(2, *entry(*command), cwd=tmp_path)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "run is finished" in err


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_hangs_ends_the_run(rank, text, tmp_path):
    launched = begun(tmp_path, hang=2)
    os.kill(launched.ranks()[rank], signal.SIGSTOP)
    code, _, err = launched.wait(30)
    launched.check_gone()
    assert code != 0
    assert err.count(f"rank {rank} on ") == 1
    assert "has not answered for 2 seconds" in err
    assert "Traceback" not in err
    goes_on(tmp_path)


def test_a_worker_that_is_killed_ends_the_run_with_its_last_step(text, tmp_path):
    launched = begun(tmp_path, "--threads", 2, "--hidden_size", 128)
    workers = launched.processes("char_rnn.training.worker")
    assert len(workers) == 2
    os.kill(workers[1], signal.SIGKILL)
    code, _, err = launched.wait(30)
    launched.check_gone()
    assert code == 1
    assert "a worker process of rank" in err
    assert "Traceback" not in err
    goes_on(tmp_path)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_to_the_launcher_saves(number, code, text, tmp_path):
    launched = begun(tmp_path)
    launched.process.send_signal(number)
    found, out, _ = launched.wait(15)
    launched.check_gone()
    assert found == code
    assert out.count("Stopped and saved at iteration") == 1
    assert "mpiexec -n 2 char-rnn train --resume run" in out
    goes_on(tmp_path)


def test_interrupted_on_two_ranks_and_gone_on_with_in_one_process_is_uninterrupted(text, tmp_path):
    options = (*SMALL, "--iterations", 400, "--eval_every", 40)
    whole = train(*options, "--threads", 2, "--out", "whole")
    subprocess.run(whole, cwd=tmp_path, check=True, capture_output=True)
    launched = Launched(2, *train(*options, "--threads", 1, "--out", "run"), cwd=tmp_path)
    launched.until((tmp_path / "run" / "last.safetensors").exists)
    os.kill(launched.ranks()[1], signal.SIGKILL)
    launched.wait(15)
    assert Run.open(tmp_path / "run").curves.loss.iterations[-1] < 400
    again = subprocess.run(
        entry("train", "--resume", "run", "--threads", 2), cwd=tmp_path, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert "not to the same bits" not in again.stdout
    assert_same(tmp_path / "run", tmp_path / "whole")


IN_PYTHON = """
import char_rnn
from char_rnn.cluster import join
from char_rnn.training.events import Step

team = join()

class Change:
    def begin(self, trainer):
        self.trainer = trainer
    def __call__(self, event):
        if {drift} and isinstance(event, Step) and event.iteration == 30 and team.rank == 1:
            self.trainer.model.parameters.flat[0] += 1e-6

run = char_rnn.train(
    "text.txt", team=team, iterations=120, hidden_size=40, batch_size=18, seq_length=25, threads=1,
    out="run", progress=False, callbacks=[Change()],
)
print(team.rank, team.size, run.folder)
"""


def test_a_program_trains_on_ranks(text, tmp_path):
    code, out, err = on_ranks(2, sys.executable, "-c", IN_PYTHON.format(drift=False), cwd=tmp_path)
    assert (code, err) == (0, "")
    assert sorted(out.splitlines()) == ["0 2 run", "1 2 None"]


def test_drift_ends_the_run_with_one_line(text, tmp_path):
    program = IN_PYTHON.format(drift=True)
    inside = f"""
import sys
from char_rnn.errors import CharRNNError
try:
    exec({program!r})
except CharRNNError as error:
    sys.exit(str(error) if team.leads else 1)
"""
    code, _, err = on_ranks(2, sys.executable, "-c", inside, cwd=tmp_path)
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "the weights after 100 steps" in err
    assert "rank 1 on" in err


def test_an_error_that_nobody_catches_ends_all_ranks(text, tmp_path):
    program = IN_PYTHON.replace("self.trainer = trainer", "assert team.rank == 0").format(
        drift=False
    )
    began = time.monotonic()
    code, _, err = on_ranks(2, sys.executable, "-c", program, cwd=tmp_path)
    assert code != 0
    assert "AssertionError" in err
    assert time.monotonic() - began < 50  # not the time after which a silent rank is dead


def alone(tmp_path, *path, **env):
    """Run a small training that believes to be one of several ranks."""
    return subprocess.run(
        train(*SMALL, "--iterations", 2), cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | env | {"PYTHONPATH": os.pathsep.join([*map(str, path), *sys.path])},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stub", "said"),
    [
        ("raise ImportError('none')", "pip install 'char-rnn[mpi]'"),
        ("def __getattr__(name): raise RuntimeError('cannot load MPI library')",
         "no MPI library can be loaded (cannot load MPI library)"),
    ],
)  # fmt: skip
def test_no_mpi_is_one_line(stub, said, text, tmp_path):
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "mpi4py.py").write_text(stub)
    done = alone(tmp_path, tmp_path / "stub", PMI_SIZE="2", PMI_RANK="0")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


def test_a_launcher_of_another_mpi_is_one_line(text, tmp_path):
    pytest.importorskip("mpi4py")
    done = alone(tmp_path, OMPI_COMM_WORLD_SIZE="2", OMPI_COMM_WORLD_RANK="0")
    if "has other than" in done.stderr or done.returncode == 0:
        pytest.skip("the MPI here is the one whose launcher was feigned")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "two kinds of MPI" in done.stderr


def test_one_rank_needs_no_mpi(text, tmp_path):
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "mpi4py.py").write_text("raise ImportError('none')")
    done = alone(tmp_path, tmp_path / "stub", PMI_SIZE="1", PMI_RANK="0")
    assert "Architecture" in done.stdout
