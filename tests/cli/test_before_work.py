"""What cannot be done is told in one line before the work, and nothing of it is left behind."""

import json
import sys

import pytest

from char_rnn.cli.classic import train_rnn
from char_rnn.cli.main import cli, run
from char_rnn.runs import plan
from char_rnn.training.trainer import Trainer

TEXT = "To be, or not to be: that is the question.\n" * 80
HUGE = 10**30
NAMES = ["text.txt/x", "folder", "n" * 300]


@pytest.fixture
def tell(tmp_path, monkeypatch, capsys):
    """Return a function that runs a command in a folder with a text: code, output, errors."""
    (tmp_path / "text.txt").write_text(TEXT, "utf-8", newline="")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAR_RNN_CACHE", str(tmp_path / "cache"))

    def call(*arguments, command=cli):
        monkeypatch.setattr(sys, "argv", ["char-rnn", *map(str, arguments)])
        code = run(command, "char-rnn")
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def no_work(monkeypatch):
    """Let whatever takes long fail."""

    def working(*_, **__):
        raise AssertionError("this is the work")

    monkeypatch.setattr(Trainer, "__iter__", working)
    monkeypatch.setattr(plan, "measure", working)
    monkeypatch.setattr("char_rnn.scoring.surprisals", working)
    monkeypatch.setattr("char_rnn.analyse.overlap.overlaps", working)
    monkeypatch.setattr("char_rnn.constrain.writer.ConstrainedWriter.write", working)
    monkeypatch.setattr("char_rnn.generate.batch.Batch._group", working)
    monkeypatch.setattr("char_rnn.generate.beam._Search.run", working)
    monkeypatch.setattr("char_rnn.runs.picture.plot_run", working)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "shakespeare", "--out"],
        ["generate", "shakespeare", "--beam", 3, "--out"],
        ["evaluate", "shakespeare", "text.txt", "--html"],
        ["overlap", "shakespeare", "--text", "text.txt", "--html"],
        ["--text", "text.txt", "--out"],
    ],
    ids=["generate", "beam", "evaluate", "overlap", "train_rnn"],
)
def test_a_file_that_cannot_be_written(tell, no_work, tmp_path, arguments, name):
    command = train_rnn if arguments[0] == "--text" else cli
    code, _, err = tell(*arguments, name, command=command)
    assert code == 1 and "cannot be written" in err and err.strip().count("\n") == 0
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"text.txt", "folder"} and not any((tmp_path / "folder").iterdir())


@pytest.mark.parametrize("name", ["text.txt/x", "text.txt", "n" * 300])
def test_a_run_folder_that_cannot_be_made(tell, no_work, tmp_path, name):
    code, out, err = tell("train", "text.txt", "--out", name)
    assert code == 1 and "cannot make a run folder" in err and err.count("\n") == 1 and not out
    assert {path.name for path in tmp_path.iterdir()} == {"text.txt", "folder"}


def test_a_picture_that_cannot_be_drawn(tell, no_work):
    pytest.importorskip("matplotlib")
    free = ["--free_running", "--plot"]
    code, _, err = tell("evaluate", "shakespeare", "text.txt", *free, "text.txt/a.png")
    assert code == 1 and "cannot be written" in err


def test_missing_folders_are_made(tell, tmp_path):
    small = ["--hidden_size", 8, "--iterations", 1]
    assert tell("train", "text.txt", *small, "--out", "a/b/run")[0] == 0
    assert tell("generate", "a/b/run", "--length", 5, "--out", "c/d/t.txt")[0] == 0
    assert tell("generate", "a/b/run", "--length", 5, "--count", 2, "--out", "e/{n}/t.txt")[0] == 0
    html = ["--no_baselines", "--html", "f/g/h.html"]
    assert tell("evaluate", "a/b/run", "text.txt", *html)[0] == 0
    count = ["--count", 1, "--length", 9]
    assert tell("overlap", "a/b/run", *count, "--html", "i/j.html")[0] == 0
    exercise = ["--text", "text.txt", *small, "--out", "k/l.pkl"]
    assert tell(*exercise, command=train_rnn)[0] == 0
    for made in ("a/b/run/model.safetensors", "c/d/t.txt", "e/2/t.txt", "f/g/h.html", "i/j.html",
                 "k/l.pkl"):  # fmt: skip
        assert (tmp_path / made).is_file()


def test_an_empty_folder_becomes_a_run_and_no_other_does(tell, tmp_path, monkeypatch):
    small = ["--hidden_size", 8, "--iterations", 1]
    monkeypatch.chdir(tmp_path / "folder")
    assert tell("train", "../text.txt", *small, "--out", ".")[0] == 0
    assert (tmp_path / "folder" / "model.safetensors").is_file()
    assert tell("inspect", ".")[0] == 0
    code, _, err = tell("train", "../text.txt", *small, "--out", "..")
    assert code == 1 and "exists already" in err
    assert not (tmp_path / ".lock").exists()


@pytest.mark.parametrize(
    "settings",
    [
        "--hidden_size 1000000 --iterations 1", "--hidden_size 1000000000000",
        f"--hidden_size {HUGE}", "--layers 100000000 --hidden_size 8 --iterations 1",
        "--layers 100000000", f"--layers {HUGE}", f"--seq_length {HUGE}", f"--batch_size {HUGE}",
        f"--threads {HUGE}", "--minutes 1e308", "--minutes inf", "--epochs 1e308",
        f"--iterations {HUGE}", "--iterations 10000000000000", f"--eval_every {HUGE}",
        "--sample_length 10000000000", f"--rng_seed {HUGE}",
    ],
)  # fmt: skip
def test_a_run_that_is_too_large(tell, no_work, tmp_path, settings):
    code, out, err = tell("train", "text.txt", *settings.split())
    assert code == 2 and err.count("\n") == 1 and not out  # the text was not even read
    assert {path.name for path in tmp_path.iterdir()} == {"text.txt", "folder"}


def test_windows_that_are_too_large_are_told_when_the_text_is_read(tell, no_work, tmp_path):
    (tmp_path / "long.txt").write_text(TEXT * 400, "utf-8")
    code, _, err = tell("train", "long.txt", "--hidden_size", 5_000, "--seq_length", 10**6)
    assert code == 2 and "of memory" in err and not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        "generate shakespeare --beam 100000000 --length 5",
        "generate shakespeare --beam 1000000 --length 1000000",
        f"generate shakespeare --beam {HUGE}",
        "generate shakespeare --count 1000000000 --length 5",
        "generate shakespeare --count 1000000000 --length 5 --words a",
        "generate shakespeare --count 100000 --length 1000000000",
        f"generate shakespeare --length {HUGE}",
        "generate shakespeare --length 10000000000",
        f"generate shakespeare --threads {HUGE}",
        f"generate shakespeare --rng_seed {HUGE}",
        "overlap shakespeare --text text.txt --count 1000000000000",
        "overlap shakespeare --text text.txt --count 1000 --length 1000000000",
        "evaluate shakespeare text.txt --windows 1000000000000",
        f"evaluate shakespeare text.txt --streams {HUGE}",
    ],
)
def test_what_else_is_too_large(tell, no_work, arguments):
    code, out, err = tell(*arguments.split())
    assert code == 2 and err.count("\n") == 1 and not out


def test_a_resumed_run_is_held_against_the_memory_too(tell, tmp_path, monkeypatch):
    small = ["--hidden_size", 8, "--iterations", 1, "--out", "r"]
    assert tell("train", "text.txt", *small)[0] == 0
    monkeypatch.setattr("char_rnn.model.room.available_memory", lambda: 1e6)
    before = json.loads((tmp_path / "r" / "config.json").read_text())
    code, _, err = tell("train", "--resume", "r", "--iterations", 2)
    assert code == 2 and "of memory, and 1.0 MB are free" in err
    assert json.loads((tmp_path / "r" / "config.json").read_text()) == before
