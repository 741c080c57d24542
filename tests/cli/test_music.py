"""`char-rnn music`: MIDI files as text, such a text as MIDI files, and mistakes."""

import io
import sys
from types import SimpleNamespace

import pytest

from char_rnn.errors import CorruptFile, DataError, MissingExtra, TextNotFound, UsageError
from char_rnn.music import Note, Score
from char_rnn.music.midi import read_midi, write_midi

SCALE = Score(tuple(Note(step * 6, 0, 60 + 2 * (step % 3), 6) for step in range(16)))
TEXT = "CD EC DE CD|EC DE CD EC|\n"


@pytest.fixture
def tunes(tmp_path):
    """Make a folder with two tunes, one of them broken and further in, and with what is none."""
    folder = tmp_path / "tunes"
    (folder / "more").mkdir(parents=True)
    (folder / "b.mid").write_bytes(write_midi(SCALE))
    (folder / "more" / "c.MID").write_bytes(write_midi(SCALE)[:-3])
    (folder / "a.mid").write_text("Once upon a time")
    (folder / "read.me").write_text("not looked at")


def test_one_file_becomes_text_and_the_text_the_file(run, tunes, tmp_path):
    out, err = run("music", "encode", "tunes/b.mid")
    assert out == TEXT and not err
    (tmp_path / "tune.txt").write_text(out)
    out, err = run("music", "decode", "tune.txt", "-o", "new/tune.mid")
    assert not out and err == "wrote new/tune.mid\n"
    assert read_midi(tmp_path / "new" / "tune.mid") == (SCALE, [])


def test_a_folder_goes_on_with_the_rest(run, tunes, tmp_path):
    out, err = run("music", "encode", "tunes", "--out", "tunes.txt")
    assert not out and (tmp_path / "tunes.txt").read_text() == f"{TEXT}\n{TEXT}"
    bad, broken, done = err.splitlines()
    assert bad.startswith("tunes/a.mid is no MIDI file") and bad.endswith("; left out")
    assert broken.startswith("tunes/more/c.MID: track 2 breaks off after ")
    assert done == "2 pieces in tunes.txt"
    run("music", "decode", "tunes.txt", "--out", "t.mid")
    assert read_midi(tmp_path / "t-1.mid") == read_midi(tmp_path / "t-2.mid") == (SCALE, [])


def test_standard_input_and_a_damaged_text(run, monkeypatch, tmp_path):
    def given(text):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))

    given(TEXT + "?c9|")
    with pytest.raises(DataError, match=r"^-: line 2, place 1: a character that means nothing"):
        run("music", "decode", "-", "-o", "a.mid")
    assert not (tmp_path / "a.mid").exists()
    given(TEXT + "?c9|")
    _, err = run("music", "decode", "-", "-o", "a.mid", "--mend")
    assert "too long (mended; line 2, place 2)" in err
    assert read_midi(tmp_path / "a.mid")[0].notes[-1] == Note(96, 0, 72, 48)


def test_the_grid(run, tunes):
    out, err = run("music", "encode", "tunes/b.mid", "--grid", "1")
    assert out.startswith("G:1\n") and "off a grid of 1 steps; 12 would be exact (--grid)" in err


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ("encod tunes", UsageError, r"unknown action 'encod' \(did you mean 'encode'\?\)"),
        ("encode none.mid", TextNotFound, "none.mid: no such file or folder"),
        ("encode tunes/a.mid", CorruptFile, "tunes/a.mid is no MIDI file"),
        ("encode empty", TextNotFound, "empty holds no MIDI files"),
        ("encode bad", DataError, "bad: none of its 1 MIDI files could be read"),
        ("encode tunes --mend", UsageError, "--mend has no effect on encode; it is for decode"),
        ("decode a.txt --grid 4", UsageError, "--grid has no effect on decode; it is for encode"),
        ("decode a.txt", UsageError, "name the file: --out tune.mid"),
    ],
)
def test_mistakes(run, tunes, tmp_path, words, error, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.mid").write_text("")
    with pytest.raises(error, match=said):
        run("music", *words.split())


def test_without_mido_a_folder_is_not_gone_through(run, tunes, monkeypatch):
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(MissingExtra, match="MIDI needs mido"):
        run("music", "encode", "tunes")
