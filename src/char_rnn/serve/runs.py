"""/v1/runs: begin a training run, watch it, stop it, go on with it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from char_rnn.serve.errors import Refused
from char_rnn.serve.fields import NOTHING, RESUME, RUN
from char_rnn.serve.sending import EventStream
from char_rnn.serve.state import State
from char_rnn.serve.training import Training


async def runs(request: Request) -> Response:
    """Answer GET /v1/runs."""
    state = _state(request)
    found = await state.trainings.listed()
    training = {"minutes": state.settings.minutes} if state.settings.train else None
    data = [run.to_dict() for run in found]
    return JSONResponse({"object": "list", "data": data, "training": training})


async def begin(request: Request) -> Response:
    """Answer POST /v1/runs."""
    state = _trains(request)
    found = await state.body(request, RUN)
    if ("text" in found) == ("builtin" in found):
        raise Refused("give either text or builtin", param="text")
    settings: dict[str, Any] = found.get("settings", {}) | {"minutes": found.get("minutes", 2.0)}
    _check_lab(state)
    run = await state.trainings.begin(
        found["name"], found.get("text"), found.get("builtin"), settings
    )
    return JSONResponse(run.to_dict(), 201)


async def run(request: Request) -> Response:
    """Answer GET /v1/runs/NAME."""
    found = await _state(request).trainings.get(request.path_params["name"])
    return JSONResponse(found.to_dict())


async def curves(request: Request) -> Response:
    """Answer GET /v1/runs/NAME/curves."""
    return JSONResponse(await _state(request).trainings.curves(request.path_params["name"]))


async def events(request: Request) -> Response:
    """Answer GET /v1/runs/NAME/events; with Last-Event-ID from there on."""
    found = await _state(request).trainings.get(request.path_params["name"])
    said = request.headers.get("last-event-id", "0")
    after = int(said[:18]) if said.isascii() and said.isdigit() else 0
    if not isinstance(found, Training) or not (found.active or found.since(after)):
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
    _check_lab(state)
    again = await state.trainings.resume(request.path_params["name"], found.get("minutes"))
    return JSONResponse(again.to_dict(), 202)


def _state(request: Request) -> State:
    state: State = request.app.state.serving
    return state


def _check_lab(state: State) -> None:
    if "lab" in state.experiments.busy:
        headers = {"Retry-After": "60"}
        said = "an experiment of the lab is being done; one at a time"
        raise Refused(said, 409, code="busy", headers=headers)


def _trains(request: Request) -> State:
    state = _state(request)
    if not state.settings.train:
        raise Refused("this server trains nothing (--no_train)", 403, code="no_training")
    return state
