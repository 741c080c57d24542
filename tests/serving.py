"""A server on this machine, in a thread of its own, and what asks it."""

import asyncio
import http.client
import json
import threading
import time

import numpy as np

import char_rnn

TEXT = "the cat sat on the mat. \nthe dog (a good one) ran; 0123456789\n"


def a_model(seed=0, text=TEXT, size=24, **more):
    """Return a small network that was never trained; its texts are varied all the same."""
    words = more.pop("vocabulary", None) or char_rnn.Vocabulary(text)
    rng = np.random.default_rng(seed)
    more = {"cell": "gru", "layers": 2} | more
    model = char_rnn.CharRNN(words.size, size, vocabulary=words, rng=rng, **more)
    model.parameters.flat[:] *= 3
    return model


def until(condition, seconds=10.0):
    """Wait for something that must come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


class Running:
    """A server that runs: `port`, `models`, `application`, and `ask`."""

    def __init__(self, models, **settings):
        from char_rnn.serve.app import app
        from char_rnn.serve.server import Server, listening
        from char_rnn.serve.state import Settings

        self.models = models
        self.application = app(models, Settings(**settings))
        self._ready, listener = threading.Event(), listening("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.server = Server(self.application, lambda _: self._ready.set())
        run = lambda: asyncio.run(self.server.serve([listener]))  # noqa: E731
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    def stop(self):
        self.server.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def ask(self, method, path, body=None, headers=None):
        """Return the status, the headers and the body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("content-type", "application/json")
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), data

    def complete(self, **body):
        """Return the answer to a completion that must succeed."""
        status, _, data = self.ask("POST", "/v1/completions", {"model": "small"} | body)
        assert status == 200, data
        return json.loads(data)

    def text(self, **body):
        return self.complete(**body)["choices"][0]["text"]

    def refused(self, status=400, **body):
        """Return the error of a completion that must be refused."""
        found, _, data = self.ask("POST", "/v1/completions", {"model": "small"} | body)
        assert found == status, data
        return json.loads(data)["error"]

    def events(self, **body):
        """Return what a stream sends: objects, then "[DONE]"."""
        body = {"model": "small", "stream": True} | body
        status, _, data = self.ask("POST", "/v1/completions", body)
        assert status == 200, data
        lines = data.decode().split("\n\n")
        assert lines.pop() == ""
        assert all(line.startswith("data: ") for line in lines)
        found = [line.removeprefix("data: ") for line in lines]
        return [line if line == "[DONE]" else json.loads(line) for line in found]
