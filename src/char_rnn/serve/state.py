"""What all requests share: the models, the limits, the figures, a few threads."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request

from char_rnn.serve.errors import Overloaded, Refused, Stopping
from char_rnn.serve.kept import States
from char_rnn.serve.metrics import Metrics
from char_rnn.serve.models import Models, Served
from char_rnn.serve.processes import Answers
from char_rnn.serve.schema import Schema, checked
from char_rnn.serve.training import Trainings

T = TypeVar("T")

THREADS, MOST_WAITING = 2, 64
"""Texts that are read aside at once, and how many may wait for it."""
RETRY = 5  # seconds


@dataclass(frozen=True)
class Settings:
    """How it is served. hosts: by which names it may be called, besides this machine's own.

    key: that clients must show, "" for none.
    train: whether runs may be begun; minutes: how long one may take; runs: where they are made.
    body, text: bytes that a body may have, and that of a text to learn.
    body_seconds: in which it must have come.
    """

    host: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()
    key: str = ""
    train: bool = True
    minutes: float = 60.0
    runs: Path = Path("runs")
    body: int = 2**21
    text: int = 2**25
    body_seconds: float = 30.0


class State:
    """One for a server."""

    def __init__(self, models: Models, settings: Settings) -> None:
        self.models, self.settings = models, settings
        self.metrics, self.states = Metrics(), States()
        self.trainings = Trainings(models, settings.runs, settings.minutes)
        self.experiments = Answers()
        self.stopping = False
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="char-rnn reading")
        self._aside = 0

    async def body(self, request: Request, schema: Schema) -> dict[str, Any]:
        """Return the checked fields of a request; raise Refused for what they must not be."""
        if self.stopping:
            raise Stopping()
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(
                f"the content-type is {kind[:100]!r}; it must be application/json",
                415,
                code="not_json",
            )
        data = await request.body()
        try:
            value = json.loads(data, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            said = str(error) if isinstance(error, json.JSONDecodeError) else "not JSON"
            raise Refused(f"the body is no JSON: {said}", code="not_json") from error
        return checked(schema, value)

    async def model(self, name: str) -> Served:
        """Return the model of that name, as it is now."""
        return await asyncio.to_thread(self.models.get, name)

    async def aside(self, work: Callable[..., T], *args: Any) -> T:
        """Return what `work` returns, computed in one of few threads; raise Overloaded."""
        if self._aside >= THREADS + MOST_WAITING:
            raise Overloaded(RETRY)
        self._aside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self._aside -= 1

    def stop(self, seconds: float) -> None:
        """Take nothing new; end what is still written after so many seconds."""
        self.stopping = True
        self.models.close(seconds)
        self.experiments.close()


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
