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


ABC = 'X:1\nT:one\nM:4/4\nL:1/8\nK:D\n"D"d4 f4|\n\nX:2\nT:two\nM:4/4\nK:C\nCDEF GABc|\n'


def test_melodies_in_abc_become_midi_and_text(run, tmp_path):
    (tmp_path / "a.abc").write_text(ABC)
    _, err = run("music", "decode", "a.abc", "-o", "a.mid")
    assert err == "tune 1: chord symbols and annotations left out: 1\nwrote a-1.mid to a-2.mid\n"
    assert [note.pitch for note in read_midi(tmp_path / "a-1.mid")[0].notes] == [74, 78]
    out, err = run("music", "encode", "a.abc")
    assert out == 'M:4/4 K:D I:0"one"\nd4 f4|\n\nM:4/4 K:C I:0"two"\nCD EF GA Bc|\n'
    assert err == "a.abc: tune 1: chord symbols and annotations left out: 1\n"
    (tmp_path / "text.txt").write_text(out)
    assert run("music", "encode", "text.txt") == (out, "")
    (tmp_path / "old.abc").write_bytes("M:4/4\nT:Fr\xe8re\nK:C\nc8|".encode("latin-1"))
    assert run("music", "encode", "old.abc")[0] == 'M:4/4 K:C I:0"Frère"\nc8|\n'


def test_what_is_wrong_in_abc_is_named_by_its_line_or_left_out(run, tmp_path):
    (tmp_path / "a.abc").write_text(ABC.replace("GABc", 'GA"c'))
    with pytest.raises(DataError, match=r"^a\.abc: ABC: line 12, place 8: \" without "):
        run("music", "decode", "a.abc", "-o", "a.mid")
    _, err = run("music", "decode", "a.abc", "-o", "a.mid", "--mend")
    assert err.splitlines()[1:] == [
        'tune 2: ABC: line 12, place 8: " without "; expected it on the same line; left out',
        "pieces without notes left out: 1 of 2",
        "wrote a.mid",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"z8|z8|\n", "t.txt: there are no notes in it"),
        (b"X:1\nK:C\nz8|\n", "t.txt: .*there are no notes in it"),
        (b"X:1\nT:a", "t.txt: ABC: line 1: a tune without a key"),
        (b"c8|\n\nd8|\n?8|\n", r"t.txt: line 4, place 1: a character that means nothing"),
        (bytes(range(256)), "t.txt is neither MIDI nor a text"),
        (b" \n\n", "t.txt: there is no piece in the text"),
        (b"M:1/128 G:32\n" + b"c/16|" * 9, "t.txt: more than 3 bars"),
        (b"c" * 100, "t.txt is larger than 0 MiB"),
    ],
)
def test_a_text_that_is_none_is_refused_and_nothing_written(run, tmp_path, monkeypatch, data, said):
    monkeypatch.setattr("char_rnn.music.bars.MOST_BARS", 3)
    monkeypatch.setattr("char_rnn.music.files.MOST_TEXT", 99 if data[:3] == b"ccc" else 9999)
    (tmp_path / "t.txt").write_bytes(data)
    for words in ("encode t.txt -o new", "decode t.txt -o new"):
        with pytest.raises((DataError, CorruptFile), match=said):
            run("music", *words.split())
    assert not (tmp_path / "new").exists()


def test_a_piece_too_long_for_a_text_is_named_or_left_out(run, tunes, monkeypatch):
    monkeypatch.setattr("char_rnn.music.text_writer.MOST_PARTS", 3)
    with pytest.raises(DataError, match=r"^b\.mid: more than 3 notes in bars"):
        run("music", "encode", "tunes/b.mid")
    with pytest.raises(DataError, match="tunes: no piece of it can be written as text"):
        run("music", "encode", "tunes")


def test_a_text_has_its_own_grid(run, tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)
    with pytest.raises(UsageError, match=r"a\.txt is a text, which says its own grid"):
        run("music", "encode", "a.txt", "--grid", "24")
