"""All routes, as an application that any ASGI server can run."""

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from char_rnn.errors import CharRNNError
from char_rnn.serve import experiments, runs
from char_rnn.serve.completions import completions
from char_rnn.serve.errors import of_status, refusal
from char_rnn.serve.guard import Guard
from char_rnn.serve.looks import compared, following, score, states
from char_rnn.serve.models import Models
from char_rnn.serve.openapi import document
from char_rnn.serve.page import page
from char_rnn.serve.roll import roll
from char_rnn.serve.state import Settings, State


def app(models: Models, settings: Settings | None = None) -> "Application":
    """Return the application that serves `models`."""
    return Application(State(models, settings or Settings()))


class Application:
    """The routes behind their guard; `state` is what they share."""

    def __init__(self, state: State) -> None:
        self.state = state
        inner = Starlette(routes=ROUTES, exception_handlers=HANDLERS)
        inner.state.serving = state
        self.guarded: ASGIApp = Guard(inner, state)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        await self.guarded(scope, receive, send)


async def home(_: Request) -> Response:
    """Answer GET /: the page."""
    found = page()
    # Not kept: another server may stand here tomorrow.
    headers = {"content-security-policy": found.policy, "cache-control": "no-cache"}
    return HTMLResponse(found.html, headers=headers)


async def models(request: Request) -> Response:
    """Answer GET /v1/models."""
    found = _state(request).models.loaded()
    return JSONResponse({"object": "list", "data": [served.about() for served in found]})


async def model(request: Request) -> Response:
    """Answer GET /v1/models/NAME."""
    served = await _state(request).model(request.path_params["name"])
    return JSONResponse(served.about())


async def health(request: Request) -> Response:
    """Answer GET /healthz."""
    stopping = _state(request).stopping
    return JSONResponse({"status": "stopping" if stopping else "ok"}, 503 if stopping else 200)


async def metrics(request: Request) -> Response:
    """Answer GET /metrics."""
    state = _state(request)
    text = state.metrics.text(state.models.loaded())
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def openapi(request: Request) -> Response:
    """Answer GET /openapi.json."""
    return JSONResponse(document(_state(request).models.names))


def _state(request: Request) -> State:
    state: State = request.app.state.serving
    return state


async def _refused(_: Request, error: Exception) -> Response:
    found = refusal(error)
    return JSONResponse(found.body, found.status, found.headers)


async def _of_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    found = of_status(error.status_code)
    return JSONResponse(found.body, error.status_code, error.headers)


HANDLERS: Any = {HTTPException: _of_http, CharRNNError: _refused, 500: _refused}
ROUTES = [
    Route("/", home),
    Route("/v1/completions", completions, methods=["POST"]),
    Route("/v1/score", score, methods=["POST"]),
    Route("/v1/baselines", compared, methods=["POST"]),
    Route("/v1/states", states, methods=["POST"]),
    Route("/v1/next", following, methods=["POST"]),
    Route("/v1/roll", roll, methods=["POST"]),
    Route("/v1/runs", runs.runs, methods=["GET"]),
    Route("/v1/runs", runs.begin, methods=["POST"]),
    Route("/v1/runs/{name}", runs.run),
    Route("/v1/runs/{name}/curves", runs.curves),
    Route("/v1/runs/{name}/events", runs.events),
    Route("/v1/runs/{name}/stop", runs.stop, methods=["POST"]),
    Route("/v1/runs/{name}/resume", runs.resume, methods=["POST"]),
    Route("/v1/runs/{name}/diagnose", experiments.diagnose, methods=["POST"]),
    Route("/v1/lab", experiments.experiments),
    Route("/v1/lab/{name}", experiments.experiment, methods=["POST"]),
    Route("/v1/models", models),
    Route("/v1/models/{name}", model),
    Route("/healthz", health),
    Route("/metrics", metrics),
    Route("/openapi.json", openapi),
]
