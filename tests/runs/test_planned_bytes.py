"""A text of very many characters is planned as bytes, if it is one that bytes can stand for."""

import gzip

import pytest

from char_rnn import Corpus, Run
from char_rnn.runs.new import MANY_CHARACTERS, NewRun

FEW = "".join(map(chr, range(0x4E00, 0x4E00 + MANY_CHARACTERS - 2))) + "\n"
MANY = "".join(map(chr, range(0x4E00, 0x4E00 + MANY_CHARACTERS))) + "\r\nand more\n"
MINUTES = {"minutes": 0.001, "threads": 1}


def planned(text, **given):
    new = NewRun(text, MINUTES | given, save=False)
    new.plan()
    return new


def test_many_characters_become_bytes(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes(MANY.encode())
    new = planned(path)
    assert new.corpus.vocabulary.kind == "bytes" and new.corpus.to_bytes() == MANY.encode()
    assert any("1,009 distinct characters" in note for note in new.notes)
    assert any("--characters" in reason for reason in new.reasons)
    assert planned(MANY).corpus.vocabulary.kind == "bytes"
    lines = planned(path, documents="lines").corpus
    assert lines.vocabulary.size == 257 and len(lines.ends) == 3


@pytest.mark.parametrize(
    "given",
    [
        {"bytes": False},
        {"lowercase": True},
        {"normalize": "NFC"},
        {"min_count": 2},
        {"keep_line_ends": True},
    ],
)
def test_what_is_said_of_characters_keeps_them(given):
    assert planned(MANY * 2, **given).corpus.vocabulary.kind == "characters"


def test_few_characters_and_other_lengths_keep_them():
    assert planned(FEW).corpus.vocabulary.kind == "characters"
    new = NewRun(MANY, {"iterations": 2}, save=False)
    new.plan()
    assert new.corpus.vocabulary.kind == "characters"
    assert planned(Corpus.from_text(MANY)).corpus.vocabulary.kind == "characters"


def test_bytes_that_are_not_this_text_in_utf_8_are_not_taken(tmp_path):
    utf_16, packed, folder = tmp_path / "u.txt", tmp_path / "t.txt.gz", tmp_path / "folder"
    utf_16.write_bytes(MANY.encode("utf-16"))
    packed.write_bytes(gzip.compress(MANY.encode()))
    folder.mkdir()
    (folder / "a.txt").write_text(MANY, "utf-8")
    assert planned(folder).corpus.vocabulary.kind == "bytes"
    (folder / "b.png").write_bytes(bytes(range(256)) * 9)
    for text in (utf_16, packed, folder):
        assert planned(text).corpus.vocabulary.kind == "characters", text


def test_a_run_goes_on_with_its_bytes(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes(MANY.encode() * 3)
    new = NewRun(path, MINUTES, out=tmp_path / "run")
    new.plan()
    run, trainer = new.make()
    assert trainer.corpus.vocabulary.kind == "bytes"
    run.release()
    again = Run.open(tmp_path / "run")
    assert again.text.reading.bytes and again.corpus().sha256 == trainer.corpus.sha256
