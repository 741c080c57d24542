"""What a model sees in a text: POST /v1/score, /v1/baselines, /v1/states and /v1/next."""

import base64
import math
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from char_rnn.analyse import baselines
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import CharRNNError, unknown_name
from char_rnn.model.blas import blas_threads
from char_rnn.model.cells import cell_class
from char_rnn.model.loss import log_softmax
from char_rnn.model.states import states as read_states
from char_rnn.model.stepper import Stepper
from char_rnn.serve.errors import Refused, refusal
from char_rnn.serve.fields import BASELINES, NEXT, SCORE, STATES
from char_rnn.serve.models import Served
from char_rnn.serve.score import read
from char_rnn.serve.state import State
from char_rnn.serve.stream import likeliest

Array = np.ndarray

TOP = 5
MOST_VALUES = 2**24
"""Numbers of states and gates that are computed for an answer: 64 MiB."""


async def _begun(state: State, found: dict[str, Any]) -> tuple[Served, Array | None]:
    """Return the model that is meant, and its state (S, L, 1, H) where it goes on from an id."""
    if ("id" in found) == ("model" in found):
        raise Refused("give either model, to begin, or id, to go on", param="id")
    if "model" in found:
        return await state.model(found["model"]), None
    kept = state.states.get(found["id"])
    return kept.served, kept.state


async def score(request: Request) -> Response:
    """Answer POST /v1/score."""
    state: State = request.app.state.serving
    found = await state.body(request, SCORE)
    served, before = await _begun(state, found)
    answer, after = await state.aside(_scored, served, before, found["text"])
    return JSONResponse({"id": state.states.keep(served, after), **answer})


def _scored(served: Served, before: Array | None, text: str) -> tuple[dict[str, Any], Array]:
    """Return what is answered, and the state (S, L, 1, H) after `text`."""
    words = served.vocabulary
    found = read(served.model, words, _encoded(words, text), TOP, before)
    known = found.nats[~np.isnan(found.nats)]
    loss = float(known.mean()) if len(known) else math.nan
    answer = {
        "characters": len(known),
        "loss": _number(loss),
        "bits": _number(loss / math.log(2)),
        "nats": [_number(value) for value in found.nats.tolist()],
        "entropy": [_number(value) for value in found.entropy.tolist()],
        "top": [_candidates(top) for top in found.top],
        # Of a piece that has something before it they would say little.
        "baselines": _baselines(words, found.ids) if before is None else {},
    }
    return answer, found.state


async def compared(request: Request) -> Response:
    """Answer POST /v1/baselines."""
    state: State = request.app.state.serving
    found = await state.body(request, BASELINES)
    words = (await state.model(found["model"])).vocabulary
    ids = _encoded(words, found["text"])
    losses = await state.aside(_baselines, words, ids)
    return JSONResponse({"characters": len(ids), "baselines": losses})


def _baselines(words: AnyVocabulary, ids: Array) -> dict[str, float]:
    """Return the losses of what knows nothing but this text, in nats a character."""
    found = {"uniform": baselines.uniform(words.size)}
    if len(ids) >= baselines.FEWEST_TO_COMPRESS:
        data = baselines.encoded(words, ids)
        for name in baselines.COMPRESSORS:
            found[name] = baselines.compressed(name, b"", data, len(ids))
    return found


async def states(request: Request) -> Response:
    """Answer POST /v1/states."""
    state: State = request.app.state.serving
    found = await state.body(request, STATES)
    served, before = await _begun(state, found)
    answer, after = await state.aside(_states, served, before, found)
    return JSONResponse({"id": state.states.keep(served, after), **answer})


@blas_threads(1)
def _states(
    served: Served, before: Array | None, found: dict[str, Any]
) -> tuple[dict[str, Any], Array]:
    """Return what is answered, and the state (S, L, 1, H) after the text."""
    model, ids = served.model, _encoded(served.vocabulary, found["text"])
    layer, of, unit = found.get("layer", 0), found.get("of", "h"), found.get("unit")
    cell = cell_class(model.config)
    parts = ["h", "c"][: cell.states] + [gate for gate in cell.gates if gate not in ("h", "c")]
    if layer >= model.layers:
        raise Refused(f"layer is {layer}; there are {model.layers}, from 0", param="layer")
    if unit is not None and unit >= model.hidden_size:
        raise Refused(f"unit is {unit}; there are {model.hidden_size}, from 0", param="unit")
    if of not in parts:
        raise refusal(unknown_name("part", of, parts), "of")
    most = MOST_VALUES // (model.layers * model.hidden_size * (len(parts) + 1))
    if len(ids) > most:
        raise Refused(
            f"the text has {len(ids):,} characters; of this model the states of {most:,} are told "
            "at once",
            param="text",
        )
    after, gates = read_states(model.parameters, ids[:, None], True, before)
    values = (gates | dict(zip("hc", after, strict=False)))[of][:, layer, 0]  # (T, H)
    values = values if unit is None else values[:, unit : unit + 1]
    scale = float(np.abs(values).max(initial=0.0)) / 127 or 1.0
    packed = np.rint(values / scale).astype(np.int8)
    answer = {
        "parts": parts,
        "layers": model.layers,
        "units": model.hidden_size,
        "shape": list(packed.shape),
        "values": base64.b64encode(packed.tobytes()).decode("ascii"),
        "scale": scale,
    }
    return answer, after[:, -1].copy()


async def following(request: Request) -> Response:
    """Answer POST /v1/next."""
    state: State = request.app.state.serving
    found = await state.body(request, NEXT)
    served, before = await _begun(state, found)
    answer, after = await state.aside(
        _next, served, before, found.get("text", ""), found.get("top", 10)
    )
    return JSONResponse({"id": state.states.keep(served, after), **answer})


@blas_threads(1)
def _next(
    served: Served, before: Array | None, text: str, top: int
) -> tuple[dict[str, Any], Array]:
    """Return what is answered, and the state (S, L, 1, H) after `text`."""
    words = served.vocabulary
    ids = _encoded(words, text) if text else np.zeros(0, np.intp)
    with served.reading as stepper:
        if before is None:
            stepper.begin(stepper.initial_state())
            for idx in words.beginning():
                stepper.step(np.array([idx], np.intp))
        else:
            stepper.begin(before)
        nats = []
        for idx in ids:
            nats.append(-_log_p(stepper).item(idx))
            stepper.step(np.array([idx], np.intp))
        log_p, state = _log_p(stepper), stepper.state()
    entropy = -float((np.exp(log_p) * np.where(np.isneginf(log_p), 0.0, log_p)).sum())
    answer = {
        "candidates": _candidates(likeliest(words, log_p, top)),
        "nats": [_number(value) for value in nats],
        "entropy": _number(entropy),
    }
    return answer, state


def _log_p(stepper: Stepper) -> Array:
    log_p: Array = log_softmax(stepper.logits()[0].astype(np.float64))
    return log_p


def _candidates(top: dict[str, float]) -> list[dict[str, Any]]:
    return [{"char": name, "p": math.exp(log_p)} for name, log_p in top.items()]


def _encoded(words: AnyVocabulary, text: str) -> Array:
    try:
        return words.encode(text).astype(np.intp)
    except CharRNNError as error:
        raise refusal(error, "text") from error


def _number(value: float) -> float | None:
    """Return a number as JSON has it, in which there is neither NaN nor infinity."""
    return value if math.isfinite(value) else None
