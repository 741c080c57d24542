"""The built-in texts; the download runs against a server on this machine."""

import hashlib
import logging
import socket
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest

from char_rnn.data import builtin
from char_rnn.data.builtin import python_code, python_docs, shakespeare_file
from char_rnn.data.cache import cache_folder
from char_rnn.data.sources import open_source
from char_rnn.errors import DownloadFailed, TextNotFound

TEXT = b"First Citizen:\nBefore we proceed any further, hear me speak.\n" * 1000
SHA256 = hashlib.sha256(TEXT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/silent":
            threading.Event().wait(2)
            return
        found = self.path in ("/whole", "/half")
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(TEXT) if found else 0))
        self.end_headers()
        if found:
            self.wfile.write(TEXT if self.path == "/whole" else TEXT[: len(TEXT) // 2])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHAR_RNN_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


def address(server: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def refused(where: str, sha256: str, says: str, cache: Path) -> None:
    with pytest.raises(DownloadFailed, match=says) as error:
        shakespeare_file(where, sha256)
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 250
    assert "python-docs, python-code or a file of your own" in text
    assert not cache.exists() or list(cache.iterdir()) == []


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    assert cache_folder() == cache
    monkeypatch.delenv("CHAR_RNN_CACHE")
    assert "char-rnn" in cache_folder().parts
    monkeypatch.setenv("CHAR_RNN_CACHE", "")
    assert "char-rnn" in cache_folder().parts


def test_downloaded_once(
    cache: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    where = address(server, "/whole")
    path = shakespeare_file(where, SHA256)
    server.shutdown()
    server.server_close()
    thread.join()
    assert path == cache / "shakespeare.txt"
    assert path.read_bytes() == TEXT
    assert list(cache.iterdir()) == [path]
    assert shakespeare_file(where, SHA256) == path
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(builtin, "shakespeare_file", lambda: path)
    source = open_source("shakespeare")
    assert (source.name, source.where) == ("shakespeare", "shakespeare")
    assert "".join(source.chunks()) == TEXT.decode()


def test_a_damaged_file_in_the_cache_is_replaced(server: ThreadingHTTPServer, cache: Path) -> None:
    cache.mkdir()
    (cache / "shakespeare.txt").write_bytes(TEXT[:100])
    assert shakespeare_file(address(server, "/whole"), SHA256).read_bytes() == TEXT


def test_the_level_of_the_logger_is_restored(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooch.get_logger(), "level", logging.INFO)
    shakespeare_file(address(server, "/whole"), SHA256)
    assert pooch.get_logger().level == logging.INFO


def test_a_wrong_checksum(server: ThreadingHTTPServer, cache: Path) -> None:
    refused(address(server, "/whole"), "0" * 64, "SHA-256", cache)


def test_not_found(server: ThreadingHTTPServer, cache: Path) -> None:
    refused(address(server, "/nowhere"), SHA256, "answered 404 Not Found", cache)


def test_cut_off_half_way(server: ThreadingHTTPServer, cache: Path) -> None:
    refused(address(server, "/half"), SHA256, "cut off|half way|no connection", cache)


def test_no_answer(
    server: ThreadingHTTPServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtin, "TIMEOUT", 0.2)
    refused(address(server, "/silent"), SHA256, "no answer within 0.2 seconds", cache)


def test_connection_refused(cache: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused(f"http://127.0.0.1:{port}/whole", SHA256, "no connection to 127.0.0.1", cache)


def test_a_cache_that_cannot_be_written(server: ThreadingHTTPServer, cache: Path) -> None:
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(DownloadFailed) as error:
        shakespeare_file(address(server, "/whole"), SHA256)
    assert "\n" not in str(error.value)


def test_python_docs() -> None:
    source = open_source("python-docs")
    text = "".join(source.chunks())
    assert (source.name, source.where) == ("python-docs", "python-docs")
    assert text == python_docs()
    assert len(text) > 300_000
    assert b"".join(source.byte_chunks()) == text.encode()
    assert source.key() == open_source("python-docs").key()


def test_python_docs_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(TextNotFound, match="python-code, shakespeare or a file"):
        open_source("python-docs")


def test_python_code() -> None:
    source = open_source("python-code")
    assert (source.name, source.where) == ("python-code", "python-code")
    assert sum(map(len, source.chunks())) > 5_000_000
    int(source.key(), 16)


def test_python_code_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "lib"
    for name in ("b.py", "a/z.py", "a.py", "c.txt", "site-packages/x.py", "dist-packages/x.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x = 1")
    for name in ("test/x.py", "a/tests/x.py", "a/idle_test/x.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x = 1")
    (root / "latin.py").write_bytes(b"# " + b"x" * 70000 + b"\xe9")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(root))
    names = [path.relative_to(root).as_posix() for path in python_code()]
    assert names == ["a.py", "a/z.py", "b.py"]
    assert "".join(open_source("python-code").chunks()) == "x = 1\n\f\nx = 1\n\f\nx = 1"
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path / "nowhere"))
    with pytest.raises(TextNotFound, match="python-docs"):
        open_source("python-code")
