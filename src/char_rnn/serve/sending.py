"""What is sent, and to whom no longer: event streams, and clients that have gone."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

T = TypeVar("T")

STALLED = 60.0
"""Seconds after which a client that takes nothing more is let go."""
HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # a proxy should not wait for more
}


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; raise ClientDisconnect as soon as the client goes away."""
    task, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request.receive))
    try:
        await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect()
        return task.result()
    finally:
        await _end(task, gone)


async def _gone(receive: Receive) -> None:
    """Wait until the client goes away."""
    message: Message = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


async def _end(*tasks: "asyncio.Future[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class EventStream(Response):
    """Server-sent events; each is text without its frame, or a whole event where it has a newline.

    at_end: called when all is sent, or the client has gone.
    """

    def __init__(self, events: AsyncIterator[str], at_end: Callable[[], None]) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._events, self._at_end = events, at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events, until the client goes away."""
        task = asyncio.ensure_future(self._send(send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            await _end(task, gone)
            self._at_end()
            if isinstance(self._events, AsyncGenerator):
                await self._events.aclose()

    async def _send(self, send: Send) -> None:
        start: Message = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        # One that takes nothing for so long is as good as gone.
        with contextlib.suppress(TimeoutError):
            await send(start)
            async for event in self._events:
                text = event if "\n" in event else f"data: {event}\n\n"
                body: Message = {
                    "type": "http.response.body",
                    "body": text.encode(),
                    "more_body": True,
                }
                async with asyncio.timeout(STALLED):
                    await send(body)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
