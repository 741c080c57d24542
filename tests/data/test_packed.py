"""Compressed files are texts; damaged ones, bombs and what is no text are told."""

import bz2
import gzip
import io
import lzma
import random
import sys
import zipfile

import pytest

from char_rnn.data import packed
from char_rnn.data.sources import open_source
from char_rnn.errors import DataError, NotText, TextNotFound, TextTooShort
from char_rnn.text_config import TextConfig

TEXT = "Ein Text,\r\nso lang.\n" * 5000
PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def read(text, **config):
    return "".join(open_source(text, TextConfig(**config)).chunks())


def zipped(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("suffix", PACK)
def test_a_compressed_file_is_what_it_holds(tmp_path, suffix):
    pack = PACK[suffix]
    path = tmp_path / f"book.txt{suffix}"
    path.write_bytes(pack(TEXT.encode()) + pack(b"more"))  # two streams, as `cat a.gz b.gz`
    source = open_source(path)
    assert source.name == "book"
    assert "".join(source.chunks()) == "".join(source.chunks()) == TEXT.replace("\r", "") + "more"
    assert b"".join(source.byte_chunks()) == TEXT.encode() + b"more"
    raw = open_source(path, TextConfig(True))
    assert b"".join(raw.byte_chunks()) == path.read_bytes()
    path = path.rename(tmp_path / "no suffix")  # its first bytes tell
    assert read(path) == read(tmp_path) == TEXT.replace("\r", "") + "more"
    path.write_bytes(pack("Grün".encode("cp1252")))
    assert read(path, encoding="cp1252") == "Grün"
    path.write_bytes(pack(b""))
    with pytest.raises(TextTooShort):
        open_source(path)


@pytest.mark.parametrize("suffix", [*PACK, ".zip"])
@pytest.mark.parametrize("harm", ["cut", "changed", "more"])
def test_what_is_damaged_is_named(tmp_path, suffix, harm):
    path, rng = tmp_path / f"book{suffix}", random.Random(5)
    text = "".join(rng.choices("abcdefgh ", k=30_000))
    if suffix == ".zip":
        zipped(path, {"a.txt": text})
    else:
        path.write_bytes(PACK[suffix](text.encode()))
    data = bytearray(path.read_bytes())
    if harm == "cut":
        data = data[: len(data) // 2]
    elif harm == "changed":
        data[len(data) // 2] ^= 255
    elif suffix == ".zip":
        data[:0] = b"PK\x03\x04"
    else:
        data += b"and more"
    path.write_bytes(data)
    if harm == "more" and suffix in (".zip", ".bz2"):  # what stands around it does no harm
        assert read(path) == read(tmp_path) == text
        return
    for name in (path, tmp_path):
        with pytest.raises(DataError) as error:
            read(name)
        said = str(error.value)
        assert path.name in said and "damaged" in said and said.isprintable()


def test_members_of_an_archive(tmp_path):
    tar = bytearray(512)
    tar[257:262] = b"ustar"
    path = zipped(
        tmp_path / "texts.zip",
        {
            "b/two.txt": "two", "a.txt": "one\r\n", "empty.txt": "", ".hidden": "no",
            "__MACOSX/a.txt": "no", "b/.git/x": "no", "inner.zip": b"PK\x03\x04 and so on",
            "c.png": b"\0\1", "folder/": "", "t.tar": bytes(tar), "/etc/absolute.txt": "three",
            "../../up.txt": "four", "latin.txt": "Grün".encode("latin-1"),
        },
    )  # fmt: skip
    source = open_source(path)
    assert (source.name, source.where) == ("texts", str(path))
    assert "".join(source.chunks()) == "four\nthree\none\ntwo"
    assert source.notes[:2] == [
        "skipped 2 files that are not UTF-8 text: texts.zip: c.png, texts.zip: latin.txt",
        "skipped 2 files that are packed inside another: texts.zip: inner.zip, texts.zip: t.tar",
    ]
    assert [name.name for name in tmp_path.iterdir()] == ["texts.zip"]  # nothing is unpacked
    assert [list(unit) for unit in source.units(True)] == [[b"four"], [b"three"], [b"one\r\n"],
                                                           [b"two"]]  # fmt: skip
    assert read(tmp_path) == "four\nthree\none\ntwo"
    chosen = open_source(path, TextConfig(pattern=("b/*", "a.*")))
    assert "".join(chosen.chunks()) == "one\n\f\ntwo"
    assert b"".join(open_source(path, TextConfig(True)).byte_chunks()) == path.read_bytes()
    with pytest.raises(TextNotFound, match=r"no text files that match '\*.rs' in this archive"):
        open_source(path, TextConfig(pattern=("*.rs",)))


def test_archives_that_are_no_texts(tmp_path):
    path = zipped(tmp_path / "a.docx", {"[Content_Types].xml": "<x/>", "word/document.xml": "<x/>"})
    with pytest.raises(TextNotFound, match="packed, but a document or a program"):
        open_source(path)
    zipped(path, {})
    with pytest.raises(TextNotFound, match="no text files in this archive"):
        open_source(path)
    zipped(path, {"a.txt": ""})
    with pytest.raises(TextTooShort):
        open_source(path)
    zipped(path, {"a.txt": "a text of some length" * 9}, zipfile.ZIP_LZMA)
    with pytest.raises(TextNotFound, match="compressed in a way that is not known"):
        open_source(path)
    zipped(path, {"secret.txt": "a text", "a.txt": "other"})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the first is encrypted, as both its headers say
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    source = open_source(path)
    assert source.notes == ["skipped 1 file that is encrypted: a.docx: secret.txt"]
    assert "".join(source.chunks()) == "other"


def test_a_tar_is_binary(tmp_path):
    path = tmp_path / "a.tar.gz"
    tar = bytearray(1024)
    tar[:5], tar[257:262] = b"a.txt", b"ustar"
    path.write_bytes(gzip.compress(bytes(tar)))
    with pytest.raises(NotText, match="NUL"):
        read(path)
    with pytest.raises(TextNotFound, match="packed inside another"):
        open_source(tmp_path)


@pytest.mark.parametrize("suffix", [*PACK, ".zip"])
def test_a_bomb_is_given_up(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(packed, "FREE", 2**20)
    monkeypatch.setattr(packed, "RATIO", 100)
    path = tmp_path / f"bomb{suffix}"
    if suffix == ".zip":
        zipped(path, dict.fromkeys(map(str, range(20)), b" " * 2**16))
        with pytest.raises(DataError, match="unpacks to more than"):
            open_source(path)  # which reads the beginning of each
        zipped(path, dict.fromkeys("abcd", b" " * 2**20))
    else:
        path.write_bytes(PACK[suffix](b" " * 2**22))
    with pytest.raises(DataError, match=r"unpacks to more than 1,048,576 bytes.*if you trust it"):
        read(path)
    monkeypatch.setattr(packed, "FREE", 2**22)
    assert len(read(path).replace("\n", "")) == 2**22
    monkeypatch.setattr(packed, "MOST", 2**21)
    with pytest.raises(DataError, match="unpacks to more than 2,097,152 bytes"):
        read(path)


def test_a_dictionary_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "_XZ_MEMORY", 2**20)
    path = tmp_path / "a.xz"
    path.write_bytes(lzma.compress(b"a text"))
    with pytest.raises(DataError, match="damaged or cut off, as xz: Memory usage limit"):
        read(path)


def test_standard_input(tmp_path, monkeypatch):
    path = zipped(tmp_path / "a.zip", {"a.txt": "one", "b.bin": b"\0"})
    for data, text in ((gzip.compress(b"a text"), "a text"), (path.read_bytes(), "one")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        source = open_source("-")
        assert "".join(source.chunks()) == text and source.name == "stdin"
