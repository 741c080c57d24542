"""/v1/lab, the diagnosis of a run, and music on a page."""

import asyncio
import json
import sys
import time

import numpy as np
import pytest
from serving import TEXT, Running

import char_rnn
from char_rnn import lab
from char_rnn.lab.running import uses
from char_rnn.music.demo import demo_text
from char_rnn.music.knowing import TUNES, writes_music
from char_rnn.music.text import from_text
from char_rnn.serve import experiments, lab_work, processes
from char_rnn.serve.errors import Refused, Stopping
from char_rnn.serve.models import Models
from char_rnn.serve.processes import Answers


def asked(server, method, path, status=200, body=None):
    found, _, data = server.ask(method, path, body)
    assert found == status, data
    return json.loads(data)


def test_the_list(running):
    found = asked(running, "GET", "/v1/lab")["data"]
    assert {one["name"]: one["question"] for one in found} == lab.EXPERIMENTS
    assert set(experiments.SECONDS) == set(lab.EXPERIMENTS)
    assert {one["name"]: tuple(one["takes"]) for one in found} == {
        name: uses(name) for name in lab.EXPERIMENTS
    }


def test_an_experiment(running):
    """Done for the server's own model, in a process of its own."""
    found = asked(running, "POST", "/v1/lab/unroll", body={"model": "small"})
    assert found["settings"]["model"] == "small.safetensors"
    assert found["question"] == lab.EXPERIMENTS["unroll"]
    assert found["page"].startswith("<!doctype html>") and found["found"] in found["page"]


@pytest.mark.parametrize(
    ("name", "body", "status", "param"),
    [
        ("none", {}, 404, "name"),
        ("trace", {"text": TEXT}, 400, "text"),
        ("gradients", {"model": "small"}, 400, "model"),
        ("gradients", {"text": TEXT, "builtin": "python-docs"}, 400, "text"),
        ("trace", {"model": "none"}, 404, "model"),
        ("trace", {"word": "x"}, 400, "word"),
    ],
)
def test_what_the_lab_refuses(running, name, body, status, param):
    assert asked(running, "POST", f"/v1/lab/{name}", status, body)["error"]["param"] == param


def test_one_thing_at_a_time(running, monkeypatch):
    monkeypatch.setattr(Answers, "busy", frozenset({"lab"}))
    body = {"name": "a", "text": TEXT}
    assert asked(running, "POST", "/v1/runs", 409, body)["error"]["code"] == "busy"


async def sleeping(_):
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import time; time.sleep(60)"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


def test_it_is_ended(monkeypatch):
    """In time, when the server stops, and when nobody waits for it any more."""
    monkeypatch.setattr(processes, "started", sleeping)

    async def all_of_it():
        answers = Answers()
        with pytest.raises(Refused, match="took more than"):
            await answers.answer("lab", {}, 0.1)
        assert not answers.busy
        gone = asyncio.ensure_future(answers.answer("lab", {}, 60))
        await asyncio.sleep(0.1)
        with pytest.raises(Refused, match="one at a time"):
            await answers.answer("lab", {}, 60)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert not answers.busy
        last = asyncio.ensure_future(answers.answer("lab", {}, 60))
        await asyncio.sleep(0.1)
        answers.close()
        with pytest.raises(Stopping):
            await last
        with pytest.raises(Stopping):
            await answers.answer("lab", {}, 60)

    began = time.monotonic()
    asyncio.run(all_of_it())
    assert time.monotonic() - began < 30


def test_a_diagnosis(tmp_path, monkeypatch):
    """What the process answers is what the server answers, of a run that lies there."""
    more = {"hidden_size": 4, "iterations": 3, "sample_length": 1, "layers": 1, "eval_every": 1}
    char_rnn.train(TEXT * 20, out=tmp_path / "run", progress=False, **more)
    job = {"do": "diagnose", "folder": str(tmp_path / "run")}
    found = lab_work.work(job)
    assert not found["clean"] and found["page"].startswith("<!doctype html>")
    first = found["findings"][0]
    assert first["severity"] in ("worthless", "ill") and first["evidence"] and first["remedy"]
    jobs = []

    async def answer(_, kind, job, seconds):
        jobs.append((kind, job, seconds))
        return found

    monkeypatch.setattr(Answers, "answer", answer)
    other = Running(Models(), runs=tmp_path)
    answer = asked(other, "POST", "/v1/runs/run/diagnose", 200, {})
    assert answer == {"name": "run", "object": "diagnosis", **found}
    assert jobs == [("diagnose", job, experiments.MOST_DIAGNOSIS)]
    asked(other, "POST", "/v1/runs/none/diagnose", 404, {})
    (tmp_path / "run" / "model.safetensors").unlink()
    (tmp_path / "run" / "model.safetensors").symlink_to(tmp_path / "other")
    asked(other, "POST", "/v1/runs/run/diagnose", 409, {})
    other.stop()


class Counting:
    """A model that has counted which character follows which."""

    def __init__(self, text):
        self.vocabulary = char_rnn.Vocabulary(text)
        ids, V = self.vocabulary.encode(text), self.vocabulary.size
        counts = np.full((V, V), 0.1)
        np.add.at(counts, (ids[:-1], ids[1:]), 1)
        self._nats = -np.log(counts / counts.sum(1, keepdims=True))

    def surprisal(self, text):
        ids = self.vocabulary.encode(text)
        return np.append(np.nan, self._nats[ids[:-1], ids[1:]])


def test_which_models_write_music(running):
    for tune in TUNES:
        assert from_text(tune.strip("\n")).notes
    tunes = demo_text(200)
    assert writes_music(Counting(tunes))
    # Who has the characters need not know what they mean.
    jumbled = "".join(np.random.default_rng(0).permutation(list(tunes)))
    assert not writes_music(Counting(jumbled))
    assert not writes_music(Counting(TEXT))
    listed = asked(running, "GET", "/v1/models")["data"]
    assert {one["id"]: one["char_rnn"]["music"] for one in listed} == {
        "small": False, "bytes": False,
    }  # fmt: skip


def test_a_roll(running):
    one, two = (tune.strip("\n") for tune in TUNES)
    found = asked(running, "POST", "/v1/roll", body={"text": f"{one}\n\n{two}"})
    assert [len(piece["sounds"]) for piece in found["data"]] == [1, 2]
    assert found["data"][0]["name"] == "Tune 1" and found["left_out"] == 0
    begun = {"text": f"{one}\nc2 c/", "model": "small"}
    again = asked(running, "POST", "/v1/roll", body=begun)
    assert again["data"] == found["data"][:1] and again["left_out"] == len("\nc2 c/")
    for text in ("Once upon a time | there was", "\n\n", "z8|", "c9|"):
        none = asked(running, "POST", "/v1/roll", body={"text": text})
        assert none["data"] == [] and "no piece of music" in none["message"]
    assert asked(running, "POST", "/v1/roll", 404, begun | {"model": "none"})
