"""Who may ask, and how much; what is answered to garbage."""

import json
import socket
import time

import pytest
from serving import Running

from char_rnn.serve.guard import Guard, is_loopback
from char_rnn.serve.models import Models
from char_rnn.serve.state import Settings, State

BODY = {"model": "small", "max_tokens": 2}


def status_of(running, **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return running.ask("POST", "/v1/completions", BODY, sent)[0]


def test_host(running):
    """DNS rebinding: another site's name that points here is refused."""
    assert status_of(running, host=f"localhost:{running.port}") == 200
    assert status_of(running, host="[::1]:80") == 200
    for host in (
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "",
        "[",
        "10.0.0.1",
    ):
        assert status_of(running, host=host) == 403, host


def test_origin(running):
    host = f"127.0.0.1:{running.port}"
    assert status_of(running, origin=f"http://{host}") == 200
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "https://localhost", ""):
        assert status_of(running, origin=origin) == 403, origin
    assert status_of(running, sec_fetch_site="cross-site") == 403
    assert status_of(running, sec_fetch_site="same-origin") == 200
    assert running.ask("GET", "/v1/models", headers={"sec-fetch-site": "cross-site"})[0] == 403


def test_a_page_cannot_send_what_needs_no_leave(running):
    """A form or a `text/plain` post is sent across sites without asking first."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert status_of(running, content_type=kind) == 415
    assert status_of(running, content_type="application/json; charset=utf-8") == 200


def test_key(small, tmp_path):
    small.save(tmp_path / "small.safetensors")
    models = Models()
    models.add(tmp_path / "small.safetensors")
    other = Running(models, key="schlüssel")
    error = other.refused(401)
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    right = {"authorization": "Bearer schlüssel".encode()}
    assert other.ask("POST", "/v1/completions", BODY, right)[0] == 200
    for wrong in ("Bearer", "Bearer x", "Basic schl", "schl", "Bearer schluessel"):
        assert status_of(other, authorization=wrong) == 401, wrong
    assert other.ask("GET", "/metrics")[0] == 401 and other.ask("GET", "/v1/models")[0] == 401
    assert other.ask("GET", "/healthz")[0] == 200
    other.stop()


def known(names, **settings):
    guard = Guard(None, State(Models(), Settings(**settings)))
    return [name for name in names if guard._known(name)]


def test_hosts_elsewhere():
    names = ["10.0.0.5", "[fe80::1]:80", "evil.example", "localhost", "box.example"]
    found = known(names, host="0.0.0.0", hosts=("box.example",))
    assert found == ["10.0.0.5", "[fe80::1]:80", "localhost", "box.example"]
    assert known(names, host="127.0.0.1") == ["localhost"]
    assert is_loopback("127.0.0.3") and is_loopback("::1") and not is_loopback("0.0.0.0")
    assert not is_loopback("example.org")


GARBAGE = [
    b"", b"{", b"[]", b"7", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"model": NaN}',
    b'{"model": Infinity, "n": 1e999}', b'{"model": "small", "n": 1e999}', b'{"model": ["small"]}',
    b'{"model": "small", "prompt": "\\ud800"}', b'{"max_tokens": 3}', b'{"": 1}',
    b'{"model": "small", "temperature": 1' + b"0" * 400 + b"}",
    b'{"model": "small", "seed": ' + b"9" * 5000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage(running, body):
    status, headers, data = running.ask("POST", "/v1/completions", body, {
        "content-type": "application/json"})  # fmt: skip
    error = json.loads(data)["error"]
    assert status == 400 and set(error) == {"message", "type", "param", "code"}
    assert len(error["message"]) < 1500 and headers["x-content-type-options"] == "nosniff"


def test_routes(running):
    assert running.ask("GET", "/nowhere")[0] == 404
    status, _, data = running.ask("GET", "/v1/completions")
    assert status == 405 and json.loads(data)["error"]["code"] == "http_405"


def raw(running, data, seconds=5.0):
    """Return what is answered to bytes of any kind, until the server closes or says no more."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=seconds) as connection:
        connection.sendall(data)
        found = b""
        while b"\r\n\r\n" not in found and (more := connection.recv(65536)):
            found += more
        return found


HEAD = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def test_sizes(running):
    most = running.application.state.settings.body
    assert running.ask("POST", "/v1/completions", b" " * (most + 1))[0] == 413
    assert raw(running, HEAD + b"Content-Length: 99999999999999\r\n\r\n").startswith(
        b"HTTP/1.1 413"
    )
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    many = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * (most // 65536 + 2)
    assert raw(running, many).startswith(b"HTTP/1.1 413")
    assert raw(running, b"\x16\x03\x01garbage\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert raw(running, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").startswith(b"HTTP/1.1 400")
    long = b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n"
    assert raw(running, long).startswith(b"HTTP/1.1 400")


def test_a_body_that_does_not_come(small, tmp_path):
    small.save(tmp_path / "small.safetensors")
    models = Models()
    models.add(tmp_path / "small.safetensors")
    other = Running(models, body_seconds=0.2)
    began = time.monotonic()
    assert raw(other, HEAD + b"Content-Length: 50\r\n\r\n{").startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began >= 0.2
    assert other.text(prompt="the ")
    other.stop()
