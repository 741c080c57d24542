"""POST /v1/roll: what a page needs to draw and play the pieces of music in a text."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from char_rnn.errors import DataError
from char_rnn.music.notation import pieces
from char_rnn.music.page import data_of
from char_rnn.music.text import from_text
from char_rnn.serve.fields import ROLL
from char_rnn.serve.state import State

MOST_PIECES = 16


async def roll(request: Request) -> Response:
    """Answer POST /v1/roll."""
    state: State = request.app.state.serving
    found = await state.body(request, ROLL)
    if "model" in found:
        await state.model(found["model"])
    return JSONResponse(await state.aside(rolls, found["text"]))


def rolls(text: str) -> dict[str, Any]:
    """Return the pieces of a text as music/pages/roll.js takes them.

    The last piece may still be being written: then what stands behind its last bar is left out.
    Where the text is no piece of music, a message says why: whoever draws while somebody types asks
    for many that are none.
    """
    found: list[dict[str, Any]] = []
    left, message = 0, None
    try:
        parts = pieces(text)[:MOST_PIECES]
        for k, part in enumerate(parts):
            whole = part
            if k == len(parts) - 1:
                whole = part[: part.rfind("|") + 1] or part
            left = len(part) - len(whole)
            score = from_text(whole)
            if score.notes:
                found.append(data_of(score, f"Tune {k + 1}"))
    except DataError as error:
        message = f"the text is no piece of music: {error}"
    if not found:
        message = message or "the text is no piece of music: it has no notes"
    return {"object": "rolls", "data": found, "left_out": left, "message": message}
