"""Python blocks in the documents run, and so do commands on the model in the package."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
from here import call

from char_rnn.sample_config import CONDITION_NAMES, STRATEGIES

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


@pytest.mark.parametrize("name", [*STRATEGIES, *CONDITION_NAMES])
def test_what_can_be_asked_of_a_text_is_explained(name):
    assert f"`--{name}" in (ROOT / "docs" / "generation.md").read_text("utf-8")


COMMANDS = [
    line
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for block in re.findall(r"```sh\n(.*?)```", path.read_text("utf-8"), re.S)
    for line in block.replace("\\\n", " ").splitlines()
    if line.startswith("char-rnn ")
]


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("char-rnn generate shak")])
def test_command_runs(command, tmp_path):
    done = call(*shlex.split(command)[1:], cwd=tmp_path)
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


DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"```.*?```", re.S)


def prose(path):
    return CODE.sub("", path.read_text("utf-8"))


def anchors(path):
    """Return what the headings of `path` are called in a link, as code hosts make it."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\(([^)\s]+)\)", prose(path))
    for link in (link for link in links if not link.startswith("https://")):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_are_there(path):
    folders = (ROOT, ROOT / "src/char_rnn", ROOT / "src", path.parent)
    for name in re.findall(r"(?<![\w./])((?:[a-z_]+/)+[a-z_]+\.(?:py|md|svg))", prose(path)):
        assert any((folder / name).exists() for folder in folders), name


def test_every_document_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text("utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert path.name == "README.md" or f"({path.name})" in index, path.name
