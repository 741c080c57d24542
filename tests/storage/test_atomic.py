"""A file is either the old one or the new one, whatever happens to its writer."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from char_rnn.errors import CorruptFile, FileError, UsageError
from char_rnn.storage import (
    atomic,
    check_folder,
    check_writable,
    read_bytes,
    read_json,
    remove_leftovers,
    replacing,
    write_bytes,
    write_json,
    write_text,
)

posix = pytest.mark.skipif(os.name == "nt", reason="permissions, pipes and signals of POSIX")


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"\0\xff\r\n")
    write_text(tmp_path / "b", "é\r\n\n")
    write_json(str(tmp_path / "c"), {"é": [1, None]})
    assert (tmp_path / "a").read_bytes() == b"\0\xff\r\n"
    assert (tmp_path / "b").read_bytes() == "é\r\n\n".encode()
    assert read_json(tmp_path / "c") == {"é": [1, None]}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "c"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_a_writer_that_fails_changes_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path) as file:
        file.write(b"new" * 100_000)
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_is_one_line_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (atomic, "_rename")), full)
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(FileError, match=r"a: cannot be written: No space left on device$"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_a_file_error(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (
        tmp_path / "missing" / "a",
        tmp_path / "folder",
        tmp_path / "a\0b",
        tmp_path / ("x" * 999),
    ):
        with pytest.raises(FileError) as caught:
            write_bytes(path, b"new")
        assert "\n" not in str(caught.value)
    assert list((tmp_path / "folder").iterdir()) == []


def test_errors_of_the_block_keep_their_type(tmp_path: Path) -> None:
    with pytest.raises(UnicodeError), replacing(tmp_path / "a") as file:
        file.write("\ud800".encode())


@posix
def test_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "new", b"")
        kept = tmp_path / "kept"
        kept.touch()
        kept.chmod(0o604)
        write_bytes(kept, b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert stat.S_IMODE(kept.stat().st_mode) == 0o604


@posix
def test_a_link_stays_and_a_pipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="not a regular file"):
        write_bytes(tmp_path / "pipe", b"new")
    with pytest.raises(FileError, match="not a regular file"):
        read_bytes(tmp_path / "pipe", 10)


def test_windows_virus_scanners_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = Path.replace, [PermissionError(), PermissionError()]

    def held_open(self: Path, target: Path) -> Path:
        if failures:
            raise failures.pop()
        return real(self, target)

    monkeypatch.setattr(atomic, "_ON_WINDOWS", True)
    monkeypatch.setattr(Path, "replace", held_open)
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


@posix
def test_a_killed_writer_leaves_the_old_file_and_a_leftover(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    (tmp_path / ".char-rnn-notes.tmp").touch()  # not ours
    program = (
        "import sys, time\nfrom char_rnn.storage import replacing\n"
        "with replacing(sys.argv[1]) as file:\n"
        "    file.write(b'n' * 100_000)\n    file.flush()\n"
        "    print('writing', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == b"writing"
        writer.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 3
    assert remove_leftovers(tmp_path) == []  # too young: its writer may be alive
    (leftover,) = remove_leftovers(tmp_path, older_than=0)
    assert not leftover.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".char-rnn-notes.tmp", "a"]


def test_old_leftovers_are_removed(tmp_path: Path) -> None:
    leftover = tmp_path / ".char-rnn-0123456789abcdef.tmp"
    leftover.touch()
    os.utime(leftover, (time.time() - 7200,) * 2)
    assert remove_leftovers(tmp_path) == [leftover]
    with pytest.raises(FileError, match="cannot be listed"):
        remove_leftovers(tmp_path / "missing")


@pytest.mark.parametrize("obj", [float("nan"), {"a": float("inf")}, {1, 2}, object()])
def test_json_that_json_cannot_hold(tmp_path: Path, obj: object) -> None:
    with pytest.raises(UsageError):
        write_json(tmp_path / "a", obj)
    assert list(tmp_path.iterdir()) == []


def test_half_a_surrogate_pair(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not valid Unicode"):
        write_text(tmp_path / "a", "\ud800")
    write_json(tmp_path / "b", "\ud800")
    assert read_json(tmp_path / "b") == "\ud800"


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", b"NaN", b"[" * 100_000, b"9" * 10_000, b'{"a":1}{}', b"\xff\xfe{\0}\0"],
)
def test_json_that_is_not_json(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(CorruptFile, match="a: ") as caught:
        read_json(path)
    assert "\n" not in str(caught.value)


def test_json_of_an_editor_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf" + json.dumps([1]).encode())
    assert read_json(tmp_path / "a") == [1]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "ten").write_bytes(b"x" * 10)
    for path, found in (
        (tmp_path / "none", "no such file"),
        (tmp_path, "a folder"),
        (tmp_path / "a\0\nb", "cannot be read"),
        (tmp_path / "ten", "10 bytes; expected at most 9"),
    ):
        with pytest.raises(FileError, match=found) as caught:
            read_bytes(path, 9)
        assert "\n" not in str(caught.value)
    assert read_bytes(tmp_path / "ten", 10) == b"x" * 10


def test_a_place_is_tried_out_and_its_folders_are_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b" / "c.txt")
    (tmp_path / "there").write_bytes(b"old")
    check_writable(tmp_path / "there")
    assert (tmp_path / "there").read_bytes() == b"old"
    assert list((tmp_path / "a" / "b").iterdir()) == []
    for wrong in ("there/x", "there/x/y", "a", "a\0b", "x" * 999):
        with pytest.raises(FileError, match="cannot be written"):
            check_writable(tmp_path / wrong)
    check_folder(tmp_path / "new" / "er")
    assert not (tmp_path / "new").exists()
    for wrong in ("there", "there/x", "a\0b", "x" * 999):
        with pytest.raises(FileError, match="cannot be written"):
            check_folder(tmp_path / wrong)


@posix
def test_a_folder_where_nothing_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(atomic, "_create", refused)
    for check in (check_writable, check_folder):
        with pytest.raises(FileError, match="Permission denied"):
            check(tmp_path / "a")
