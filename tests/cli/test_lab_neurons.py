"""`char-rnn lab neurons`: the text in colours on a terminal, in plain characters elsewhere."""

import io
import sys

import numpy as np
import pytest

from char_rnn import CharRNN, Vocabulary

TEXT = "the \x1b[31mcat\x07 sat\non (the mat)\n" * 200


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def lab(run, tmp_path, monkeypatch):
    """Return what calls it for a small model and a text that would drive a terminal."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    vocabulary = Vocabulary(TEXT)
    model = CharRNN(vocabulary.size, 5, vocabulary=vocabulary, rng=np.random.default_rng(0))
    model.save(tmp_path / "m.safetensors")
    (tmp_path / "t.txt").write_text(TEXT, newline="")
    return lambda *more: run(
        "lab", "neurons", "--text", "t.txt", "--model", "m.safetensors", "--processes", 1, *more
    )


def on_terminal(lab, monkeypatch, *more):
    shown = Terminal()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", shown)
        lab(*more)
    return shown.getvalue()


def test_a_text_is_coloured_on_a_terminal_only(lab, monkeypatch, tmp_path):
    out, err = lab("--unit", "1:2")
    assert "Unit 1:2, -1.0 to 1.0" in out and "\x1b" not in out and "on (the mat)\n" in out
    assert "neurons.html" in err and (tmp_path / "lab" / "neurons.html").is_file()
    shown = on_terminal(lab, monkeypatch, "--unit", "1:2")
    assert "Unit 1:2" in shown and ";48;5;" in shown and "-1.0 to" not in shown
    assert "\x1b[31m" not in shown and "\x07" not in shown and r"\x07" in shown
    monkeypatch.setenv("NO_COLOR", "1")
    plain = on_terminal(lab, monkeypatch)
    assert "-1.0 to 1.0" in plain or "0.0 to 1.0" in plain
    assert "48;5;" not in plain
