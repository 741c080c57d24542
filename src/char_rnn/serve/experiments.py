"""/v1/lab, and the diagnosis of a run: each in a process of its own, in bounded time."""

import asyncio
import base64

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from char_rnn.lab import EXPERIMENTS
from char_rnn.lab.running import uses
from char_rnn.serve.errors import Refused
from char_rnn.serve.fields import LAB, NOTHING
from char_rnn.serve.sending import unless_gone
from char_rnn.serve.state import State
from char_rnn.serve.training import as_bytes

SECONDS = {
    **{"memory": 11, "unroll": 1, "trace": 1, "gradients": 22, "clipping": 10, "window": 41},
    **{"optimisers": 22, "initial-state": 26, "initialisation": 21, "hidden-size": 25},
    **{"cells": 26, "temperature": 25, "teacher-forcing": 34, "neurons": 8},
}
"""About how long each takes, on one core."""
MOST_SECONDS, MOST_DIAGNOSIS = 300.0, 60.0
"""After which one is ended."""


async def experiments(_: Request) -> Response:
    """Answer GET /v1/lab."""
    takes = await asyncio.to_thread(lambda: {name: list(uses(name)) for name in EXPERIMENTS})
    found = [
        {
            "name": name,
            "object": "experiment",
            "question": question,
            "seconds": SECONDS[name],
            "takes": takes[name],
        }
        for name, question in EXPERIMENTS.items()
    ]
    return JSONResponse({"object": "list", "data": found})


async def experiment(request: Request) -> Response:
    """Answer POST /v1/lab/NAME."""
    state: State = request.app.state.serving
    name = request.path_params["name"]
    if name not in EXPERIMENTS:
        raise Refused(f"there is no experiment {name[:100]!r}", 404, "name", "lab_not_found")
    if not state.settings.train:
        raise Refused("this server trains nothing (--no_train)", 403, code="no_training")
    found = await state.body(request, LAB)
    taken = await asyncio.to_thread(uses, name)
    for field in found:
        if {"builtin": "text"}.get(field, field) not in taken:
            raise Refused(f"the experiment {name} takes no {field}; leave it out", param=field)
    if "text" in found and "builtin" in found:
        raise Refused("give either text or builtin", param="text")
    given = dict(found)
    if "text" in given:
        given["text"] = base64.b64encode(as_bytes(given["text"])).decode("ascii")
    if "model" in given:
        given["model"] = (await state.model(given["model"])).path
    state.trainings.check_idle()
    job = {"do": "lab", "name": name, "given": given}
    work = state.experiments.answer("lab", job, MOST_SECONDS)
    return JSONResponse(await unless_gone(request, work))


async def diagnose(request: Request) -> Response:
    """Answer POST /v1/runs/NAME/diagnose."""
    state: State = request.app.state.serving
    name = request.path_params["name"]
    await state.body(request, NOTHING)
    await state.trainings.get(name)
    folder = await asyncio.to_thread(state.trainings.folders.checked, name)
    job = {"do": "diagnose", "folder": str(folder)}
    work = state.experiments.answer("diagnose", job, MOST_DIAGNOSIS)
    return JSONResponse({"name": name, "object": "diagnosis", **await unless_gone(request, work)})
