"""POST /v1/score, /v1/baselines, /v1/states, /v1/next; what watches over a server."""

import base64
import json
import math
import re

import numpy as np
import pytest
from serving import TEXT, until

from char_rnn.serve import kept


def asked(running, path, status=200, **body):
    found, _, data = running.ask("POST", path, body)
    assert found == status, data
    return json.loads(data)


@pytest.mark.parametrize("name", ["small", "bytes"])
def test_score(running, name):
    model = running.models.get(name).model
    found = asked(running, "/v1/score", model=name, text=TEXT * 20)
    nats = model.surprisal(TEXT * 20)
    np.testing.assert_allclose(found["nats"], nats, atol=1e-6)
    assert found["characters"] == len(nats) and abs(found["loss"] - nats.mean()) < 1e-6
    assert abs(found["bits"] - found["loss"] / math.log(2)) < 1e-12
    for entropy, top in zip(found["entropy"], found["top"], strict=True):
        probabilities = [candidate["p"] for candidate in top]
        assert 0 <= entropy <= math.log(model.vocab_size) + 1e-6
        assert len(top) == 5 and sorted(probabilities, reverse=True) == probabilities
    assert set(found["baselines"]) == {"uniform", "zlib", "bz2", "lzma"}
    assert asked(running, "/v1/score", model=name, text="a")["characters"] == 1
    assert asked(running, "/v1/score", 400, model=name, text="")["error"]["param"] == "text"
    wrong = asked(running, "/v1/score", 400, model=name, text="a", loss=1)
    assert wrong["error"]["code"] == "unknown_field"


@pytest.mark.parametrize("name", ["small", "bytes"])
def test_score_goes_on(running, name):
    """What is read in pieces is as surprising as what is read at once."""
    whole = asked(running, "/v1/score", model=name, text=TEXT * 4)
    first = asked(running, "/v1/score", model=name, text=TEXT)
    assert first["id"] != whole["id"]
    parts = [asked(running, "/v1/score", id=first["id"], text=text) for text in (TEXT, TEXT * 3)]
    for part in parts:
        assert part["baselines"] == {}
        at = slice(len(TEXT), len(TEXT) + part["characters"])
        np.testing.assert_allclose(part["nats"], whole["nats"][at], atol=1e-5)
        np.testing.assert_allclose(part["entropy"], whole["entropy"][at], atol=1e-5)
        first_five = [c["char"] for c in part["top"][0]]
        assert first_five == [c["char"] for c in whole["top"][len(TEXT)]]
    likely = asked(running, "/v1/next", id=parts[1]["id"])["candidates"][0]["p"]
    known = asked(running, "/v1/next", model=name, text=TEXT * 4)["candidates"][0]["p"]
    assert likely == pytest.approx(known, abs=1e-5)
    for body in ({}, {"id": "x", "model": name}):
        assert asked(running, "/v1/score", 400, text="a", **body)["error"]["param"] == "id"
    assert asked(running, "/v1/score", 404, text="a", id="x")["error"]["code"] == "state_not_found"


def test_baselines(running):
    whole = asked(running, "/v1/score", model="small", text=TEXT * 20)["baselines"]
    found = asked(running, "/v1/baselines", model="small", text=TEXT * 20)
    assert found == {"characters": len(TEXT) * 20, "baselines": whole}
    assert set(asked(running, "/v1/baselines", model="small", text="a")["baselines"]) == {"uniform"}


def test_states(running, small):
    h, gates = small.states(TEXT, gates=True)

    def values(**more):
        found = asked(running, "/v1/states", model="small", text=TEXT, **more)
        packed = np.frombuffer(base64.b64decode(found["values"]), np.int8)
        assert found["parts"] == ["h", "r", "z", "n"]
        return packed.reshape(found["shape"]) * found["scale"], found["scale"]

    for layer in (0, 1):
        told, scale = values(layer=layer)
        np.testing.assert_allclose(told, h[:, layer, 0], atol=scale / 2 + 1e-6)
    told, scale = values(layer=1, of="z", unit=3)
    np.testing.assert_allclose(told[:, 0], gates["z"][:, 1, 0, 3], atol=scale / 2 + 1e-6)
    began = asked(running, "/v1/states", model="small", text=TEXT[:20])["id"]
    found = asked(running, "/v1/states", id=began, text=TEXT[20:], of="n")
    told = np.frombuffer(base64.b64decode(found["values"]), np.int8).reshape(found["shape"])
    told = told * found["scale"]
    np.testing.assert_allclose(told, gates["n"][20:, 0, 0], atol=found["scale"] / 2 + 1e-5)
    for name, value in (("layer", 2), ("unit", 24), ("of", "c"), ("text", "ß")):
        body = {"model": "small", "text": TEXT} | {name: value}
        assert asked(running, "/v1/states", 400, **body)["error"]["param"] == name


def test_next(running, small):
    """Read in pieces it is what it is read at once, and every state can be gone on from twice."""
    first = asked(running, "/v1/next", model="small", text="the ")
    nats = small.surprisal("the cat sat")
    np.testing.assert_allclose(first["nats"], nats[:4], atol=1e-5)
    second = asked(running, "/v1/next", id=first["id"], text="cat", top=small.vocab_size)
    np.testing.assert_allclose(second["nats"], nats[4:7], atol=1e-5)
    likely = second["candidates"]
    assert sum(candidate["p"] for candidate in likely) == pytest.approx(1)
    space = next(candidate["p"] for candidate in likely if candidate["char"] == " ")
    assert -math.log(space) == pytest.approx(nats[7], abs=1e-5)
    entropy = -sum(candidate["p"] * math.log(candidate["p"]) for candidate in likely)
    assert second["entropy"] == pytest.approx(entropy, abs=1e-6)
    again = asked(running, "/v1/next", id=first["id"], text="cat", top=small.vocab_size)
    assert again | {"id": ""} == second | {"id": ""}
    same = asked(running, "/v1/next", id=second["id"], top=small.vocab_size)
    assert same["candidates"] == likely and same["nats"] == []
    for body in ({}, {"id": "x", "model": "small"}):
        assert asked(running, "/v1/next", 400, **body)["error"]["param"] == "id"


def test_states_are_forgotten(running, monkeypatch):
    first = asked(running, "/v1/next", model="small")["id"]
    monkeypatch.setattr(kept, "MOST", 2)
    second = asked(running, "/v1/next", model="small")["id"]
    asked(running, "/v1/next", model="small")
    error = asked(running, "/v1/next", 404, id=first)["error"]
    assert (error["param"], error["code"]) == ("id", "state_not_found")
    asked(running, "/v1/next", id=second)
    monkeypatch.setattr(kept, "SECONDS", -1)
    asked(running, "/v1/next", 404, id=second)


def test_health_and_metrics(running):
    assert running.ask("GET", "/healthz")[::2] == (200, b'{"status":"ok"}')
    asked(running, "/v1/completions", model="small", max_tokens=7)
    until(lambda: not running.models.get("small").engine.busy)
    status, headers, data = running.ask("GET", "/metrics")
    text = data.decode()
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    line = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+')
    kinds = {}
    for found in text.splitlines():
        if found.startswith("# TYPE "):
            _, _, name, kind = found.split()
            assert name not in kinds, "a family stands in one place"
            kinds[name] = kind
        elif not found.startswith("# HELP "):
            assert line.fullmatch(found), found
            name = re.match(r"[a-z_]+", found)[0]
            assert re.sub("_(bucket|sum|count)$", "", name) in kinds or name in kinds
    assert 'char_rnn_texts{model="small",is="writing"} 0' in text
    written = int(re.search(r'written_total\{model="small"\} (\d+)', text)[1])
    assert written >= 6 and 'route="/v1/completions",status="200"' in text
