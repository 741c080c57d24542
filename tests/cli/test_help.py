"""The help of every command: complete, in groups, of one width, quick, and the same in the docs."""

import importlib.util
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from char_rnn.cli import classic
from char_rnn.cli.help import OTHERS, Command, Option, plain
from char_rnn.cli.main import COMMANDS, EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
CALLED = {
    **{f"char-rnn {name}": import_module(f"char_rnn.cli.{name}").command for name in COMMANDS},
    "python generate.py": classic.generate,
    "python train_rnn.py": classic.train_rnn,
}
EVERY = pytest.mark.parametrize(("called", "command"), CALLED.items(), ids=CALLED.keys())


def help_of(command, called="x", **settings):
    context = command.make_context(called, [], resilient_parsing=True, **settings)
    return context.get_help()


def options_of(command):
    return [p for p in command.params if isinstance(p, click.Option)]


@EVERY
def test_help_fits_and_is_complete(called, command):
    for width in (78, 60):
        lines = help_of(command, called, terminal_width=width).splitlines()
        assert all(line == line.rstrip() for line in lines)
        body = lines[: lines.index("Examples:")]
        assert max(map(len, body)) <= width
    said = "\n".join(lines)
    assert "\xa0" not in said and "  -h, --help" in said
    for option in options_of(command):
        assert isinstance(option, Option)
        assert option.help and option.help.endswith(".")
        spelled = [name for name in (*option.opts, *option.secondary_opts) if "-" in name[2:]]
        assert not any(re.search(rf"{name}\b", said) for name in spelled), "one spelling"
        for name in {*option.opts, *option.secondary_opts} - {*spelled}:
            assert re.search(rf"^  .*{name}\b", said, re.M)


@EVERY
def test_groups_are_whole(called, command):
    said = help_of(command, called)
    titles = re.findall(r"^(\S.*):$", said, re.M)
    assert len(titles) == len({*titles}) and titles[-1] == "Examples"
    groups = {option.group for option in options_of(command)}
    assert titles[:-1] == ["Options"] if groups <= {OTHERS} else {*titles[:-2]} == groups


def test_the_length_of_a_training_comes_early():
    said = help_of(CALLED["char-rnn train"])
    assert said.index("\nText:") < said.index("\nLength:") < said.index("\nModel:")
    assert "[default: planned, or 0.002]" in said and "[default: --reset_before]" in said


@EVERY
def test_examples_can_be_called(called, command):
    assert isinstance(command, Command) and command.examples
    for example in command.examples:
        assert len(example) <= 76 and example.startswith(called)
        command.make_context(called, shlex.split(example)[len(called.split()) :])


def test_examples_of_the_whole():
    for example in EXAMPLES:
        _, name, *arguments = shlex.split(example, comments=True)
        if "-h" not in arguments:
            CALLED[f"char-rnn {name}"].make_context(name, arguments)


def test_short_options_mean_one_thing():
    short = {}
    for command in CALLED.values():
        for option in options_of(command):
            for name in option.opts:
                if not name.startswith("--"):
                    short.setdefault(name, set()).add(option.name)
    assert short == {
        "-m": {"minutes"}, "-n": {"length"}, "-o": {"out"}, "-s": {"seed"}, "-t": {"temperature"},
    }  # fmt: skip


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize(
    "program", [["-m", "char_rnn"], *(["-m", "char_rnn", name] for name in COMMANDS),
                [str(ROOT / "train_rnn.py")], [str(ROOT / "generate.py")]],
    ids=lambda program: Path(program[-1]).name,
)  # fmt: skip
def test_every_program_explains_itself_without_numpy(program, flag):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *program, flag],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("Usage: ") and "Examples:" in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not {"numpy", "rich", "safetensors"} & loaded and "click" in loaded


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "char_rnn", "generate", "shakespeare", "-s", "ROMEO:", "-n", "9",
         "-t", "0"], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("ROMEO:") and len(done.stdout) == len("ROMEO:") + 9 + 1
    wrong = subprocess.run(
        [sys.executable, "-m", "char_rnn", "genrate"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2 and wrong.stderr.startswith("char-rnn: unknown command")


def test_values_are_shown_as_they_are_typed():
    shown = [plain(value) for value in (0.0, 0.002, 5, True, "adam", None, object())]
    assert shown == ["0", "0.002", "5", "true", "adam", "", ""]


@pytest.fixture(scope="module")
def reference():
    if not (ROOT / "tools").is_dir():
        pytest.skip("tools/ is not here")
    spec = importlib.util.spec_from_file_location("reference_page", ROOT / "tools" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["settings.md", "commands.md"])
def test_pages_are_current(reference, name):
    there = (ROOT / "docs" / name).read_text("utf-8")
    assert there == reference.PAGES[name](), "renew it: python -m tools"
