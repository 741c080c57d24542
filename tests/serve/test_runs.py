"""/v1/runs: a run begun, watched, stopped and gone on with; what is refused."""

import asyncio
import http.client
import json
import math

import pytest
from serving import TEXT, Running, until

from char_rnn.data.given import as_source
from char_rnn.runs.run import Run
from char_rnn.serve import worker
from char_rnn.serve.errors import Refused
from char_rnn.serve.models import Models
from char_rnn.serve.training import Trainings
from char_rnn.text_config import TextConfig
from char_rnn.training.events import Checkpoint, End, Evaluation, Sample, Step


def asked(running, method, path, status=200, body=None):
    found, _, data = running.ask(method, path, body)
    assert found == status, data
    return json.loads(data) if data else None


def watched(running, name, after=0):
    """Return the events of a run until it ends: (number, name, what is told)."""
    headers = {"last-event-id": str(after)} if after else {}
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    connection.request("GET", f"/v1/runs/{name}/events", headers=headers)
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for event in answer.read().decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in event.splitlines() if line[0] != ":")
        if lines:
            found.append((int(lines["id"]), lines["event"], json.loads(lines["data"])))
    connection.close()
    return found


def without(events, kind):
    return [event for event in events if event[1] != kind]


SMALL = {"hidden_size": 8, "layers": 1, "cell": "rnn", "sample_length": 20}


def test_the_life_of_a_run(running, tmp_path):
    """Begun, stopped, gone on with to its end, and served."""
    body = {"name": "mine", "text": TEXT * 40, "minutes": 3, "settings": SMALL}
    begun = asked(running, "POST", "/v1/runs", 201, body)
    assert (begun["status"], begun["characters"]) == ("running", len(TEXT * 40))
    busy = asked(running, "POST", "/v1/runs", 409, body | {"name": "other"})
    assert busy["error"]["code"] == "busy"
    until(lambda: asked(running, "GET", "/v1/runs/mine")["loss"], 60)
    assert asked(running, "POST", "/v1/runs/mine/stop", 202, {})["status"] == "stopping"
    first = watched(running, "mine")
    assert first[-1][1] == "end" and first[-1][2]["reason"] == "interrupted"
    assert asked(running, "GET", "/v1/runs/mine")["status"] == "stopped"
    asked(running, "POST", "/v1/runs/mine/stop", 409, {})
    asked(running, "POST", "/v1/runs/mine/resume", 400, {"minutes": 6})

    minutes = first[-1][2]["elapsed"] / 60 + 0.01
    again = asked(running, "POST", "/v1/runs/mine/resume", 202, {"minutes": minutes})
    assert again["status"] == "running"
    found = watched(running, "mine")
    # Of the weights only the newest are kept.
    told_again = [event for event in found if event in first]
    assert without(told_again, "weights") == without(first, "weights")
    rest = without(watched(running, "mine", 2), "weights")
    assert rest == [event for event in without(found, "weights") if event[0] > 2]
    numbers = [number for number, _, _ in found]
    assert numbers == sorted(set(numbers)) and numbers[:2] == [1, 2]
    kinds = {kind for _, kind, _ in found}  # of a run so short not all events come
    assert {"loss", "end"} <= kinds <= {"loss", "validation", "sample", "note", "weights", "end"}
    assert found[-1][1] == "end" and found[-1][2]["reason"] == "finished"
    steps = [told for _, kind, told in found if kind == "loss"]
    assert all(0 < told["loss"] < 10 and told["grad_norm"] > 0 for told in steps)
    assert steps[-1]["iteration"] > first[-1][2]["iteration"]
    assert all(told["characters_per_second"] > 0 for told in steps if told["iteration"] > 1)
    assert all(told["learning_rate"] > 0 for told in steps)
    last = {"last-event-id": str(found[-1][0])}
    assert running.ask("GET", "/v1/runs/mine/events", headers=last)[0] == 204
    assert asked(running, "GET", "/v1/runs/mine")["status"] == "finished"
    assert running.application.state.trainings.all()[0].process.returncode == 0

    names = [model["id"] for model in asked(running, "GET", "/v1/models")["data"]]
    assert names == ["small", "bytes", "mine"]
    assert len(running.text(model="mine", prompt="the ")) == 16
    folder = running.application.state.settings.runs
    assert Run.open(folder / "mine").model.hidden_size == 8
    assert [path.name for path in folder.iterdir()] == ["mine"]
    assert (folder / "mine" / "text.txt").read_text() == TEXT * 40
    taken = asked(running, "POST", "/v1/runs", 409, body)
    assert taken["error"]["code"] == "name_taken"
    asked(running, "POST", "/v1/runs", 409, body | {"name": "small"})
    running.models.remove("mine")


def test_what_is_told_of_events():
    common = {
        "iteration": 3, "epoch": 0.5, "loss": math.nan, "learning_rate": 0.1, "grad_norm": 2.0,
        "characters": 9, "seconds": 1.0, "elapsed": 1.5, "progress": 0.25,
    }  # fmt: skip
    told = common | {"loss": None}
    speed = worker.Speed()
    found = worker.told(Evaluation(**common, val_loss=1.5, best=True), speed)
    assert found == ("validation", told | {"val_loss": 1.5, "best": True})
    assert worker.told(Sample(**common, text="ab"), speed) == ("sample", told | {"text": "ab"})
    end = End(**common, reason="finished", val_loss=None, best_val_loss=math.inf)
    assert worker.told(end, speed) == ("end", told | {"reason": "finished", "best_val_loss": None})
    assert worker.told(Checkpoint(**common, tensors={}, facts={}), speed) is None
    step = worker.told(Step(**common), speed)
    assert step == ("loss", told | {"skipped": False, "characters_per_second": 9.0})
    later = common | {"characters": 29, "seconds": 1.5}
    assert worker.told(Step(**later), speed)[1]["characters_per_second"] == 40
    assert worker.told(Step(**later), speed)[1]["characters_per_second"] is None


WRONG = [
    ("name", "../up"), ("name", "a/b"), ("name", ".hidden"), ("name", "CON"), ("name", "a\n"),
    ("name", "x" * 65), ("name", ""), ("name", "end."), ("builtin", "/etc/passwd"), ("minutes", 6),
    ("minutes", 0), ("settings", {"optimizer": "x"}), ("settings", {"hidden_size": 10**9}),
    ("out", "x"), ("text", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_is_refused(running, name, value):
    body = {"name": "mine", "text": TEXT} | {name: value}
    if name == "builtin":
        del body["text"]
    error = asked(running, "POST", "/v1/runs", 400, body)["error"]
    assert error["param"] == name


def test_a_text_is_never_a_name(running, tmp_path, monkeypatch):
    """A file of that name is not read: what is sent is the text itself."""
    (tmp_path / "secret").write_text("something that nobody may see")
    jobs = []

    async def start(_, run, job):
        jobs.append(job)
        raise Refused("caught")

    monkeypatch.setattr(Trainings, "_start", start)
    trainings = Trainings(Models(), tmp_path)
    name = str(tmp_path / "secret")
    with pytest.raises(Refused, match="caught"):
        asyncio.run(trainings.begin("mine", name, None, {}))
    assert jobs[0]["builtin"] is None
    itself = worker.text_of(jobs[0])
    assert b"".join(as_source(itself, TextConfig(bytes=True)).byte_chunks()) == name.encode()
    both = {"name": "two", "text": TEXT, "builtin": "python-docs"}
    assert asked(running, "POST", "/v1/runs", 400, both)["error"]["param"] == "text"


def test_no_train(small, tmp_path):
    other = Running(Models(), train=False, runs=tmp_path / "runs")
    error = asked(other, "POST", "/v1/runs", 403, {"name": "a", "text": TEXT})["error"]
    assert error["code"] == "no_training"
    assert asked(other, "GET", "/v1/runs")["data"] == []
    for path in ("/v1/runs/x", "/v1/runs/x/events"):
        asked(other, "GET", path, 404)
    other.stop()
