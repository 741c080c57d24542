"""A corpus is the same in memory and in a file, and the file is never stale."""

import os

import numpy as np
import pytest

from char_rnn.data import corpus as module
from char_rnn.data.corpus import Corpus
from char_rnn.data.sources import open_source
from char_rnn.errors import DataError, TextTooShort

TEXT = "déjà vu, " * 5000


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAR_RNN_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "text.txt"
    file.write_text(TEXT, "utf-8", newline="")
    return file


def load(path, limit=0, as_bytes=False):
    source = open_source(path, as_bytes=as_bytes)
    return Corpus.from_source(source, as_bytes=as_bytes, memory_limit=limit)


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


def test_a_damaged_cache_is_made_again(path, tmp_path):
    load(path)
    (ids,) = (tmp_path / "cache").glob("*.bin")
    (header,) = (tmp_path / "cache").glob("*.json")
    whole = ids.read_bytes()
    ids.write_bytes(whole[:-1])
    assert load(path).preview(100) == TEXT[:100] and ids.read_bytes() == whole
    ids.write_bytes(whole + b"x")
    assert load(path).length == len(TEXT) and ids.read_bytes() == whole
    header.write_text("{")
    assert load(path).preview(100) == TEXT[:100]


def test_the_map_is_opened_again_now_and_then(path, monkeypatch):
    corpus = load(path)
    opened = []
    honest = module.IdFile._open
    monkeypatch.setattr(module, "PAGES_LIMIT", 1_000_000)
    monkeypatch.setattr(module.IdFile, "_open", lambda self: (opened.append(1), honest(self)))
    for start in range(0, 40_000, 100):
        corpus.read(start, start + 100)
    assert 10 < len(opened) < 30
    assert corpus.preview(5) == TEXT[:5]


@pytest.mark.parametrize("limit", [0, 2**30])
def test_a_text_that_shrinks_while_it_is_read_is_noticed(path, limit):
    source = open_source(path)
    times = []

    class Shrinking:
        name, where, notes = source.name, source.where, source.notes

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
