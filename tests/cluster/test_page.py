"""The script for SLURM in docs/cluster.md, run with a stand-in for srun on this machine."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from launching import BIN, mpiexec

from char_rnn.runs.run import Run

PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"


@pytest.mark.skipif(os.name == "nt", reason="bash")
def test_the_script_for_slurm_trains_is_warned_and_goes_on(tmp_path):
    script = next(
        code for code in re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        if "srun" in code
    )  # fmt: skip
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin" / "srun"
    stand_in.write_text(f'#!/bin/sh\nshift\nexec "{mpiexec()}" -n 2 "$@"\n')
    stand_in.chmod(0o755)
    (tmp_path / "book.txt").write_text("the quick brown fox jumps over the lazy dog.\n" * 200)
    script = script.replace("/shared/", f"{tmp_path}/").replace("--threads 8", "--threads 1")
    path = f"{tmp_path / 'bin'}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"
    folder, last = tmp_path / "runs" / "book", 0
    for _ in range(2):
        started = subprocess.Popen(
            ["bash", "-c", script], cwd=tmp_path, env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + 60
        while not (folder / "log.jsonl").is_file() or _steps(folder) <= last:
            assert started.poll() is None, started.communicate()
            assert time.monotonic() < end
            time.sleep(0.1)
        os.killpg(started.pid, signal.SIGTERM)  # the scheduler's warning
        out, err = started.communicate(timeout=60)
        assert "Stopped and saved at iteration" in out, err
        assert _steps(folder) > last
        last = _steps(folder)


def _steps(folder):
    found = Run.open(folder).curves.loss.iterations
    return found[-1] if found else 0
