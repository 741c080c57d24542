"""What is answered when something is wrong: OpenAI's error bodies, which every client parses."""

from http import HTTPStatus
from typing import Any

from char_rnn.errors import CharRNNError

TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class Refused(CharRNNError):
    """A request cannot be met.

    status: of HTTP. param: the field that is at fault. code: a word for programs.
    headers: sent beside it.
    """

    def __init__(
        self,
        message: str,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """What is answered."""
        usual = "server_error" if self.status >= 500 else "invalid_request_error"
        kind = TYPES.get(self.status, usual)
        error = {"message": str(self), "type": kind, "param": self.param, "code": self.code}
        return {"error": error}


class Overloaded(Refused):
    """There is no room for a request now; seconds: after which there may be."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"the server is busy, and its queue is full; try again in {seconds} s",
            429,
            code="queue_full",
            headers={"Retry-After": str(seconds)},
        )


class Stopping(Refused):
    """The server is being stopped."""

    def __init__(self) -> None:
        super().__init__(
            "the server is stopping; try again later",
            503,
            code="server_stopping",
            headers={"Retry-After": "10", "Connection": "close"},
        )


def refusal(error: Exception, param: str | None = None) -> Refused:
    """Return what to answer for `error`; param: the field that it is about, if it is known."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, CharRNNError):
        return Refused(str(error), 400, param)
    return Refused("the server failed; its log says why", 500, code="internal_error")


def of_status(status: int, said: str = "") -> Refused:
    """Return the refusal for a status of HTTP."""
    return Refused(said or HTTPStatus(status).phrase.lower(), status, code=f"http_{status}")
