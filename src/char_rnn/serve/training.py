"""Training runs that clients begin: each a process of its own, one at a time."""

import asyncio
import base64
import contextlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import takewhile
from operator import itemgetter
from pathlib import Path
from typing import Any

from char_rnn.errors import CharRNNError
from char_rnn.serve.errors import Refused
from char_rnn.serve.folders import OVER, Looked, RunFolders, answered, is_name
from char_rnn.serve.models import Models
from char_rnn.serve.processes import kill, started
from char_rnn.serve.worker import REST, WATCH
from char_rnn.storage.models import CONFIG_FILE

MOST_RUNS, MOST_EVENTS = 100, 10_000
"""Runs that a server begins until it is started anew, and events that it keeps of each."""
BEAT = 15.0
"""Seconds without news after which a client is told that there are none."""
_log = logging.getLogger("char_rnn.serve")


Event = tuple[int, str, dict[str, Any]]
LARGE = "weights"
"""The event of which only the newest is kept."""


@dataclass(eq=False)
class Training:
    """One run. status: `running`, `stopping`, `finished`, `stopped` or `failed`.

    events: (number, name, what is told), the newest of them. latest: what was told last, by name.
    best: the best evaluation. watchers: how many look at it.
    """

    name: str
    folder: Path
    about: dict[str, Any]
    status: str = "running"
    message: str = ""
    created: int = field(default_factory=lambda: int(time.time()))
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=MOST_EVENTS))
    large: Event | None = None
    latest: dict[str, dict[str, Any]] = field(default_factory=dict)
    best: dict[str, Any] | None = None
    count: int = 0
    watchers: int = 0
    process: asyncio.subprocess.Process | None = None
    begun: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, found: Looked, folder: Path) -> "Training":
        """Return a run that lies in a folder, to go on with."""
        latest = {"loss": found.loss, "validation": found.validation}
        return cls(
            found.name,
            folder,
            found.about,
            found.status,
            created=found.created,
            latest={kind: told for kind, told in latest.items() if told is not None},
            best=found.best,
        )

    @property
    def active(self) -> bool:
        """Whether its process is there."""
        return self.status in ("running", "stopping")

    @property
    def minutes(self) -> float:
        """For how long it was trained."""
        seconds = [told.get("elapsed") or told.get("seconds") or 0 for told in self.latest.values()]
        return max(seconds, default=0.0) / 60

    def tell(self, kind: str, told: dict[str, Any]) -> None:
        """Keep an event, and wake who waits for it."""
        self.count += 1
        event = (self.count, kind, told)
        if kind == LARGE:
            self.large = event
        else:
            self.events.append(event)
            self.latest[kind] = told
        if kind == "validation" and told["best"]:
            self.best = {name: told[name] for name in ("iteration", "val_loss")}
        self.news.set()
        self.news = asyncio.Event()

    def to_dict(self) -> dict[str, Any]:
        """Return what is answered."""
        return answered(
            self.name,
            self.status,
            self.message,
            self.created,
            self.about,
            self.latest.get("loss"),
            self.latest.get("validation"),
            self.best,
            events=self.count,
        )

    def since(self, after: int) -> list[Event]:
        """Return the events after that number that are kept."""
        found = list(takewhile(lambda event: event[0] > after, reversed(self.events)))
        if self.large is not None and self.large[0] > after:
            found.append(self.large)
        return sorted(found, key=itemgetter(0))

    async def stream(self, after: int) -> AsyncIterator[str]:
        """Yield the events after that number, whole, until the run ends."""
        self._watch(1)
        try:
            while True:
                news = self.news
                for number, kind, told in self.since(after):
                    after = number
                    yield f"id: {number}\nevent: {kind}\ndata: {json.dumps(told)}\n\n"
                if not self.active and not self.since(after):
                    return
                try:
                    await asyncio.wait_for(news.wait(), BEAT)
                except TimeoutError:
                    yield ": no news\n\n"
        finally:
            self._watch(-1)

    def _watch(self, more: int) -> None:
        self.watchers += more
        self.tell_process()

    def tell_process(self) -> None:
        """Let the process know whether somebody looks, or that it is to end."""
        pipe = None if self.process is None else self.process.stdin
        if pipe is None or not self.begun or pipe.is_closing():
            return
        if self.status == "stopping":
            pipe.close()
        else:
            pipe.write(WATCH if self.watchers else REST)


class Trainings:
    """All of them; models: where a finished one is added. folder: where run folders are made.

    minutes: for how long one may be trained.
    """

    def __init__(self, models: Models, folder: Path, minutes: float = 60.0) -> None:
        self._models, self._folder, self._minutes = models, folder, minutes
        self.folders = RunFolders(folder)
        self._known: dict[str, Training] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def all(self) -> list[Training]:
        """Return those of this server, the first one first."""
        return list(self._known.values())

    async def listed(self) -> list[Training | Looked]:
        """Return those of this server, and the newest of the others that lie in the folder."""
        found = await asyncio.to_thread(self.folders.all)
        return [*self.all(), *(looked for looked in found if looked.name not in self._known)]

    async def get(self, name: str) -> Training | Looked:
        """Return the run of that name; Refused where there is none."""
        if name in self._known:
            return self._known[name]
        found = await asyncio.to_thread(self.folders.get, name)
        if found is None:
            raise Refused(f"there is no run {name[:100]!r}", 404, "name", "run_not_found")
        return found

    async def curves(self, name: str) -> dict[str, Any]:
        """Return the curves of a run, as its folder has them."""
        await self.get(name)
        found = await asyncio.to_thread(self.folders.get, name)
        return (found or Looked(name, 0)).curves_told()

    async def begin(
        self, name: str, text: str | None, builtin: str | None, settings: dict[str, Any]
    ) -> Training:
        """Begin a run."""
        if not is_name(name):
            raise Refused(
                "a run's name has 1 to 64 letters, digits, _, - and . of ASCII, and begins with a "
                "letter or digit",
                param="name",
            )
        self._check_minutes(settings.get("minutes", 0.0))
        folder = self._folder / name
        taken = name in self._known or name in self._models.names or os.path.lexists(folder)
        if taken:
            raise Refused(f"there is a run or a model {name!r} already", 409, "name", "name_taken")
        self._check_count()
        self.check_idle()
        data = None if text is None else base64.b64encode(as_bytes(text)).decode("ascii")
        about = {"text": builtin, "characters": None if text is None else len(text)}
        run = self._known[name] = Training(name, folder, about)
        job = {
            "do": "train",
            "folder": str(folder),
            "resume": False,
            "text": data,
            "builtin": builtin,
        }
        await self._start(run, job | {"settings": settings})
        return run

    async def resume(self, name: str, minutes: float | None) -> Training:
        """Go on with a run; minutes: of all of it, from its beginning."""
        found = await self.get(name)
        self.check_idle()
        if not (self._folder / name / CONFIG_FILE).is_file():
            raise Refused(f"the run {name!r} has learned nothing yet; begin another", 409, "name")
        planned = await asyncio.to_thread(self.folders.check_resumable, name)
        run = found if isinstance(found, Training) else Training.of(found, self._folder / name)
        if minutes is None and planned is None:
            raise Refused(f"{name!r} counts no minutes; say how many", param="minutes")
        self._check_minutes((minutes or planned or 0.0) - run.minutes)
        self.check_idle()
        if name not in self._known:
            self._check_count()
        self._known[name] = run
        run.status, run.message = "running", ""
        settings = {} if minutes is None else {"minutes": minutes}
        job = {"do": "train", "folder": str(run.folder), "resume": True, "settings": settings}
        await self._start(run, job)
        return run

    async def stop(self, name: str) -> Training:
        """Let a run end after the step in hand; it can be resumed."""
        run = await self.get(name)
        if not isinstance(run, Training) or not run.active:
            raise Refused(f"the run {name!r} is over: {run.status}", 409, "name", "run_over")
        self._stop(run)
        return run

    async def close(self, seconds: float) -> None:
        """Let all end and save; kill what has not ended in so many seconds."""
        for run in self.all():
            if run.active:
                self._stop(run)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for run in self.all():
            if run.process is not None and run.process.returncode is None:
                _log.warning("the run %s did not end in time and was killed", run.name)
                kill(run.process)

    def _check_count(self) -> None:
        if len(self._known) >= MOST_RUNS:
            raise Refused(f"this server has begun {MOST_RUNS} runs; start it anew", 409)

    def _check_minutes(self, minutes: float) -> None:
        if minutes > self._minutes:
            raise Refused(
                f"that is {minutes:.4g} minutes of training; this server trains for "
                f"{self._minutes:g} at most",
                param="minutes",
            )

    def check_idle(self) -> None:
        """Raise Refused while a run is being trained."""
        for run in self.all():
            if run.active:
                raise Refused(
                    f"the run {run.name!r} is being trained; one at a time",
                    409,
                    "name",
                    "busy",
                    {"Retry-After": "60"},
                )

    def _stop(self, run: Training) -> None:
        run.status = "stopping"
        run.tell_process()

    async def _start(self, run: Training, job: dict[str, Any]) -> None:
        run.process, run.begun = None, False
        try:
            run.process = await started()
        except Refused as error:
            run.status, run.message = "failed", str(error)
            raise
        task = asyncio.ensure_future(self._follow(run, run.process, json.dumps(job)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, run: Training, process: asyncio.subprocess.Process, job: str) -> None:
        """Keep what the process tells, until it ends."""
        assert process.stdin is not None and process.stdout is not None
        reason = ""
        with contextlib.suppress(ConnectionError):
            process.stdin.write(job.encode() + b"\n")
            await process.stdin.drain()
        run.begun = True
        run.tell_process()
        try:
            async for line in process.stdout:
                told = json.loads(line)
                kind = told.pop("event")
                if kind == "failed":
                    run.message = told["message"]
                elif kind == "end":
                    reason = told["reason"]
                    last = told
                else:
                    run.tell(kind, told)
        except ValueError:  # a line that is too long
            kill(process)
        await process.wait()
        run.begun = False
        status = OVER.get(reason, "failed")
        if process.returncode == 0 and not reason and not run.message:
            status, last = "finished", {"reason": "finished"}  # resumed, and only its end was left
        if status == "failed":
            run.message = run.message or f"its process ended with {process.returncode}"
            last = {"reason": "failed", "message": run.message}
        if status == "finished":
            await self._add(run)
        run.status = status
        run.tell("end", last)

    async def _add(self, run: Training) -> None:
        """Let a run that is finished be served."""
        if run.name in self._models.names:
            return  # it is loaded anew by itself
        try:
            await asyncio.to_thread(self._models.add, run.folder, run.name)
        except (CharRNNError, OSError) as error:
            _log.warning("the run %s cannot be served: %s", run.name, error)
            run.message = str(error)


def as_bytes(text: str) -> bytes:
    """Return a text of a request as UTF-8."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused("the text holds half a surrogate pair", param="text") from error
