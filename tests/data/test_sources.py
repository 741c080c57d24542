"""Every kind of text that can be named, and every way in which one cannot be used."""

import ast
import codecs
import io
import os
import sys
from pathlib import Path

import pytest

from char_rnn.data import choosing, sources
from char_rnn.data.sources import CHUNK, open_source
from char_rnn.errors import DataError, NotText, TextNotFound, TextTooShort, UsageError
from char_rnn.text_config import TextConfig


def file(folder: Path, data: bytes, name: str = "a.txt") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def read(text: str | Path, **options: bool) -> str:
    return "".join(open_source(text, **options).chunks())


def message(error: pytest.ExceptionInfo[BaseException]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_a_file_is_read_as_it_is_and_again(tmp_path: Path) -> None:
    path = file(tmp_path, "a\r\nb\rc\né".encode(), "my.text.txt")
    source = open_source(str(path))
    assert (source.name, source.where, source.notes) == ("my.text", str(path), [])
    assert "".join(source.chunks()) == "".join(source.chunks()) == "a\nb\nc\né"
    (note,) = source.notes  # once, though it was read twice
    assert note == "line ends read as LF: 1 CR LF and 1 CR (--keep_line_ends leaves them)"
    kept = open_source(path, TextConfig(keep_line_ends=True))
    assert "".join(kept.chunks()) == "a\r\nb\rc\né" and not kept.notes
    assert kept.key() != source.key()
    assert b"".join(source.byte_chunks()) == b"".join(source.byte_chunks()) == path.read_bytes()


def test_where_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file(tmp_path, b"x")
    monkeypatch.chdir(tmp_path)
    source = open_source("a.txt")
    assert Path(source.where).is_absolute()
    monkeypatch.chdir(tmp_path.parent)
    assert "".join(source.chunks()) == "x"


def test_the_byte_order_mark_is_dropped_at_the_start_only(tmp_path: Path) -> None:
    path = file(tmp_path, codecs.BOM_UTF8 + "a\ufeffb".encode())
    assert read(path) == "a\ufeffb"
    assert b"".join(open_source(path, TextConfig(True)).byte_chunks()) == path.read_bytes()


def test_characters_split_at_chunk_borders(tmp_path: Path) -> None:
    text = "x" + "é€😀" * (CHUNK // 2)
    path = file(tmp_path, text.encode())
    pieces = list(open_source(path).chunks())
    assert "".join(pieces) == text
    assert len(pieces) > 1
    assert max(map(len, pieces)) < 3 * CHUNK
    assert max(map(len, open_source(path).byte_chunks())) < 3 * CHUNK


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"ab\xffc", 2),
        (codecs.BOM_UTF8 + b"ab\xffc", 5),
        (b"x" * (CHUNK + 7) + b"\xff" + b"y", CHUNK + 7),
        (codecs.BOM_UTF8 + b"x" * (2 * CHUNK) + b"\xff", 2 * CHUNK + 3),
        (b"x" * (CHUNK - 1) + b"\xc3" + b"(" + b"y", CHUNK - 1),  # split at the border
        (b"x" * (CHUNK - 2) + b"\xe2\x82" + b"(", CHUNK - 2),
        (b"x" * (CHUNK - 2) + b"\xe2\x82" + b"\xac" + b"\x80", CHUNK + 1),
        (b"x" * (CHUNK - 1) + b"\xe2", CHUNK - 1),  # cut off at the end
        (b"abc\xe2\x82", 3),
    ],
)
def test_invalid_utf8_names_the_offset(tmp_path: Path, data: bytes, offset: int) -> None:
    path = file(tmp_path, data)
    with pytest.raises(NotText) as error:
        read(path)
    text = message(error)
    assert f"byte offset {offset} " in text
    assert str(path) in text
    assert "--bytes" in text
    assert b"".join(open_source(path, TextConfig(True)).byte_chunks()) == data


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"ab\0c", 2),
        (codecs.BOM_UTF8 + b"\0", 3),
        (b"x" * (CHUNK - 1) + b"\xc3\xa9" + b"\0", CHUNK + 1),
    ],
)
def test_a_nul_byte_looks_binary(tmp_path: Path, data: bytes, offset: int) -> None:
    path = file(tmp_path, data)
    with pytest.raises(NotText, match=f"NUL byte at byte offset {offset}, .*binary.*--bytes") as e:
        read(path)
    assert str(path) in message(e)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_other_encodings_are_read_by_their_mark(tmp_path: Path, encoding: str) -> None:
    path = file(tmp_path, "\ufeffhellö\r\n\ufeff".encode(encoding))
    assert read(path) == read(tmp_path) == "hellö\n\ufeff"
    path.write_bytes("\ufeffhellö".encode(encoding)[:-1])
    with pytest.raises(NotText, match=f"not valid {encoding[:6].upper()} at byte offset") as error:
        read(path)
    assert str(path) in message(error)
    path.write_bytes("\ufeff".encode(encoding))
    with pytest.raises(TextTooShort):
        open_source(path)


def test_a_missing_file_lists_the_built_ins(tmp_path: Path) -> None:
    with pytest.raises(TextNotFound, match=r"nowhere\.txt") as error:
        open_source(tmp_path / "nowhere.txt")
    for name in ("python-code", "python-docs", "shakespeare"):
        assert name in message(error)
    for odd in (file(tmp_path, b"x") / "below", "", "a\0b", "two\nlines"):
        with pytest.raises(DataError) as error:
            open_source(odd)
        message(error)


def test_empty_texts(tmp_path: Path) -> None:
    for data in (b"", codecs.BOM_UTF8):
        with pytest.raises(TextTooShort, match="empty") as error:
            open_source(file(tmp_path, data))
        message(error)
    assert list(open_source(file(tmp_path, codecs.BOM_UTF8), TextConfig(True)).byte_chunks())
    path = file(tmp_path, b"x")
    source = open_source(path)
    path.write_bytes(b"")
    with pytest.raises(TextTooShort):
        list(source.chunks())
    with pytest.raises(TextTooShort):
        list(source.byte_chunks())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="not a regular file") as error:
        open_source(tmp_path / "pipe")
    message(error)


def test_refusals_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, b"x")
    source = open_source(path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom nothing stops
    for use in (
        lambda: open_source(path),
        lambda: open_source(tmp_path),
        lambda: list(source.chunks()),
        lambda: list(source.byte_chunks()),
    ):
        with pytest.raises(DataError, match=r"a\.txt: cannot be read: permission denied") as error:
            use()
        message(error)


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    path = file(tmp_path, b"x")
    source = open_source(path)
    path.unlink()
    for use in (lambda: list(source.chunks()), source.key):
        with pytest.raises(TextNotFound, match=r"a\.txt"):
            use()


def test_a_folder(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    file(root, b"last", "z.md")
    file(root, b"two\n", "b/c.txt")
    file(root, codecs.BOM_UTF8 + b"one", "a.txt")
    file(root, b"", "b/a-empty.txt")
    file(root, b"upper", "Z.txt")
    file(root, b"bin\0ary", "b/picture.png")
    file(root, b"latin \xe9 text", "latin.txt")
    file(root, b"hidden", ".hidden")
    file(root, b"hidden", ".git/config")
    file(root, b"x" * 65535 + "é".encode(), "m.txt")  # split at the border of what is looked at
    source = open_source(root)
    assert (source.name, source.where) == ("corpus", str(root))
    expected = "upper\none\ntwo\n" + "x" * 65535 + "é\nlast"
    assert "".join(source.chunks()) == "".join(source.chunks()) == expected
    (note,) = source.notes
    assert note == "skipped 2 files that are not UTF-8 text: b/picture.png, latin.txt"
    everything = b"".join(open_source(root, TextConfig(True)).byte_chunks())
    assert everything.startswith(b"upper" + codecs.BOM_UTF8 + b"onetwo\nbin\0arylatin \xe9 text")
    assert b"hidden" not in everything


def test_small_files_are_gathered_into_chunks(tmp_path: Path) -> None:
    for i in range(50):
        file(tmp_path, b"x\n", f"{i}.txt")
    assert list(open_source(tmp_path).chunks()) == ["x\n" * 50]
    assert list(open_source(tmp_path).byte_chunks()) == [b"x\n" * 50]


def test_small_files_are_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(9):
        file(tmp_path, b"x\r\n" * 100, f"{i}.txt")
    opened: list[Path] = []
    real = Path.open

    def count(path: Path, *more: object, **named: object) -> object:
        opened.append(path)
        return real(path, *more, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", count)
    source = open_source(tmp_path)
    assert "".join(source.chunks()) == "".join(source.chunks()) == "x\n" * 900
    assert b"".join(source.byte_chunks()) == b"x\r\n" * 900
    assert len(opened) == len(set(opened)) == 9
    key = source.key()
    monkeypatch.setattr(choosing, "MOST_KEPT", 1000)  # three of them
    other = open_source(tmp_path)
    assert other.key() == key and "".join(other.chunks()) == "x\n" * 900
    assert len(opened) == 9 + 9 + 6


def test_links_in_a_folder(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    file(root, b"here\n")
    file(tmp_path, b"far\n", "other/far.txt")
    try:
        (root / "link").symlink_to(tmp_path / "other", target_is_directory=True)
        (root / "loop").symlink_to(root, target_is_directory=True)
        (root / "z.txt").symlink_to(root / "a.txt")
        (root / "gone.txt").symlink_to(tmp_path / "gone")
    except OSError:
        pytest.skip("no symbolic links here")
    assert read(root) == "here\nhere\n"
    assert open_source(root).notes == ["skipped 1 file that is not regular: gone.txt"]


def code(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    file(root, b"import a\n", "main.py")
    file(root, b"class A:\n    x = 1", "src/a.py")
    file(root, b"", "src/__init__.py")
    file(root, "# é\n".encode(), "tests/a_test.py")
    file(root, b"# B\n", "B.PY")
    file(root, b"read me\n", "README.md")
    file(root, b"hidden\n", ".tox/x.py")
    file(root, b"caf\xe9\n", "src/latin.py")
    file(root, b"\0", "src/a.pyc")
    return root


def test_a_pattern_chooses_files_and_their_ends_are_told(tmp_path: Path) -> None:
    root = code(tmp_path)
    source = open_source(root, TextConfig(pattern=["*.py"]))
    text = "import a\n\f\nclass A:\n    x = 1\n\f\n# é\n"
    assert "".join(source.chunks()) == "".join(source.chunks()) == text
    ast.parse(text)
    (note,) = source.notes
    assert "skipped 1 file that is" in note  # README.md and a.pyc were not asked for
    as_bytes = open_source(root, TextConfig(True, pattern=["*.py"]))
    expected = b"import a\n\f\nclass A:\n    x = 1\n\f\ncaf\xe9\n\f\n# \xc3\xa9\n"
    assert b"".join(as_bytes.byte_chunks()) == expected
    assert not as_bytes.notes and as_bytes.key() != source.key()


@pytest.mark.parametrize(
    ("patterns", "first_words"),
    [
        (["*.md", "main.*"], ["read", "import"]),
        (["src/*"], ["class"]),
        (["*/a*.py"], ["class", "#"]),
        (["?.py"], ["class"]),
        (["[a-m]*.py"], ["import", "class", "#"]),
        (["*.PY"], ["#"]),
        (["*"], ["#", "read", "import", "class", "#"]),
    ],
)
def test_patterns(tmp_path: Path, patterns: list[str], first_words: list[str]) -> None:
    text = "".join(open_source(code(tmp_path), TextConfig(pattern=patterns)).chunks())
    assert [part.split()[0] for part in text.split("\f\n")] == first_words


def test_one_file_and_a_plain_folder_have_no_separator(tmp_path: Path) -> None:
    root = code(tmp_path)
    assert "\f" not in "".join(open_source(root, TextConfig(pattern=["main.py"])).chunks())
    assert "\f" not in read(root)
    assert "\f" not in read(root / "main.py")
    plain, chosen = (open_source(root, TextConfig(pattern=some)) for some in ([], ["*"]))
    assert plain.parts == chosen.parts and plain.key() != chosen.key()


def test_separators_stand_where_chunks_meet(tmp_path: Path) -> None:
    for name, size in (("a", CHUNK), ("b", CHUNK - 1), ("c", 3)):
        file(tmp_path, name.encode() * size, f"{name}.txt")
    pieces = list(open_source(tmp_path, TextConfig(pattern=["*.txt"])).chunks())
    assert "".join(pieces) == "a" * CHUNK + "\n\f\n" + "b" * (CHUNK - 1) + "\n\f\n" + "ccc"
    assert max(map(len, pieces)) < 3 * CHUNK


def test_patterns_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = code(tmp_path)
    with pytest.raises(
        TextNotFound, match=r"match '\*.rs' or '\*.c' in.*another pattern \(--pattern\)"
    ) as error:
        open_source(root, TextConfig(pattern=["*.rs", "*.c"]))
    message(error)
    with pytest.raises(TextNotFound, match="skipped 1 file that is"):
        open_source(root, TextConfig(pattern=["*latin.py"]))
    with pytest.raises(TextTooShort, match="empty"):
        open_source(root, TextConfig(pattern=["__init__.py"]))
    monkeypatch.chdir(root)
    for name in ("main.py", "-", "python-docs"):
        with pytest.raises(UsageError, match=r"'\*.py'.*folder") as usage:
            open_source(name, TextConfig(pattern=["*.py"]))
        message(usage)
    with pytest.raises(TextNotFound, match="no such file or folder"):
        open_source("nowhere", TextConfig(pattern=["*.py"]))


def test_a_folder_without_text(tmp_path: Path) -> None:
    with pytest.raises(TextNotFound, match="no text files") as error:
        open_source(tmp_path)
    file(tmp_path, b"\0")
    with pytest.raises(TextNotFound, match="skipped 1 file that is") as error:
        open_source(tmp_path)
    message(error)
    file(tmp_path, b"", "b.txt")
    with pytest.raises(TextTooShort, match="empty") as short:
        open_source(tmp_path)
    message(short)


def test_a_folder_with_an_error_late_in_a_file_names_the_file(tmp_path: Path) -> None:
    file(tmp_path, b"fine")
    file(tmp_path, b"x" * 70000 + b"\xff", "late.txt")
    with pytest.raises(NotText, match=r"late\.txt.*byte offset 70000 "):
        read(tmp_path)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(codecs.BOM_UTF8 + "é\r\n".encode()))
    source = open_source("-")
    assert (source.name, source.where) == ("stdin", "-")
    assert "".join(source.chunks()) == "".join(source.chunks()) == "é\n"
    assert b"".join(source.byte_chunks()) == codecs.BOM_UTF8 + "é\r\n".encode()
    monkeypatch.setattr(sys, "stdin", Stdin(b"other"))
    assert open_source("-").key() != source.key()
    monkeypatch.setattr(sys, "stdin", Stdin(b"other"))
    assert open_source("-").key() == open_source_key(b"other", monkeypatch)


def open_source_key(data: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stdin", Stdin(data))
    return open_source("-").key()


def test_standard_input_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b""))
    with pytest.raises(TextTooShort, match="standard input"):
        open_source("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="standard input"):
        open_source("-")
    monkeypatch.setattr(sys, "stdin", Stdin(b"x" * (CHUNK - 1) + b"\xc3("))
    with pytest.raises(NotText, match=f"standard input.*byte offset {CHUNK - 1} "):
        read("-")


def test_the_key_follows_the_files(tmp_path: Path) -> None:
    path = file(tmp_path, b"abc")
    key = open_source(path).key()
    assert key == open_source(path).key()
    int(key, 16)
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 10**9))
    changed = open_source(path).key()
    assert changed != key
    path.write_bytes(b"abcd")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 10**9))
    assert open_source(path).key() != changed
    folder = open_source(tmp_path).key()
    file(tmp_path, b"new", "b.txt")
    assert open_source(tmp_path).key() != folder


def test_a_path_wins_over_a_built_in_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file(tmp_path, b"mine", "python-docs")
    monkeypatch.chdir(tmp_path)
    source = open_source("python-docs")
    assert "".join(source.chunks()) == "mine"
    assert "current folder" in source.notes[0]


def test_nothing_heavy_is_imported() -> None:
    import subprocess

    code = "import sys, char_rnn.data.sources; print({'pooch', 'platformdirs'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(Path(sources.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
