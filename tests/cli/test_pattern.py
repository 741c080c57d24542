"""A folder of code: which files are read, where they end, and the same after --resume."""

import json
import sys
from pathlib import Path

import pytest
from here import call

from char_rnn import CharRNN
from char_rnn.cli.main import run as run_command

SMALL = ["--hidden_size", "8", "--batch_size", "4", "--seq_length", "10", "--threads", "1",
         "--sample_every", "0"]  # fmt: skip


def run(*arguments: object, cwd: Path, code: int = 0) -> str:
    done = call(*arguments, cwd=cwd)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    for name, line in (("a.py", "x = 1\n"), ("sub/b.py", "y = 2\n"), ("c.md", "Ω, not code\n")):
        path = folder / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(line * 100, "utf-8", newline="")
    return folder


@pytest.mark.parametrize("more", [[], ["--bytes"]])
def test_a_folder_of_code_and_its_resume(home: Path, more: list[str]) -> None:
    out = f"run{len(more)}"
    said = run("train", "code", "--pattern", "*.py", *more, *SMALL, "--iterations", 3, "--out",
               out, cwd=home)  # fmt: skip
    assert "code, 1,202 " in said
    reading = json.loads((home / out / "config.json").read_text("utf-8"))["text"]["reading"]
    assert reading["pattern"] == ["*.py"] and reading["bytes"] is bool(more)
    said = run("train", "--resume", out, "--iterations", 5, cwd=home)
    assert "at iteration 3" in said
    vocabulary = CharRNN.load(home / out).vocabulary
    assert vocabulary is not None
    if not more:
        assert "\f" in vocabulary and "Ω" not in vocabulary
    said = run("evaluate", out, "code", "--pattern", "*.py", "--no_baselines", cwd=home)
    assert "which this model was not trained on" in said
    said = run("train", "--resume", out, "--pattern", "*.md", cwd=home, code=2)
    assert "--pattern" in said


def test_patterns_may_be_repeated(home: Path) -> None:
    said = run("train", "code", "--pattern", "a.*", "--pattern", "*.md", *SMALL, "--iterations",
               1, "--out", "two", cwd=home)  # fmt: skip
    assert "code, 1,802 characters" in said


def test_what_is_no_folder_and_what_matches_nothing(home: Path) -> None:
    begin = ["train", *SMALL, "--iterations", 1, "--out", "none"]
    said = run(*begin, "code/a.py", "--pattern", "*.py", cwd=home, code=2)
    assert "folder" in said and "--pattern" in said
    said = run(*begin, "code", "--pattern", "*.rs", cwd=home, code=1)
    assert "'*.rs'" in said
    assert not (home / "none").exists()


def test_an_older_run_without_patterns_goes_on(home: Path) -> None:
    run("train", "code", *SMALL, "--iterations", 2, "--out", "old", cwd=home)
    path = home / "old" / "config.json"
    settings = json.loads(path.read_text("utf-8"))
    assert settings["text"].pop("reading")["pattern"] == []
    settings["text"]["bytes"] = False
    path.write_text(json.dumps(settings), "utf-8")
    assert "at iteration 2" in run("train", "--resume", "old", "--iterations", 3, cwd=home)
    settings["text"]["patterns"] = "*.py"
    path.write_text(json.dumps(settings), "utf-8")
    said = run("train", "--resume", "old", "--iterations", 4, cwd=home, code=1)
    assert "text.patterns is" in said


@pytest.mark.parametrize("name", ["train", "compare"])
def test_a_pattern_is_not_filled_in_on_windows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    class Command:
        def main(self, **settings: object) -> None:
            seen.update(settings)

    monkeypatch.setattr(sys, "argv", ["char-rnn", name, "*.py"])
    run_command(Command(), "char-rnn")  # type: ignore[arg-type]
    assert seen["windows_expand_args"] is (name == "compare")
