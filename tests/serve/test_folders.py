"""Runs that lie in the server's folder, and the picture of the weights."""

import asyncio
import base64
import json
import os

import numpy as np
import pytest
from serving import TEXT, Running, a_model

import char_rnn
from char_rnn.runs.curves import Curve
from char_rnn.runs.lock import RunLock
from char_rnn.serve import folders
from char_rnn.serve.errors import Refused
from char_rnn.serve.folders import RunFolders, thinned
from char_rnn.serve.models import Models
from char_rnn.serve.training import Training, Trainings
from char_rnn.serve.weight_pictures import WeightPictures, picture


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Return a folder with a run that `char-rnn train` could have made."""
    folder = tmp_path_factory.mktemp("runs")
    settings = {"hidden_size": 8, "layers": 1, "cell": "rnn", "sample_length": 1}
    settings |= {"iterations": 3, "seq_length": 10, "batch_size": 2, "eval_every": 1}
    char_rnn.train(TEXT * 20, out=folder / "old", progress=False, **settings)
    return folder


@pytest.fixture(scope="module")
def server(there):
    found = Running(Models(), runs=there, minutes=5.0)
    yield found
    found.stop()


def asked(server, method, path, status=200, body=None):
    found, _, data = server.ask(method, path, body)
    assert found == status, data
    return json.loads(data) if data else None


def test_a_run_that_lies_there(server, there):
    found = asked(server, "GET", "/v1/runs/old")
    assert (found["status"], found["characters"]) == ("finished", len(TEXT * 20))
    assert found["loss"]["iteration"] == 3 and found["loss"]["grad_norm"] > 0
    curves = asked(server, "GET", "/v1/runs/old/curves")
    read = char_rnn.Run.open(there / "old").curves
    known = zip(read.val_loss.iterations, read.val_loss.seconds, read.val_loss.y, strict=True)
    assert curves["validation"] == [list(point) for point in known]
    assert len(curves["train"]) == len(read.loss) and curves["train"][-1][0] == 3
    assert found["best"] == dict(zip(("iteration", "val_loss"), read.best, strict=True))
    assert [run["name"] for run in asked(server, "GET", "/v1/runs")["data"]] == ["old"]
    assert server.ask("GET", "/v1/runs/old/events")[0] == 204
    asked(server, "POST", "/v1/runs/old/stop", 409, {})
    error = asked(server, "POST", "/v1/runs/old/resume", 400, {})["error"]
    assert error["param"] == "minutes"  # it counts iterations
    lock = RunLock(there / "old")
    lock.take()
    asked(server, "POST", "/v1/runs/old/resume", 409, {"minutes": 0.01})
    lock.release()


def test_going_on_with_one(there, monkeypatch):
    jobs = []

    async def start(_, run, job):
        jobs.append((run, job))

    monkeypatch.setattr(Trainings, "_start", start)
    trainings = Trainings(Models(), there, minutes=1)
    with pytest.raises(Refused, match="at most"):
        asyncio.run(trainings.resume("old", 1.5))
    run = asyncio.run(trainings.resume("old", 0.5))
    assert jobs[0][1]["resume"] and jobs[0][1]["folder"] == str(there / "old")
    assert asyncio.run(trainings.get("old")) is run and run.best["val_loss"] > 0
    with pytest.raises(Refused, match="one at a time"):
        asyncio.run(trainings.resume("old", 0.5))


def hostile(folder, name, config=b"{}", log=None):
    (folder / name).mkdir()
    (folder / name / "config.json").write_bytes(config)
    if log is not None:
        (folder / name / "log.jsonl").write_bytes(log)


def test_what_is_no_run(there, tmp_path, monkeypatch):
    """Whatever lies there, an answer comes: of files of bounded size, and of none elsewhere."""
    whole = (there / "old" / "config.json").read_bytes()
    line = b'{"event": "step", "iteration": 1, "characters": 1, "seconds": 1, "loss": %d}\n'
    hostile(tmp_path, "nothing")
    hostile(tmp_path, "deep", b"[" * 10_000)
    hostile(tmp_path, "log", whole, b"no JSON\n")
    hostile(tmp_path, "large", whole, line % 1 * 100)
    hostile(tmp_path, "killed", whole, line % 2)
    hostile(tmp_path, "-option", whole)
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    secret = tmp_path.parent / "elsewhere"
    hostile(tmp_path.parent, "elsewhere", whole, line % 9)
    (tmp_path / "link").symlink_to(secret)
    hostile(tmp_path, "linked", whole)
    (tmp_path / "linked" / "log.jsonl").symlink_to(secret / "log.jsonl")
    hostile(tmp_path, "pipe", whole)
    os.mkfifo(tmp_path / "pipe" / "log.jsonl")
    monkeypatch.setattr(folders, "MOST_LOG", 2000)
    found = RunFolders(tmp_path)
    names = {"nothing", "deep", "log", "large", "killed", "linked", "pipe"}
    listed = {run.name: run for run in found.all()}
    assert set(listed) == names
    assert {name for name, run in listed.items() if run.status == "failed"} == {
        "nothing", "deep", "log",
    }  # fmt: skip
    assert str(tmp_path) not in str(listed)
    assert listed["killed"].loss["loss"] == 2 and listed["killed"].status == "stopped"
    assert listed["linked"].loss is None and listed["pipe"].loss is None
    assert "too many" in listed["large"].message and listed["large"].loss is None
    for name in ("link", "-option", "..", "file", "empty", "none", "old/../old"):
        assert found.get(name) is None
    lock = RunLock(tmp_path / "killed")
    lock.take()
    assert found.get("killed").status == "running elsewhere"
    lock.release()
    for name in (*names, "link"):
        with pytest.raises(Refused):
            found.check_resumable(name)
    monkeypatch.setattr(folders, "MOST_LOGS", 50)
    assert RunFolders(tmp_path).get("killed").loss is not None
    assert {run.loss is None for run in RunFolders(tmp_path).all()} == {True}


def test_a_run_of_a_text_that_is_gone(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(TEXT * 20)
    more = {"hidden_size": 4, "iterations": 1, "sample_length": 1, "layers": 1}
    char_rnn.train(text, out=tmp_path / "run", progress=False, **more)
    found = RunFolders(tmp_path)
    assert found.check_resumable("run") is None
    text.unlink()
    with pytest.raises(Refused, match="no such file"):
        found.check_resumable("run")


def test_thinned_curves():
    points = list(range(10_001))
    found = thinned(Curve(points, points, [float(p) for p in points], [0.5] * 10_001), 100)
    assert found.shape == (100, 3)
    assert (found[0].tolist(), found[-1].tolist()) == ([0, 0, 0.5], [10_000, 10_000, 0.5])
    assert (np.diff(found[:, 0]) > 0).all()


def decoded(told):
    values = np.frombuffer(base64.b64decode(told["values"]), np.int8)
    return values.reshape(told["grid"]) * told["scale"]


def test_a_picture_has_the_means_of_blocks():
    matrix = np.arange(384.0).reshape(192, 2) - 100
    found = picture(matrix, gates=3)
    assert found["grid"] == [63, 2]  # as many rows for each gate
    means = [[gate[a:b].mean(0) for a, b in BLOCKS] for gate in matrix.reshape(3, 64, 2)]
    np.testing.assert_allclose(decoded(found), np.reshape(means, (63, 2)), atol=found["scale"])
    assert decoded(picture(np.zeros((2, 3)))).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert picture(np.full((1, 1), np.nan))["grid"] == [1, 1]


BLOCKS = [(k * 64 // 21, (k + 1) * 64 // 21) for k in range(21)]


class Stopped:
    """What of a trainer the picture needs."""

    def __init__(self, model):
        self.model = model


def test_weights_are_told_while_somebody_looks(monkeypatch):
    from char_rnn.training.events import Step

    step = Step(
        iteration=3, epoch=0.5, loss=1.0, learning_rate=0.1, grad_norm=2.0,
        characters=9, seconds=1.0, elapsed=1.5, progress=0.25,
    )  # fmt: skip
    model, told, looks = a_model(cell="lstm"), [], []
    weights = WeightPictures(lambda kind, found: told.append((kind, found)), lambda: bool(looks))
    weights.begin(Stopped(model))
    weights(step), weights(step)
    assert not told
    looks.append(1)
    weights(step)
    model.parameters.flat[:] += 0.5
    weights(step), weights(step), weights(step)
    (kind, found), = told  # the next one is not yet due  # fmt: skip
    assert kind == "weights" and found["iteration"] == 3
    names = [matrix["name"] for matrix in found["matrices"]]
    assert names == [n for n, array in model.parameters.items() if array.ndim == 2]
    for matrix in found["matrices"]:
        real = model.parameters[matrix["name"]]
        assert matrix["shape"] == list(real.shape) and max(matrix["grid"]) <= 64
        assert matrix["rms"] == pytest.approx(np.sqrt((real**2).mean()), rel=1e-5)
        assert matrix["update_rms"] == pytest.approx(0.5, rel=1e-5)
    assert len(json.dumps(found)) < 2**17


def test_only_the_newest_weights_are_kept(tmp_path):
    async def kept():
        run = Training("a", tmp_path, {})
        for number in range(3):
            run.tell("loss", {"iteration": number})
            run.tell("weights", {"large": number})
        run.status = "stopped"
        return [event async for event in run.stream(1)], run.watchers

    events, watchers = asyncio.run(kept())
    assert [event.splitlines()[0] for event in events] == ["id: 3", "id: 5", "id: 6"]
    assert watchers == 0
