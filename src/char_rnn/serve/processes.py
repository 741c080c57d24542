"""The processes that work for the server: python -m char_rnn.serve.worker"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Any

from char_rnn.serve.errors import Refused, Stopping

MOST_LINE, MOST_ANSWER = 2**20, 2**24
"""Bytes of an event, and of an answer."""
RETRY = 10  # seconds


async def started(most: int = MOST_LINE) -> Process:
    """Return a new worker, which waits for its job; raise Refused where there can be none."""
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "char_rnn.serve.worker"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            limit=most,
            start_new_session=True,  # so that Ctrl-C reaches it through the server alone
        )
    except OSError as error:
        raise Refused("its process could not be started", 503, code="no_process") from error


def kill(process: Process) -> None:
    """End a worker, and what it has started, at once."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


class Answers:
    """Work that is answered at its end; of each kind one at a time."""

    def __init__(self) -> None:
        self._busy: dict[str, Process | None] = {}
        self._closed = False

    @property
    def busy(self) -> frozenset[str]:
        """The kinds of what is being worked on."""
        return frozenset(self._busy)

    async def answer(self, kind: str, job: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return what a worker answers to a job; it is ended after so many seconds."""
        if self._closed:
            raise Stopping()
        if kind in self._busy:
            said = f"another {kind} is being worked on; one at a time"
            raise Refused(said, 409, code="busy", headers={"Retry-After": str(RETRY)})
        self._busy[kind] = None
        try:
            process = self._busy[kind] = await started(MOST_ANSWER)
            try:
                async with asyncio.timeout(seconds):
                    line = await _line(process, job)
            except TimeoutError as error:
                said = f"it took more than {seconds:g} s, and was ended"
                raise Refused(said, 503, code="too_long") from error
            finally:
                kill(process)
                await process.wait()
        finally:
            del self._busy[kind]
        return self._told(line)

    def _told(self, line: bytes) -> dict[str, Any]:
        if not line.endswith(b"\n"):
            if self._closed:
                raise Stopping()
            raise Refused("its process ended without an answer", 500, code="no_answer")
        told: dict[str, Any] = json.loads(line)
        if told.pop("event") == "failed":
            raise Refused(told["message"])
        return told

    def close(self) -> None:
        """Begin nothing more, and end what is there."""
        self._closed = True
        for process in self._busy.values():
            if process is not None:
                kill(process)


async def _line(process: Process, job: dict[str, Any]) -> bytes:
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(json.dumps(job).encode() + b"\n")
        await process.stdin.drain()
    try:
        return await process.stdout.readline()
    except ValueError:  # a line that is too long
        return b""
