"""The server itself: uvicorn, with a limit for clients that dawdle, and an end in good time."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from char_rnn.errors import UsageError
from char_rnn.serve.app import Application

REQUEST_SECONDS = 30.0
"""In which a new connection must have sent the head of a request."""
FINISH_SECONDS, END_SECONDS = 7.0, 10
"""Once it is to stop: texts may be finished for so long, and then everything is ended."""
SWITCH = 0.001
"""Seconds after which Python takes turns between threads: the engine's waits for the loop's."""
CONNECTIONS = 1000


class _Protocol(H11Protocol):
    """Closes a connection on which no request begins."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(REQUEST_SECONDS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


class Server(uvicorn.Server):
    """Serves `application` until `stop`.

    begun: called with the port when it listens.
    """

    def __init__(self, application: Application, begun: Callable[[int], None]) -> None:
        config = uvicorn.Config(
            application,
            http=_Protocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="error",  # who sends garbage must not fill a log, or a pipe nobody reads
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=END_SECONDS - 1,
            backlog=512,
        )
        super().__init__(config)
        self._application, self._begun = application, begun

    def stop(self) -> None:
        """Take no new requests, and end soon; from a handler of signals too."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        assert sockets is not None
        self._begun(sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let texts be finished for a while, then end what is left."""
        self._application.state.stop(FINISH_SECONDS)
        saved = asyncio.ensure_future(self._application.state.trainings.close(END_SECONDS - 1))
        await super().shutdown(sockets)
        await saved

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to who runs it."""
        yield


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise UsageError where it cannot."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        # With its protocol named: asyncio then sends small pieces at once (TCP_NODELAY).
        listener = socket.socket(family, kind, protocol)
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host} port {port}: {error.strerror or error}; choose another "
            "one (--port, --host)"
        ) from error
    listener.setblocking(False)
    return listener


def serve(server: Server, listener: socket.socket) -> None:
    """Serve until the server is stopped."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        asyncio.run(_main(server, [listener]))
    finally:
        sys.setswitchinterval(before)
        listener.close()


async def _main(server: Server, sockets: list[Any]) -> None:
    await server.serve(sockets)
