"""`char-rnn show`: files in; a roll, a picture, a page and sound out."""

import os
import sys
import wave

import pytest

from char_rnn.music.midi import write_midi
from char_rnn.music.score import Change, Note, Score, Voice

pytest.importorskip("mido")

TUNE = Score(
    tuple(Note(12 * k, 0, 60 + k % 12, 12) for k in range(32)), (Voice(73),),
    meters=(Change(0, (4, 4)),), length=384,
)  # fmt: skip


@pytest.fixture
def tune(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tune.mid"
    path.write_bytes(write_midi(TUNE))
    return path


def test_a_tune_is_drawn_in_the_terminal(call, tune):
    code, out, err = call("show", "tune.mid")
    lines = out.splitlines()
    assert (code, err, lines[0]) == (0, "", "tune.mid")
    assert lines[1].split() == ["1", "2", "3", "4", "5", "6", "7", "8"] and "▄" in out
    code, out, _ = call("show", "tune.mid", "tune.mid", "--bars", "3:4")
    assert out.count("tune.mid, bars 3 to 4 of 8\n") == 2 and out.splitlines()[1].split() == [
        "3", "4",
    ]  # fmt: skip


def test_a_folder_is_drawn_without_what_is_broken(call, tune, tmp_path):
    (tmp_path / "broken.mid").write_bytes(tune.read_bytes()[:20])
    code, out, err = call("show", ".", "--bars", "8")
    assert code == 0 and "broken.mid" in err and "left out" in err
    assert out.startswith("tune.mid, bars 8 to 8 of 8\n       8\n") and out.count("mid") == 1


def test_where_the_encoding_has_no_blocks_it_is_drawn_in_ascii(call, tune, monkeypatch):
    monkeypatch.setattr("char_rnn.cli.show._encoding", lambda: "ascii")
    _, out, _ = call("show", "tune.mid")
    assert out.isascii() and "|." in out


def test_pictures_pages_and_sound_are_written(call, tune, tmp_path):
    code, _, err = call(
        "show", tune, tune, "-o", "a.svg", "--html", "new/a.html", "--wav", "a.wav", "--bars", "7:"
    )
    assert code == 0 and err.splitlines() == [f"Written: {n}" for n in
                                              ("a.svg", "new/a.html", "a.wav")]  # fmt: skip
    assert "tune.mid, bars 7 to 8 of 8" in (tmp_path / "a.svg").read_text("utf-8")
    assert "tune.mid, bars 7 to 8 of 8" in (tmp_path / "new" / "a.html").read_text("utf-8")
    with wave.open("a.wav") as file:
        assert file.getnframes() == 2 * round(44_100 * (4 + 0.8))


@pytest.mark.parametrize("asked, said", [
    ("0:3", "it must be such as 9:16"), ("x", "it must be such as"), ("4:2", "it must be such as"),
    ("", "it must be such as"), ("9:", "and tune.mid has 8 bars"), ("-1", "it must be such as"),
])  # fmt: skip
def test_bars_that_are_none(call, tune, asked, said):
    code, out, err = call("show", "tune.mid", f"--bars={asked}")
    assert code == 2 and not out and err.startswith(f"char-rnn: --bars is {asked!r}")
    assert said in err and err.count("\n") == 1


def test_what_cannot_be_read_or_written_is_told_first(call, tune, tmp_path):
    (tmp_path / "text.mid").write_text("no tune")
    for arguments, code, said in (
        (["no.mid"], 1, "no.mid"), (["text.mid"], 1, "text.mid"), ([], 2, "Missing argument"),
        (["tune.mid", "-o", "a.gif"], 2, "a.gif is no picture"),
        (["tune.mid", "--wav", "tune.mid/a.wav"], 1, "cannot be written"),
    ):  # fmt: skip
        found, out, err = call("show", *arguments)
        assert found == code and said in err and not out


@pytest.mark.skipif(os.name == "nt", reason="the player is a script of a shell here")
def test_a_tune_is_played_and_nothing_is_left(call, tune, tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "bin"))
    monkeypatch.setattr("tempfile.tempdir", None)
    code, out, err = call("show", "tune.mid", "--play")
    assert code == 1 and out.startswith("tune.mid\n") and "nothing plays sound here" in err
    assert "write the sound to a file (--wav FILE)" in err
    script = "import os, sys; print(os.path.getsize(sys.argv[-1]), file=open('told', 'w'))"
    player = folder / "aplay"
    player.write_text(f"#!{sys.executable}\n{script}\n")
    player.chmod(0o755)
    assert call("show", "tune.mid", "--play", "--bars", "1")[0] == 0
    assert int((tmp_path / "told").read_text()) == 44 + 4 * round(44_100 * 2.8)
    assert [path.name for path in folder.iterdir()] == ["aplay"]


def test_texts_are_shown_as_midi_is(call, tune, tmp_path):
    (tmp_path / "ours.txt").write_text("c8|\n\nd8|\n")
    (tmp_path / "a.abc").write_text("X:1\nM:4/4\nK:C\nc8|\n")
    code, out, err = call("show", "ours.txt", "a.abc", "tune.mid")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line[:1].strip()] == [
        "ours.txt, piece 1 of 2", "ours.txt, piece 2 of 2", "a.abc", "tune.mid",
    ]  # fmt: skip
    (tmp_path / "silent.txt").write_text("z8|")
    code, out, err = call("show", "silent.txt", "-o", "a.svg")
    assert (code, out, err) == (1, "", "char-rnn: silent.txt: there are no notes in it\n")
    assert not (tmp_path / "a.svg").exists()
    (tmp_path / "more.mid").mkdir()
    (tmp_path / "more.mid" / "b.mid").write_bytes(tune.read_bytes())
    assert call("show", ".")[1].count(".mid\n") == 2, "a folder is no file, whatever its name"
