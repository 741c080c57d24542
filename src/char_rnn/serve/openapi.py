"""GET /openapi.json: what can be asked, from the tables that requests are checked with."""

from typing import Any

from char_rnn import __version__
from char_rnn.serve.fields import (
    BASELINES,
    COMPLETION,
    LAB,
    NEXT,
    NOTHING,
    RESUME,
    ROLL,
    RUN,
    SCORE,
    STATES,
)
from char_rnn.serve.schema import Schema

ERRORS = {
    "400": "What is asked for cannot be; the error names the field.",
    "401": "The key is missing or wrong.",
    "403": "Another site's page asks, or another host is meant.",
    "404": "There is no such model, state, run or experiment.",
    "409": "It is there already, is over, or another one is being worked on.",
    "405": "Not with this method.",
    "408": "The body did not come in time.",
    "413": "The body is too large.",
    "415": "The body is no application/json.",
    "429": "Too many ask; Retry-After says when there may be room.",
    "500": "A fault of the server.",
    "503": "The server is stopping, or it took too long.",
}
ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
Route = tuple[str, str, str, Schema | None]
JSON, EVENTS, PLAIN = "application/json", "text/event-stream", "text/plain"
ROUTES: list[Route] = [
    ("post", "/v1/completions", "Go on from a prompt; OpenAI's API.", COMPLETION),
    ("post", "/v1/score", "Tell how surprising each character of a text is.", SCORE),
    ("post", "/v1/baselines", "Tell the losses of what knows only this text.", BASELINES),
    ("post", "/v1/states", "Tell what the units of a layer do along a text.", STATES),
    ("post", "/v1/next", "Tell what may come next; keeps the state of what was read.", NEXT),
    ("post", "/v1/roll", "Tell what draws and plays a text of music.", ROLL),
    ("get", "/v1/runs", "List the training runs.", None),
    ("post", "/v1/runs", "Begin a training run.", RUN),
    ("get", "/v1/runs/{name}", "Tell how far a run is.", None),
    ("get", "/v1/runs/{name}/curves", "Tell its losses, for comparing runs.", None),
    ("get", "/v1/runs/{name}/events", "Watch a run.", None),
    ("post", "/v1/runs/{name}/stop", "Let a run end and save.", NOTHING),
    ("post", "/v1/runs/{name}/resume", "Go on with a run.", RESUME),
    ("post", "/v1/runs/{name}/diagnose", "Tell what is wrong with a run.", NOTHING),
    ("get", "/v1/lab", "List the experiments.", None),
    ("post", "/v1/lab/{name}", "Do an experiment; its page is answered.", LAB),
    ("get", "/v1/models", "List the models.", None),
    ("get", "/healthz", "Tell whether the server is well.", None),
    ("get", "/metrics", "Tell figures, for Prometheus.", None),
]
KINDS = {
    ("post", "/v1/completions"): (JSON, EVENTS),
    ("get", "/v1/runs/{name}/events"): (EVENTS,),
    ("get", "/metrics"): (PLAIN,),
}
_RUN = ("name", "object", "status", "message", "created", "text", "characters", "loss", "best")
_LIST, _LAB = ("object", "data"), ("question", "found", "means", "page")
ANSWERS: dict[tuple[str, str], tuple[str, ...]] = {
    ("post", "/v1/completions"): ("id", "object", "created", "model", "choices", "usage"),
    ("post", "/v1/score"): ("characters", "loss", "bits", "nats", "entropy", "top", "baselines"),
    ("post", "/v1/states"): ("parts", "layers", "units", "shape", "values", "scale"),
    ("post", "/v1/next"): ("id", "candidates", "nats", "entropy"),
    ("post", "/v1/roll"): (*_LIST, "left_out", "message"),
    ("get", "/v1/runs"): (*_LIST, "training"),
    ("post", "/v1/runs"): _RUN,
    ("get", "/v1/runs/{name}"): _RUN,
    ("get", "/v1/runs/{name}/curves"): ("train", "validation"),
    ("post", "/v1/runs/{name}/stop"): _RUN,
    ("post", "/v1/runs/{name}/resume"): _RUN,
    ("post", "/v1/runs/{name}/diagnose"): ("name", "clean", "findings", "unseen", *_LAB),
    ("get", "/v1/lab"): _LIST,
    ("post", "/v1/lab/{name}"): ("name", "settings", *_LAB),
    ("get", "/v1/models"): _LIST,
    ("get", "/healthz"): ("status",),
}
"""What is in each answer that is an object."""
DONE = {
    ("post", "/v1/runs"): "201",
    ("post", "/v1/runs/{name}/stop"): "202",
    ("post", "/v1/runs/{name}/resume"): "202",
}


def document(names: list[str]) -> dict[str, Any]:
    """Return the document; names: of the models there are."""
    paths: dict[str, Any] = {}
    for method, path, about, schema in ROUTES:
        paths.setdefault(path, {})[method] = _operation(method, path, about, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": "char-rnn serve", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR, "Model": {"type": "string", "enum": names}},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(method: str, path: str, about: str, schema: Schema | None) -> dict[str, Any]:
    kinds = KINDS.get((method, path), (JSON,))
    error = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    answers = {"type": "object", "required": list(ANSWERS.get((method, path), ()))}
    operation: dict[str, Any] = {
        "summary": about,
        "responses": {
            DONE.get((method, path), "200"): {
                "description": "The answer.",
                "content": {kind: {"schema": answers} if kind == JSON else {} for kind in kinds},
            },
            **{status: {"description": said, "content": error} for status, said in ERRORS.items()},
        },
    }
    if "{name}" in path:
        name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
        operation["parameters"] = [name]
    if path.endswith("/events"):
        operation["responses"]["204"] = {"description": "It is over, and all of it was told."}
    if schema is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return operation
