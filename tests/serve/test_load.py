"""Many clients, slow ones, ones that go away; a model that changes; the end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from serving import TEXT, Running, a_model, until

from char_rnn import SampleConfig
from char_rnn.serve import outbox
from char_rnn.serve.engine import Engine
from char_rnn.serve.models import Models
from char_rnn.serve.stream import Job, Stream


@pytest.fixture
def crowded(small, tmp_path):
    """Return a server with two slots and a queue of two."""
    small.save(tmp_path / "small.safetensors")
    models = Models(2, 2)
    models.add(tmp_path / "small.safetensors")
    found = Running(models)
    yield found
    found.stop()


def begun(running, **body):
    """Return the connection and the answer of a stream that goes on for long."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    body = {"model": "small", "stream": True, "max_tokens": 100_000} | body
    headers = {"content-type": "application/json"}
    connection.request("POST", "/v1/completions", json.dumps(body), headers)
    return connection, connection.getresponse()


def test_queue(crowded):
    engine = crowded.models.get("small").engine
    streams = [begun(crowded) for _ in range(4)]
    until(lambda: engine.counts()["writing"] == 2)
    status, headers, data = crowded.ask("POST", "/v1/completions", {"model": "small"})
    assert status == 429 and 1 <= int(headers["retry-after"]) <= 60
    assert json.loads(data)["error"]["code"] == "queue_full"
    assert crowded.refused(429, n=5)["type"] == "rate_limit_error"
    for _, answer in streams[:2]:
        assert answer.readline().startswith(b"data: ")
    assert engine.counts()["writing"] == 2
    for connection, _ in streams:  # they go away
        connection.sock.close() if connection.sock else None
    for _, answer in streams:
        answer.close()
    until(lambda: engine.busy == 0)
    assert crowded.text(prompt="the ", seed=1)


def test_who_goes_away_leaves(crowded):
    """Also who does not stream, and who waits."""
    engine = crowded.models.get("small").engine
    body = json.dumps({"model": "small", "max_tokens": 100_000, "n": 3}).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\ncontent-length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", crowded.port)) as connection:
        connection.sendall(head.encode() + b"content-type: application/json\r\n\r\n" + body)
        until(lambda: engine.counts()["writing"] == 2)
    until(lambda: engine.busy == 0)
    written = engine.written
    time.sleep(0.05)
    assert engine.written == written < 100_000


def test_slow_readers(crowded, monkeypatch):
    """They pause, and hold nobody up: two of them in two slots."""
    monkeypatch.setattr(outbox, "FULL", 50)
    engine = crowded.models.get("small").engine
    slow = []
    for _ in range(2):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", crowded.port))
        body = json.dumps({"model": "small", "stream": True, "max_tokens": 100_000, "logprobs": 5})
        connection.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
            b"content-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body.encode())
        )
        slow.append(connection)
    until(lambda: engine.counts()["parked"] == 2, 30)
    assert crowded.text(prompt="the ", seed=1, max_tokens=200)
    until(lambda: engine.counts()["parked"] == 2, 30)
    for connection in slow:  # one of them reads on
        taken = connection.recv(2**22)
        while engine.counts()["parked"] == 2:
            taken = connection.recv(2**22)
        assert taken
        break
    for connection in slow:
        connection.close()
    until(lambda: engine.busy == 0)


def test_a_reader_that_catches_up_at_that_moment(small):
    """Between the look whether it is slow and its pause: nobody would wake the stream again."""

    class Silent:
        def ring(self):
            pass

    class Caught(Stream):
        looks = 0

        @property
        def full(self):
            self.looks += 1
            return self.looks == 1

    engine = Engine(small, slots=2)
    config = SampleConfig(100)
    stream = Caught(
        Job(small.vocabulary.encode("the "), config), 0, small.vocabulary, Silent(), True
    )
    engine.submit([stream])
    until(lambda: stream.over)
    assert stream.looks > 2
    assert stream.made == 100
    engine.close()
    assert engine.join(10)


def test_a_long_prompt_delays_nobody(running):
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(running.complete, prompt="the cat " * 4_000, max_tokens=1)
        engine = running.models.get("small").engine
        until(lambda: engine.busy == 1)
        assert len(running.text(prompt="a", max_tokens=100)) == 100
        assert not long.done()
        long.result()


def test_a_model_that_changes_beneath(tmp_path):
    file = tmp_path / "small.safetensors"
    a_model(1).save(file)
    models = Models()
    models.add(file)
    running = Running(models)
    body = {"prompt": "the ", "seed": 1, "max_tokens": 50}
    old = running.text(**body)
    connection, answer = begun(running, seed=1, prompt="the ", max_tokens=3000)
    answer.readline()
    a_model(2).save(file)
    until(lambda: running.text(**body) != old)
    parts = [json.loads(line[6:]) for line in answer.read().split(b"\n\n")[:-2] if line]
    text = "".join(part["choices"][0]["text"] for part in parts)
    connection.close()
    new = running.text(**body)
    file.write_bytes(b"garbage")
    time.sleep(0.6)
    assert running.text(**body) == new
    a_model(1).save(file)
    until(lambda: running.text(**body) == old)
    assert running.text(**body | {"max_tokens": 3000}).endswith(text)
    running.stop()


def served(folder, *more):
    """Return a process of `char-rnn serve`, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "char_rnn", "serve", str(folder / "small.safetensors"),
         "--port", "0", *more],
        stderr=subprocess.PIPE, text=True, cwd=folder,
    )  # fmt: skip
    for line in process.stderr:
        if "Serving on" in line:
            return process, int(line.split(":")[-1].split()[0])
    raise AssertionError("it did not begin")


def reachable(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_sigterm(small, tmp_path):
    """What can be finished is finished, training saves, and nothing new comes."""
    small.save(tmp_path / "small.safetensors")
    process, port = served(tmp_path, "--slots", "8")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = {"model": "small", "stream": True, "max_tokens": 100_000}
    headers = {"content-type": "application/json"}
    connection.request("POST", "/v1/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    answer.readline()
    run = {"name": "long", "text": TEXT * 40, "minutes": 3, "settings": {"hidden_size": 8}}
    running = Running.__new__(Running)
    running.port = port
    assert running.ask("POST", "/v1/runs", run)[0] == 201
    until(lambda: json.loads(running.ask("GET", "/v1/runs/long")[2])["loss"], 60)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    until(lambda: not reachable(port))
    assert answer.read().endswith(b"data: [DONE]\n\n")
    assert process.wait(10) == 0 and time.monotonic() - began < 10
    process.stderr.close()
    log = (tmp_path / "runs" / "long" / "log.jsonl").read_text().splitlines()
    end = json.loads(log[-1])
    assert (end["event"], end["reason"]) == ("end", "interrupted") and end["iteration"] > 0
    assert (tmp_path / "runs" / "long" / "last.safetensors").is_file()


def test_the_end_tells_its_reason(small, tmp_path, monkeypatch):
    from char_rnn.serve import server

    monkeypatch.setattr(server, "FINISH_SECONDS", 0.1)
    small.save(tmp_path / "small.safetensors")
    models = Models()
    models.add(tmp_path / "small.safetensors")
    running = Running(models)
    connection, answer = begun(running)
    answer.readline()
    running.stop()
    last = answer.read().split(b"\n\n")[-2]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "server_stopping"
    connection.close()
    assert not models.get("small").engine.busy


def test_openai(running):
    """What everybody uses can use it."""
    openai = pytest.importorskip("openai", reason="the real client is not installed")
    client = openai.OpenAI(
        base_url=f"http://127.0.0.1:{running.port}/v1", api_key="none", max_retries=0
    )
    assert [model.id for model in client.models.list()] == ["small", "bytes"]
    body = {"model": "small", "prompt": "the ", "max_tokens": 30, "seed": 1}
    found = client.completions.create(**body, n=2, logprobs=2, echo=True)
    assert found.choices[1].text.startswith("the ") and found.usage.total_tokens == 64
    assert found.choices[0].logprobs.tokens == list(found.choices[0].text)
    parts = list(client.completions.create(
        **body, stream=True, stream_options={"include_usage": True}))  # fmt: skip
    text = "".join(part.choices[0].text for part in parts if part.choices)
    assert "the " + text == found.choices[0].text and parts[-1].usage.completion_tokens == 30
    more = client.completions.create(**body, extra_body={"min_p": 0.2, "lines": 1})
    assert more.choices[0].finish_reason in ("stop", "length")
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(**body | {"temperature": -1})
    assert caught.value.param == "temperature" and caught.value.status_code == 400
    with pytest.raises(openai.NotFoundError):
        client.completions.create(**body | {"model": "none"})
    with client.completions.create(**body | {"max_tokens": 100_000}, stream=True) as stream:
        next(iter(stream))
    until(lambda: running.models.get("small").engine.busy == 0)
    client.close()
