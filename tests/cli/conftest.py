"""What calls commands in this process, as a shell does, or as Python does."""

import sys

import pytest

from char_rnn.cli.main import cli
from char_rnn.cli.main import run as as_program


@pytest.fixture
def call(capsys, monkeypatch):
    """Return what calls `char-rnn`, or another program, and gives its code and what it said."""
    return caller(capsys, monkeypatch)


@pytest.fixture
def call_exactly(capsysbinary, monkeypatch):
    """Return the same as `call`, which gives what was said as bytes."""
    return caller(capsysbinary, monkeypatch)


def caller(captured, monkeypatch):
    """Return what calls a program and gives what was `captured`, as it gives it."""

    def called(*arguments, program=cli, name="char-rnn"):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        code = as_program(program, name)
        out, err = captured.readouterr()
        assert "Traceback" not in str(err)
        return code, out, err

    return called


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Return what calls a command in an empty folder, raises its errors, and gives what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAR_RNN_CACHE", str(tmp_path / "cache"))

    def called(*arguments):
        capsys.readouterr()
        cli.main([str(a) for a in arguments], standalone_mode=False)
        return capsys.readouterr()

    return called
