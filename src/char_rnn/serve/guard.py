"""Who may ask, how, and how much: checked before anything of a request is looked at.

Host: a page of another site can point its own name at this machine (DNS rebinding); its browser
then sends that name. Origin: so that no other site's page talks to a server on the machine of
whoever looks at it.
"""

import asyncio
import contextlib
import hmac
import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from char_rnn.serve.errors import Refused
from char_rnn.serve.state import State

OPEN = ("/", "/healthz")
"""What is answered without a key: the page asks for it, and whoever watches over the server."""
TEXTS = "/v1/runs"
"""Where texts to learn are sent."""
DISCARD_SECONDS, MOST_DISCARDED = 1.0, 2**26
"""For how long, and how much, of a body is read that is refused."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Guard:
    """Lets requests through to `app`, or refuses them."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app, self._state = app, state
        settings = state.settings
        self._key = settings.key.encode()
        self._names = {*LOOPBACK, settings.host.lower(), *settings.hosts}
        if not is_loopback(settings.host):
            self._names.add(socket.gethostname().lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, count its answer, bound its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = 0

        async def counted(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = message["status"]
                names = [name.lower() for name, _ in message["headers"]]
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in SAFE.items()
                        if name.encode() not in names
                    ),
                ]
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, self._bounded(scope, receive), counted)
        except ClientDisconnect:
            began = began or 499
        except Refused as error:
            if not began:
                if error.status != 408:
                    await _discard(receive)
                # Of a body that was not read to its end nothing may be taken for a request.
                headers = {"connection": "close"} | error.headers
                answer = JSONResponse(error.body, error.status, headers)
                await answer(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._state.metrics.answered(route, began)

    def _check(self, scope: Scope) -> None:
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            if (key := name.decode("latin-1")) in ("host", "origin") and key in headers:
                raise Refused(f"the request has two {key} headers", 400)
            headers[key] = value.decode("latin-1")
        host = headers.get("host", "")
        # Who shows a key is no page of somebody else's.
        if not self._known(host):
            raise Refused(
                f"the request is for the host {host[:100]!r}, which this server is not; call it "
                "by its address, or say that it has this name (--host)",
                403,
                code="wrong_host",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise Refused(
                f"a page of {origin[:100]!r} may not use this server", 403, code="wrong_origin"
            )
        path = scope["path"]
        if path not in OPEN and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise Refused("a page of another site may not use this server", 403, code="wrong_site")
        if self._key and path not in OPEN:
            self._check_key(headers.get("authorization", ""))
        self._check_size(path, headers)

    def _known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        if is_loopback(self._state.settings.host):
            return False
        try:
            # An address is no name that somebody else could have pointed here.
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _check_key(self, said: str) -> None:
        scheme, _, key = said.partition(" ")
        same = hmac.compare_digest(key.strip().encode("latin-1", "replace"), self._key)
        if scheme.lower() != "bearer" or not same:
            raise Refused(
                "the key is missing or wrong; send it as Authorization: Bearer KEY",
                401,
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _most(self, path: str) -> int:
        settings = self._state.settings
        return settings.text if path.startswith(TEXTS) else settings.body

    def _check_size(self, path: str, headers: dict[str, str]) -> None:
        length, most = headers.get("content-length", "0"), self._most(path)
        if not (length.isascii() and length.isdigit()):
            raise Refused("the content-length is no number", 400)
        if int(length[:20]) > most:
            raise _too_large(most)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Return `receive` for a body of bounded length, which must come in time."""
        most, seconds = self._most(scope["path"]), self._state.settings.body_seconds
        loop = asyncio.get_running_loop()
        size, until, whole = 0, loop.time() + seconds, False

        async def bounded() -> Message:
            nonlocal size, whole
            if whole:  # then it only waits for the client to go
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise Refused(f"the body did not come within {seconds:g} s", 408) from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > most:
                raise _too_large(most)
            return message

        return bounded


async def _discard(receive: Receive) -> None:
    """Read what else comes, for a while: who is still sending would not see the answer."""
    read = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while read < MOST_DISCARDED:
                message = await receive()
                read += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _too_large(most: int) -> Refused:
    return Refused(f"the body is too large; at most {most:,} bytes are taken", 413)
