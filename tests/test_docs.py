"""Python blocks in the documents run, and so do commands on the model in the package."""

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = [
    (f"{path.name}-{k}", block)
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for k, block in enumerate(re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), re.S))
]


@pytest.mark.parametrize("block", [b for _, b in BLOCKS], ids=[name for name, _ in BLOCKS])
def test_block_runs(block, tmp_path, monkeypatch):
    if "import torch" in block:
        pytest.importorskip("torch", reason="PyTorch is not installed; the extra `bench` has it")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "block", "exec"), {})


COMMANDS = [
    line
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for block in re.findall(r"```sh\n(.*?)```", path.read_text("utf-8"), re.S)
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("char-rnn ")
]


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("char-rnn generate shak")])
def test_command_runs(command):
    arguments = shlex.split(command)[1:]
    program = [sys.executable, "-c", "from char_rnn.cli.main import main; main()"]
    done = subprocess.run([*program, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_these_options(command):
    name, *arguments = shlex.split(command, comments=True)[1:]
    parser = import_module(f"char_rnn.cli.{name}").command
    known = {
        option for parameter in parser.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }  # fmt: skip
    assert {a.partition("=")[0] for a in arguments if a.startswith("--")} <= known
