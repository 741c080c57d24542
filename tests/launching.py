"""Starts char-rnn on several ranks, with the mpiexec that is there."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

MARK = "CHAR_RNN_TEST_MARK"
BIN = Path(sys.executable).parent


def mpiexec():
    """Return the path of mpiexec; skip the test where MPI is absent."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")
    found = shutil.which("mpiexec", path=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip("there is no mpiexec here (pip install mpich)")
    return found


def entry(*arguments):
    """Return the command that runs char-rnn through its real entry point."""
    return [str(BIN / "char-rnn"), *map(str, arguments)]


class Launched:
    """A command on `ranks` ranks, or several commands, a list for each rank.

    hang: seconds after which a silent rank counts as dead.
    """

    def __init__(self, ranks, *command, cwd, hang=60.0, env=()):
        self.mark = uuid.uuid4().hex
        commands = [(ranks, command)] if isinstance(ranks, int) else [(1, c) for c in ranks]
        line = [mpiexec()]
        for count, each in commands:
            line += [*([":"] if len(line) > 1 else []), "-n", str(count), *map(str, each)]
        self.process = subprocess.Popen(
            line, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | {MARK: self.mark, "CHAR_RNN_HANG": str(hang)} | dict(env),
        )  # fmt: skip

    def wait(self, seconds=60):
        """Return (exit code, standard output, standard error)."""
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
            raise
        return self.process.returncode, out, err

    def processes(self, *words):
        """Return the living processes of this run with these words in their command, by rank."""
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                environment = (folder / "environ").read_bytes().split(b"\0")
                command = (folder / "cmdline").read_bytes().decode().split("\0")
                if f"{MARK}={self.mark}".encode() in environment and set(words) <= set(command):
                    rank = [int(e[9:]) for e in environment if e.startswith(b"PMI_RANK=")]
                    found.append((rank, int(folder.name)))
        return [pid for _, pid in sorted(found)]

    def ranks(self):
        """Return the processes of the ranks."""
        return [pid for pid in self.processes("train") if pid != self.process.pid and _is_rank(pid)]

    def until(self, condition, seconds=30):
        """Wait until `condition()`."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end
            time.sleep(0.02)

    def check_gone(self):
        """Fail if any process has outlived the run by more than a moment."""
        end = time.monotonic() + 5
        while self.processes() and time.monotonic() < end:
            time.sleep(0.05)
        assert self.processes() == []


def _is_rank(pid):
    with contextlib.suppress(OSError):
        return b"PMI_RANK=" in Path(f"/proc/{pid}/environ").read_bytes()
    return False


def on_ranks(ranks, *command, cwd, **more):
    """Run a command on ranks to its end; return (exit code, standard output, standard error)."""
    launched = Launched(ranks, *command, cwd=cwd, **more)
    done = launched.wait()
    launched.check_gone()
    return done
