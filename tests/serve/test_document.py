"""The document of the API, and requests made up from it."""

import json

import pytest
from serving import TEXT, Running

import char_rnn
from char_rnn.serve.models import Models
from char_rnn.serve.processes import Answers
from char_rnn.serve.training import Trainings


def test_the_document(running):
    """It names every route and every field, and each schema is one."""
    from char_rnn.serve.app import ROUTES
    from char_rnn.serve.fields import COMPLETION

    found = json.loads(running.ask("GET", "/openapi.json")[2])
    hidden = {"/", "/openapi.json", "/v1/models/{name}"}
    assert {route.path for route in ROUTES} - hidden == set(found["paths"])
    body = found["paths"]["/v1/completions"]["post"]["requestBody"]["content"]
    schema = body["application/json"]["schema"]
    assert schema["properties"].keys() == COMPLETION["properties"].keys()
    assert schema["additionalProperties"] is False


@pytest.fixture
def idle(small, tmp_path, monkeypatch):
    """Return a server that has a run, and whose workers have no work to do."""

    async def start(_, run, job):
        json.dumps(job)
        run.status = "finished"
        run.tell("end", {"reason": "finished"})

    async def answer(_, kind, job, seconds):
        json.dumps(job)
        told = {"question": "", "found": kind, "means": "", "page": ""}
        more = {"clean": True, "findings": [], "unseen": []}
        return told | ({"name": job["name"], "settings": {}} if kind == "lab" else more)

    monkeypatch.setattr(Trainings, "_start", start)
    monkeypatch.setattr(Answers, "answer", answer)
    more = {"hidden_size": 4, "iterations": 1, "sample_length": 1, "layers": 1}
    char_rnn.train(TEXT * 20, out=tmp_path / "runs" / "old", progress=False, **more)
    small.save(tmp_path / "small.safetensors")
    models = Models()
    models.add(tmp_path / "small.safetensors")
    found = Running(models, runs=tmp_path / "runs", minutes=2000.0)
    yield found
    found.stop()


def quick(document):
    """Return the document without what takes long."""
    for *_, fields in operations_of(document):
        if "model" in fields:
            fields["model"] = {"type": "string", "enum": ["small"]}
        if "max_tokens" in fields:
            fields["max_tokens"] = {"type": "integer", "minimum": 0, "maximum": 20}
            fields["effort"] = {"type": "integer", "minimum": 0, "maximum": 20}
    return document


def narrow(document):
    """Return the document of what is there, and goes together: most of it is answered."""
    for path, operation, fields in operations_of(quick(document)):
        for parameter in operation.get("parameters", []):
            parameter["schema"] = {"enum": ["unroll" if "/lab/" in path else "old"]}
        if path == "/v1/runs" and fields:
            del fields["text"]
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            schema["required"].append("builtin")
            fields["builtin"] = {"enum": ["python-docs"]}
            fields["name"] = {"type": "string", "pattern": "^[a-z]{3,9}$"}
        elif "/lab/" in path:
            del fields["text"], fields["builtin"], fields["seeds"]
        elif "id" in fields:
            del fields["id"]
            fields |= {"model": {"enum": ["small"]}, "text": {"enum": ["the cat", "the"]}}
            content = operation["requestBody"]["content"]["application/json"]
            content["schema"]["required"] = ["model", "text"]
        elif path == "/v1/roll":
            fields["text"] = {"enum": ["cdef gabc'|"]}
    return document


def operations_of(document):
    """Yield the path, the operation and the fields of its body, of all of them."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            yield path, operation, schema.get("properties", {})


def test_schemathesis(idle):
    """Requests made up from the document, right ones and wrong ones, find nothing."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        negative_data_rejection,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [not_a_server_error, content_type_conformance, negative_data_rejection,
              response_schema_conformance, status_code_conformance]  # fmt: skip
    answered = set()

    def asked(operation, mode, count):
        @settings(max_examples=count, deadline=None, derandomize=True, database=None,
                  phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case):
            answer = case.call_and_validate(checks=checks)
            answered.add((operation.label, answer.status_code < 300))

        ask()

    for change in (quick, narrow):
        document = change(json.loads(idle.ask("GET", "/openapi.json")[2]))
        schema = schemathesis.openapi.from_dict(document)
        schema.config.update(base_url=f"http://127.0.0.1:{idle.port}")
        operations = [found.ok() for found in schema.get_all_operations()]
        for operation in operations:
            asked(operation, GenerationMode.POSITIVE, 3)
            if change is quick and operation.method != "get":
                asked(operation, GenerationMode.NEGATIVE, 6)
    done = {label for label, well in answered if well}
    nothing_to_stop = {"POST /v1/runs/{name}/stop"}
    assert {operation.label for operation in operations} - done == nothing_to_stop
