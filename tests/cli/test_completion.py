"""What a shell is offered, by click's protocol, and the scripts that it loads."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import char_rnn
from char_rnn.cli.main import COMMANDS
from char_rnn.sample_config import SampleConfig
from char_rnn.settings import settings_of
from char_rnn.tables import CELLS, OPTIMIZERS

TOP = [f"--{name}" for name in settings_of(SampleConfig) if name.startswith("top_")]
SOURCE = str(Path(char_rnn.__file__).parents[1])


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with two runs and a text."""
    for name in ("book", "play"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.json").write_text("{}")
    (tmp_path / "runs" / "empty").mkdir()
    (tmp_path / "python.txt").write_text("text")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(instruction, line=""):
    words = line.split(" ")
    return subprocess.run(
        [sys.executable, "-m", "char_rnn"],
        env=os.environ | {
            "_CHAR_RNN_COMPLETE": instruction, "COMP_WORDS": line, "PYTHONPATH": SOURCE,
            "COMP_CWORD": str(len(words) - 1) if "fish" not in instruction else words[-1],
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def offered(line, kind="plain"):
    done = ask("bash_complete", line)
    assert done.returncode == 0 and not done.stderr
    pairs = [found.split(",", 1) for found in done.stdout.splitlines()]
    assert {found for found, _ in pairs} <= {kind}
    return [value for _, value in pairs]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("char-rnn ", list(COMMANDS)),
        ("char-rnn ge", ["generate"]),
        ("char-rnn -", ["--version", "-h", "--help"]),
        ("char-rnn train --optim", ["--optimizer"]),
        ("char-rnn train --cell ", list(CELLS)),
        ("char-rnn train --optimizer ada", [n for n in OPTIMIZERS if n.startswith("ada")]),
        ("char-rnn train --reset_", ["--reset_after", "--reset_before"]),
        ("char-rnn train --learning-", ["--learning-rate"]),
        ("char-rnn generate --top", TOP),
        ("char-rnn generate --top-", [name.replace("_", "-") for name in TOP]),
        ("char-rnn train sh", ["shakespeare"]),
        ("char-rnn train python", ["python-code", "python-docs", "python.txt"]),
        ("char-rnn generate ", ["shakespeare", "runs/play", "runs/book", "python.txt", "runs/"]),
        ("char-rnn generate -s x runs/b", ["runs/book", "runs/book/"]),
        ("char-rnn plot runs/p", ["runs/play", "runs/play/"]),
        ("char-rnn train --resume runs/p", ["runs/play", "runs/play/"]),
        ("char-rnn compare runs/book runs/p", ["runs/play", "runs/play/"]),
        ("char-rnn nosuch ", []),
    ],
)
def test_names_are_offered(home, line, values):
    assert offered(line) == values


@pytest.mark.parametrize(
    "line", ["char-rnn train bo", "char-rnn plot -o ", "char-rnn generate -o "]
)
def test_files_are_left_to_the_shell(home, line):
    assert offered(line, "file") == [line.split(" ")[-1]]


def test_other_shells(home):
    assert "plain\n--top_k\nOnly the K" in ask("zsh_complete", "char-rnn generate --top").stdout
    assert "plain,--top_k\tOnly the K" in ask("fish_complete", "char-rnn generate --top").stdout
    for shell in ("zsh", "fish"):
        assert "_CHAR_RNN_COMPLETE=" in ask(f"{shell}_source").stdout
    done = ask("tcsh_source")
    assert done.returncode == 2 and "unknown shell 'tcsh'; known: bash, fish, zsh" in done.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_bash_completes(home):
    program = home / "bin" / "char-rnn"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{SOURCE}" exec "{sys.executable}" -m char_rnn "$@"\n'
    )
    program.chmod(0o755)
    script = (
        'eval "$(_CHAR_RNN_COMPLETE=bash_source char-rnn)"; '
        "COMP_WORDS=(char-rnn generate --repetition_w); COMP_CWORD=2; "
        '_char_rnn_completion char-rnn; echo "${COMPREPLY[@]}"; complete -p char-rnn'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        env=os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[0] == "--repetition_window", done.stderr
    assert "_char_rnn_completion char-rnn" in done.stdout
