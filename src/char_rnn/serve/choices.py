"""Answers in OpenAI's shapes."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from char_rnn.serve.outbox import Token


def answer_id() -> str:
    """Return a new name for an answer."""
    return f"cmpl-{uuid.uuid4().hex}"


@dataclass
class Tokens:
    """The tokens of a text as `logprobs` tells them; offset: of the next one, in characters.

    The characters of several bytes begin where the first of them does.
    """

    offset: int = 0
    _bytes_left: int = field(default=0, repr=False)

    def told(self, tokens: list[Token], top: int) -> dict[str, Any]:
        """Return the `logprobs` of a choice, or of a part of it."""
        return {
            "tokens": [token.text for token in tokens],
            "token_logprobs": [token.log_p for token in tokens],
            "top_logprobs": [token.top or None for token in tokens] if top else None,
            "text_offset": [self._next(token.text) for token in tokens],
        }

    def _next(self, text: str) -> int:
        at = self.offset
        if not text.startswith("bytes:") or len(text) <= 1:
            self.offset += len(text) if not text.startswith("<") or len(text) == 1 else 1
            return at
        byte = int(text[-2:], 16)
        if self._bytes_left:
            self._bytes_left -= 1
        else:
            # UTF-8 says in its first byte how many follow.
            self._bytes_left = 3 if byte >= 0xF0 else 2 if byte >= 0xE0 else byte >= 0xC0
        if not self._bytes_left:
            self.offset += 1
        return at


def choice(
    index: int, text: str, logprobs: dict[str, Any] | None, reason: str | None
) -> dict[str, Any]:
    """Return one of the `choices`."""
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": reason}


def completion(name: str, model: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return an answer, or an event of one."""
    return {
        "id": name,
        "object": "text_completion",
        "created": int(time.time()),
        "model": model,
        "choices": choices,
        **more,
    }


def usage(prompt: int, written: int) -> dict[str, int]:
    """Return the `usage`: characters (bytes) that were read and written."""
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
