"""How `char-rnn serve` bears up: speed against bare generation, many streams, clients of all kinds.

    python -m benchmarks.serving [MODEL] [--requests 1000] [--characters 2000] [--leak 0]
    python -m benchmarks.serving --cells

The server is a process of its own on this machine's loopback, and all else is this one; nothing
leaves the machine. It takes about a minute with the model that comes with the package.
"""

import argparse
import http.client
import json
import os
import random
import selectors
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from benchmarks.attention import processor
from char_rnn import CharRNN, SampleConfig, Vocabulary

CONNECTIONS, STREAMS = 64, 64
KIND = {"content-type": "application/json"}
PROMPT = "the "


class Service:
    """A server, and what asks it."""

    def __init__(self, model):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "char_rnn", "serve", model, "--port", "0"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = next(line for line in self.process.stderr if "Serving on" in line)
        self.port = int(line.split(":")[-1].split()[0])
        self.said = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.said.start()  # else a full pipe would stop the server
        self.model = json.loads(self.get("/v1/models"))["data"][0]["id"]

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        data = connection.getresponse().read()
        connection.close()
        return data

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def body(self, **more):
        return json.dumps({"model": self.model, "prompt": PROMPT} | more)

    def stream(self, connection, characters, **more):
        """Return the seconds until the first character and until the last, and the text."""
        began = time.perf_counter()
        body = self.body(max_tokens=characters, stream=True, **more)
        connection.request("POST", "/v1/completions", body, KIND)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.read()!r}")
        head = answer.readline()
        first = time.perf_counter() - began
        data = head + answer.read()
        seconds = time.perf_counter() - began
        events = [line[6:] for line in data.decode().split("\n\n") if line]
        assert events.pop() == "[DONE]"
        return first, seconds, "".join(json.loads(e)["choices"][0]["text"] for e in events)

    def memory(self):
        """Return the server's resident memory in MB, None where the system does not tell."""
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines()
            return int(next(x for x in lines if x.startswith("VmRSS")).split()[1]) / 1000
        return None

    def texts(self):
        """Return how many texts the server still has in hand."""
        lines = self.get("/metrics").decode().splitlines()
        return sum(int(x.split()[-1]) for x in lines if x.startswith("char_rnn_texts{"))


@contextmanager
def service(model):
    found = Service(model)
    try:
        yield found
    finally:
        found.process.terminate()
        found.process.wait(20)


def quantiles(seconds):
    found = sorted(seconds)
    p99 = found[min(len(found) - 1, int(0.99 * len(found)))]
    return f"p50 {1000 * statistics.median(found):.0f} ms, p99 {1000 * p99:.0f} ms"


def one_stream(server, path, characters, rounds=5):
    """Against `CharRNN.generate`, by ratio, one after the other in turns; seconds a character."""
    model, rng = CharRNN.load(path), np.random.default_rng(0)
    config, bare, served, firsts = SampleConfig(characters, temperature=1.0), [], [], []
    connection = server.connection()
    server.stream(connection, characters)
    for _ in range(rounds):
        began = time.perf_counter()
        "".join(model.generate(PROMPT, config, rng))
        bare.append(time.perf_counter() - began)
        first, seconds, text = server.stream(connection, characters)
        assert len(text) == characters
        served.append(seconds)
        firsts.append(first)
        firsts += [server.stream(connection, 1)[0] for _ in range(10)]
    seeded = min(server.stream(connection, characters, seed=1)[1] for _ in range(2))
    connection.close()
    ratios = [b / s for b, s in zip(bare, served, strict=True)]
    print(
        f"one stream: {characters / statistics.median(served):,.0f} characters/s, "
        f"{statistics.median(ratios):.2f} of bare generation (rounds {min(ratios):.2f} to "
        f"{max(ratios):.2f}); with a seed {characters / seeded:,.0f} characters/s; "
        f"first character idle: {quantiles(firsts)}"
    )


def many_streams(server, characters):
    """Return the seconds that STREAMS texts take together, and those until the first of each.

    One thread that only counts: what the clients do is taken from the server's cores.
    """
    body = server.body(max_tokens=characters, stream=True, stream_options={"include_usage": True})
    head = (
        f"POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n"
    )
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    firsts, ends, selector = {}, {}, selectors.DefaultSelector()
    began = time.perf_counter()
    for _ in range(STREAMS):
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(request.encode())
        selector.register(client, selectors.EVENT_READ)
    while selector.get_map():
        for key, _ in selector.select():
            client = key.fileobj
            data = client.recv(1 << 16)
            if b"data: " in data:
                firsts.setdefault(client, time.perf_counter() - began)
            ends[client] = (ends.get(client, b"") + data)[-1000:]
            if not data:
                selector.unregister(client)
                client.close()
    seconds = time.perf_counter() - began
    whole = f'"completion_tokens": {characters}'.encode()
    assert all(whole in end and b"[DONE]" in end for end in ends.values())
    return seconds, list(firsts.values())


def beside_one(server, path, characters, rounds=3):
    """Print what many streams are to one, through HTTP and as `sample_many` has it, in turns."""
    model, config = CharRNN.load(path), SampleConfig(characters, temperature=1.0)
    connection, rng = server.connection(), np.random.default_rng(0)
    ratios, bare, per_second, firsts = [], [], [], []
    server.stream(connection, 100)
    many_streams(server, 100)
    for _ in range(rounds):
        one = server.stream(connection, characters)[1]
        many, first = many_streams(server, characters)
        ratios.append(STREAMS * one / many)
        per_second.append(STREAMS * characters / many)
        firsts += first
        began = time.perf_counter()
        "".join(model.generate(PROMPT, config, rng))
        one = time.perf_counter() - began
        began = time.perf_counter()
        model.generate_many([PROMPT] * STREAMS, config, rng)
        bare.append(STREAMS * one / (time.perf_counter() - began))
    connection.close()
    about, median = model.config, statistics.median
    print(
        f"{STREAMS} streams, {about.cell} of {about.layers} x {about.hidden_size}: "
        f"{median(per_second):,.0f} characters/s, {median(ratios):.1f} times one stream "
        f"({min(ratios):.1f} to {max(ratios):.1f}); without HTTP {median(bare):.1f} times; "
        f"first character: {quantiles(firsts)}",
        flush=True,
    )


def fresh(folder, cell):
    """Save a network of one layer that has learned nothing; return its file."""
    vocabulary = Vocabulary(string.ascii_letters + string.digits + " \n,")
    model = CharRNN(vocabulary.size, 512, cell=cell, vocabulary=vocabulary)
    file = Path(folder) / f"{cell}.safetensors"
    model.save(file)
    return str(file)


def many_requests(server, count, characters=60):
    """Over 64 connections that are kept; each text is whole, and a seed's text is the same."""
    todo, lock, firsts, texts = list(range(count)), threading.Lock(), [], {}

    def work(_):
        connection = server.connection()
        while True:
            with lock:
                if not todo:
                    break
                number = todo.pop()
            more = {"seed": number % 16} if number % 4 == 0 else {}
            first, _, text = server.stream(connection, characters, **more)
            assert len(text) == characters
            with lock:
                firsts.append(first)
                if more:
                    assert texts.setdefault(more["seed"], text) == text, "a seed's text changed"
        connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(work, range(CONNECTIONS)))
    seconds = time.perf_counter() - began
    assert len(firsts) == count
    print(
        f"{count:,} requests of {characters} characters over {CONNECTIONS} connections: "
        f"{count / seconds:.0f} requests/s, none lost; first character: {quantiles(firsts)}"
    )


def raw(server, body):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    connection.sendall(f"{head}Content-Type: application/json\r\n\r\n{body}".encode())
    return connection


def troublesome(server, seconds=8.0):
    """Clients that vanish, that read a byte a second, that send garbage, beside one that works."""
    end, seen, lock = time.monotonic() + seconds, Counter(), threading.Lock()
    rng = random.Random(0)

    def vanish():
        connection = raw(server, server.body(max_tokens=50_000, stream=rng.random() < 0.5))
        time.sleep(rng.random() / 5)
        connection.close()

    def dawdle():
        connection = raw(server, server.body(max_tokens=100_000, stream=True, logprobs=5))
        while time.monotonic() < end:
            connection.recv(1)
            time.sleep(1)
        connection.close()

    def garbage():
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        with suppress(OSError):
            connection.sendall(rng.randbytes(rng.randrange(1, 5000)) + b"\r\n\r\n")
            connection.recv(1000)
        connection.close()

    def too_much():
        with suppress(OSError):
            server.connection().request("POST", "/v1/completions", b"x" * 10**7, KIND)

    def too_slow():
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        with suppress(OSError):
            for byte in b"POST /v1/completions HTTP/1.1\r\n":
                if time.monotonic() > end:
                    break
                connection.sendall(bytes([byte]))
                time.sleep(0.3)
        connection.close()

    def repeat(act):
        while time.monotonic() < end:
            act()
            with lock:
                seen[act.__name__] += 1

    acts = [vanish] * 8 + [dawdle] * 8 + [garbage] * 4 + [too_much] * 2 + [too_slow] * 8
    threads = [threading.Thread(target=repeat, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    firsts, connection = [], server.connection()
    while time.monotonic() < end:
        first, _, text = server.stream(connection, 50)
        assert len(text) == 50
        firsts.append(first)
    for thread in threads:
        thread.join()
    connection.close()
    told = ", ".join(f"{count} {name}" for name, count in sorted(seen.items()))
    print(f"beside {told}: {len(firsts)} texts, none lost; first character: {quantiles(firsts)}")
    began = time.monotonic()
    while server.texts() and time.monotonic() - began < 10:
        time.sleep(0.01)
    print(f"{time.monotonic() - began:.2f} s later {server.texts()} texts are left in hand")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("model", nargs="?", default="shakespeare")
    arguments.add_argument("--requests", type=int, default=1000)
    arguments.add_argument("--characters", type=int, default=2000)
    arguments.add_argument("--leak", type=int, default=0, help="So many more, for the memory.")
    arguments.add_argument("--cells", action="store_true", help="Only 64 streams, of more cells.")
    given = arguments.parse_args()
    print(f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    if given.cells:
        with tempfile.TemporaryDirectory() as folder:
            for path in (given.model, *(fresh(folder, cell) for cell in ("rnn", "gru", "lstm"))):
                with service(path) as server:
                    beside_one(server, path, given.characters)
        return
    with service(given.model) as server:
        one_stream(server, given.model, given.characters)
        beside_one(server, given.model, given.characters)
        many_requests(server, given.requests)
        before = server.memory()
        troublesome(server)
        if given.leak:
            many_requests(server, given.leak, 8)
        print(f"memory: {before} MB after the requests, {server.memory()} MB at the end")


if __name__ == "__main__":
    main()
