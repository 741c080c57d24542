"""A corpus is the same in memory and in a file, and the file is never stale."""

import json
import os
import tempfile

import numpy as np
import pytest

from char_rnn.data import id_file
from char_rnn.data.corpus import Corpus
from char_rnn.data.sources import open_source
from char_rnn.data.vocabulary import Vocabulary
from char_rnn.errors import DataError, TextTooShort, UsageError
from char_rnn.text_config import TextConfig

TEXT = "déjà vu, " * 5000


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAR_RNN_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "text.txt"
    file.write_text(TEXT, "utf-8", newline="")
    return file


def load(path, limit=0, as_bytes=False):
    source = open_source(path, TextConfig(as_bytes))
    return Corpus.from_source(source, memory_limit=limit)


@pytest.mark.parametrize("as_bytes", [False, True])
def test_memory_and_file_are_the_same(path, as_bytes):
    memory, file = load(path, 2**30, as_bytes), load(path, 0, as_bytes)
    again = load(path, 0, as_bytes)
    for corpus in (file, again):
        assert corpus.vocabulary == memory.vocabulary and corpus.sha256 == memory.sha256
        np.testing.assert_array_equal(corpus.read(0, corpus.length), memory.read(0, memory.length))
        starts = np.array([0, 7, 100])
        np.testing.assert_array_equal(corpus.read_rows(starts, 9), memory.read_rows(starts, 9))
    assert file.preview(7) == memory.preview(7)
    assert memory.length == len(TEXT.encode() if as_bytes else TEXT)


def test_the_cache_is_used_and_a_changed_text_is_noticed(path, tmp_path):
    first = load(path)
    files = sorted((tmp_path / "cache").iterdir())
    assert len(files) == 2 and not [f for f in files if f.suffix == ".tmp"]
    times = [f.stat().st_mtime_ns for f in files]
    load(path)
    assert [f.stat().st_mtime_ns for f in files] == times
    changed = TEXT.replace("vu", "vv")
    path.write_text(changed, "utf-8", newline="")
    os.utime(path, ns=(1, 1))
    second = load(path)
    assert second.sha256 != first.sha256 and second.preview(7) == changed[:7]


def test_the_cache_holds_as_many_characters_as_there_are(path):
    path.write_text("".join(map(chr, range(0x10000, 0x10000 + 90_000))), "utf-8")
    assert not load(path).notes and not load(path).notes


def edited(header, **changes):
    header.write_text(json.dumps(json.loads(header.read_text()) | changes))


DAMAGES = {
    "shorter": lambda ids, header: ids.write_bytes(ids.read_bytes()[:-1]),
    "longer": lambda ids, header: ids.write_bytes(ids.read_bytes() + b"\0"),
    "another byte": lambda ids, header: ids.write_bytes(b"\1" + ids.read_bytes()[1:]),
    "out of range": lambda ids, header: ids.write_bytes(ids.read_bytes()[:-1] + b"\xff"),
    "a folder": lambda ids, header: (ids.unlink(), ids.mkdir()),
    "half a header": lambda ids, header: header.write_text("{"),
    "a list": lambda ids, header: header.write_text("[]"),
    "deep": lambda ids, header: header.write_text("[" * 10**5),
    "no length": lambda ids, header: edited(header, length=None),
    "endless": lambda ids, header: edited(header, length=10**400),
    "no digest": lambda ids, header: edited(header, sha256={}),
    "no vocabulary": lambda ids, header: edited(header, vocabulary=7),
    "other characters": lambda ids, header: edited(
        header, vocabulary={"kind": "characters", "characters": list("abcdefgh")}
    ),
    "bytes": lambda ids, header: edited(header, vocabulary={"kind": "bytes"}),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_cache_is_made_again(path, tmp_path, damage):
    load(path)
    (ids,) = (tmp_path / "cache").glob("*.bin")
    (header,) = (tmp_path / "cache").glob("*.json")
    whole = ids.read_bytes()
    damage(ids, header)
    again = load(path)
    assert again.preview(again.length) == TEXT and "damaged" in again.notes[0]
    if not ids.is_dir():
        assert ids.read_bytes() == whole and not load(path).notes


def test_a_cache_that_agrees_with_itself_must_fit_the_vocabulary_that_is_asked_for(path, tmp_path):
    own = Vocabulary(TEXT + "xyz")
    source = open_source(path)
    first = Corpus.from_source(source, vocabulary=own, memory_limit=0)
    (header,) = (tmp_path / "cache").glob("*.json")
    (ids,) = (tmp_path / "cache").glob("*.bin")
    other = Corpus.from_text(TEXT, Vocabulary(TEXT + "öäü"))
    ids.write_bytes(other.read(0, other.length).tobytes())
    edited(header, vocabulary=other.vocabulary.to_dict(), sha256=other.sha256)
    again = Corpus.from_source(source, vocabulary=own, memory_limit=0)
    assert again.vocabulary == own and again.sha256 == first.sha256


def other_bytes(file):
    with file.open("r+b") as ids:
        ids.write(bytes([1] * 9))
    os.utime(file, ns=(1, 1))  # clocks of file systems are coarse


@pytest.mark.parametrize(
    "change", [other_bytes, lambda file: os.truncate(file, 100), lambda file: os.truncate(file, 0)]
)
def test_a_cache_that_changes_while_it_is_read_is_told_and_made_again(path, tmp_path, change):
    corpus = load(path)
    (ids,) = (tmp_path / "cache").glob("*.bin")
    change(ids)
    with pytest.raises(DataError, match="changed while it was in use"):
        corpus.read_rows(np.array([0, 1000]), 10)
    assert load(path).preview(9) == TEXT[:9]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps an open file where it is")
def test_a_cache_that_is_deleted_while_it_is_read_stays_readable(path, tmp_path):
    corpus = load(path)
    for file in (tmp_path / "cache").iterdir():
        file.unlink()
    assert corpus.preview(corpus.length) == TEXT


def test_ids_out_of_range_never_leave_the_file(path, tmp_path, monkeypatch):
    corpus = load(path)
    (ids,) = (tmp_path / "cache").glob("*.bin")
    monkeypatch.setattr(id_file.IdFile, "_state_now", lambda self: self._state)
    with ids.open("r+b") as file:
        file.write(b"\xff")
    with pytest.raises(DataError):
        corpus.read(0, 5)


def test_without_a_folder_to_write_to_the_ids_are_kept_elsewhere(path, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CHAR_RNN_CACHE", str(tmp_path / "file" / "cache"))
    corpus = load(path)
    assert corpus.preview(corpus.length) == TEXT
    assert "CHAR_RNN_CACHE" in corpus.notes[0]
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="CHAR_RNN_CACHE"):
        load(path)


def test_a_link_in_the_cache_leads_nowhere(path, tmp_path):
    load(path)
    (ids,) = (tmp_path / "cache").glob("*.bin")
    (tmp_path / "precious").write_text("kept")
    ids.unlink()
    try:
        ids.symlink_to(tmp_path / "precious")
    except OSError:
        pytest.skip("no links here")
    assert load(path).preview(9) == TEXT[:9]
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_cache_of_nobody(path, monkeypatch):
    monkeypatch.setenv("CHAR_RNN_CACHE", "~no-such-user/x")
    with pytest.raises(UsageError, match="CHAR_RNN_CACHE is '~no-such-user/x'"):
        load(path)


@pytest.mark.parametrize("limit", [0, 2**30])
def test_a_text_that_shrinks_while_it_is_read_is_noticed(path, limit):
    source = open_source(path)
    times = []

    class Shrinking:
        name, where, notes, config = source.name, source.where, source.notes, source.config

        def chunks(self):
            times.append(1)
            yield TEXT if len(times) == 1 else TEXT[:-9]

        def key(self):
            return f"shrinking {limit}"

    with pytest.raises(DataError, match="changed while"):
        Corpus.from_source(Shrinking(), memory_limit=limit)
    assert not list((path.parent / "cache").glob("*"))


def test_edges():
    assert "nothing but 'a'" in Corpus.from_text("aaa").notes[0]
    assert not Corpus.from_text("ab").notes
    with pytest.raises(TextTooShort):
        Corpus.from_text("")
    with pytest.raises(TextTooShort):
        Corpus.from_text(b"")
