"""/v1/runs: begin a training run, watch it, stop it, go on with it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from char_rnn.serve.errors import Refused
from char_rnn.serve.fields import RESUME, RUN
from char_rnn.serve.schema import record
from char_rnn.serve.sending import EventStream
from char_rnn.serve.state import State

NOTHING = record({})


async def runs(request: Request) -> Response:
    """Answer GET /v1/runs."""
    found = _state(request).trainings.all()
    return JSONResponse({"object": "list", "data": [run.to_dict() for run in found]})


async def begin(request: Request) -> Response:
    """Answer POST /v1/runs."""
    state = _trains(request)
    found = await state.body(request, RUN)
    if ("text" in found) == ("builtin" in found):
        raise Refused("give either text or builtin", param="text")
    minutes = found.get("minutes", 2.0)
    state.check_minutes(minutes)
    settings: dict[str, Any] = found.get("settings", {}) | {"minutes": minutes}
    run = await state.trainings.begin(
        found["name"], found.get("text"), found.get("builtin"), settings
    )
    return JSONResponse(run.to_dict(), 201)


async def run(request: Request) -> Response:
    """Answer GET /v1/runs/NAME."""
    return JSONResponse(_state(request).trainings.get(request.path_params["name"]).to_dict())


async def events(request: Request) -> Response:
    """Answer GET /v1/runs/NAME/events; with Last-Event-ID from there on."""
    found = _state(request).trainings.get(request.path_params["name"])
    said = request.headers.get("last-event-id", "0")
    after = int(said[:18]) if said.isascii() and said.isdigit() else 0
    if not found.active and after >= found.count:
        return Response(status_code=204)  # so that a browser does not ask again
    return EventStream(found.stream(after), lambda: None)


async def stop(request: Request) -> Response:
    """Answer POST /v1/runs/NAME/stop."""
    state = _trains(request)
    await state.body(request, NOTHING)
    found = await state.trainings.stop(request.path_params["name"])
    return JSONResponse(found.to_dict(), 202)


async def resume(request: Request) -> Response:
    """Answer POST /v1/runs/NAME/resume."""
    state = _trains(request)
    found = await state.body(request, RESUME)
    if "minutes" in found:
        state.check_minutes(found["minutes"])
    again = await state.trainings.resume(request.path_params["name"], found.get("minutes"))
    return JSONResponse(again.to_dict(), 202)


def _state(request: Request) -> State:
    state: State = request.app.state.serving
    return state


def _trains(request: Request) -> State:
    state = _state(request)
    if not state.settings.train:
        raise Refused("this server trains nothing (--no_train)", 403, code="no_training")
    return state
