"""POST /v1/completions: texts that go on from prompts, whole or as they are written."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.generate.door import door
from char_rnn.serve.choices import Tokens, answer_id, choice, completion, usage
from char_rnn.serve.conditions import check_conditions
from char_rnn.serve.errors import refusal
from char_rnn.serve.fields import COMPLETION
from char_rnn.serve.models import Served
from char_rnn.serve.outbox import Bell, Outbox, Piece, Token
from char_rnn.serve.request import Asked, Prompt, asked, mean_log_p
from char_rnn.serve.score import read
from char_rnn.serve.sending import EventStream, unless_gone
from char_rnn.serve.state import State
from char_rnn.serve.stream import Job, Stream

PAUSE, EACH = 0.008, 0.001
"""Seconds between two events of a stream, and what each text that is written adds to it: a fast
network writes a hundred characters in that time, and they are one event."""


async def completions(request: Request) -> Response:
    """Answer POST /v1/completions."""
    state: State = request.app.state.serving
    found = await state.body(request, COMPLETION)
    served = await state.model(found["model"])
    wanted = await asyncio.to_thread(asked, found, served.vocabulary)
    if wanted.config.conditions:
        words = served.vocabulary
        await state.aside(check_conditions, wanted.config, wanted.prompts, words)
    work = _Work(state, served, wanted)
    await work.begin()
    if wanted.stream:
        return EventStream(work.events(), work.cancel)
    try:
        return JSONResponse(await unless_gone(request, work.answer()))
    finally:
        work.cancel()


@dataclass
class _One:
    """One text: which prompt it goes on from, and its place among the choices."""

    prompt: Prompt
    index: int
    outbox: Outbox
    offsets: Tokens


class _Work:
    """A request that is being met."""

    def __init__(self, state: State, served: Served, wanted: Asked) -> None:
        self._state, self._served, self._asked = state, served, wanted
        self._bell = Bell()
        self._vocabulary: AnyVocabulary = served.vocabulary
        self._show = door(self._vocabulary, "").leave
        self._name, self._began = answer_id(), time.perf_counter()
        self._first = True
        count = wanted.best_of
        self._texts = [
            _One(prompt, at * count + k, self._outbox(prompt, k), Tokens())
            for at, prompt in enumerate(wanted.prompts)
            for k in range(count)
        ]
        self._echoed: list[list[Token]] = []

    def _outbox(self, prompt: Prompt, number: int) -> Outbox:
        wanted = self._asked
        if wanted.config.conditions:
            return Outbox(self._bell, not wanted.stream)
        needs = wanted.logprobs
        if needs is None and wanted.best_of > wanted.n:
            needs = 0  # the best is found by them
        job = Job(
            prompt.begun,
            wanted.config,
            wanted.amounts,
            wanted.presence,
            wanted.frequency,
            needs,
            wanted.seed,
        )
        return Stream(job, number, self._vocabulary, self._bell, not wanted.stream)

    async def begin(self) -> None:
        """Let the writers begin; raises Overloaded where there is no room for all of it."""
        wanted, count = self._asked, self._asked.best_of
        if wanted.echo and wanted.logprobs is not None:
            for prompt in wanted.prompts:
                self._echoed.append(await self._read(prompt))
        if not wanted.config.length:
            for one in self._texts:
                one.outbox.finish("length")
            return
        copies = None
        if wanted.config.max_copy:
            copies = await asyncio.to_thread(self._served.copies, wanted.config.max_copy)
        try:
            for at in range(0, len(self._texts), count):
                outboxes = [one.outbox for one in self._texts[at : at + count]]
                ids = self._texts[at].prompt.begun
                if wanted.config.conditions:
                    self._served.solo.submit(ids, wanted.config, outboxes, wanted.seed, copies)
                else:
                    self._served.engine.submit(outboxes)  # type: ignore[arg-type]
        except BaseException:
            self.cancel()
            raise

    async def _read(self, prompt: Prompt) -> list[Token]:
        """Return the tokens of a prompt, as the model sees them coming."""
        top = self._asked.logprobs or 0
        if not len(prompt.ids):
            return []
        found = await self._state.aside(read, self._served.model, self._vocabulary, prompt.ids, top)
        tokens: list[Token] = found.tokens(self._vocabulary)
        return tokens

    def cancel(self) -> None:
        """Let all that is still written end."""
        for one in self._texts:
            if not one.outbox.over:
                one.outbox.cancel()

    # All at once.

    async def answer(self) -> dict[str, Any]:
        """Return the answer, once everything is written."""
        while not all(one.outbox.over for one in self._texts):
            await self._bell.wait(lambda: all(one.outbox.over for one in self._texts))
        wanted = self._asked
        whole = [self._whole(one) for one in self._texts]
        best = []
        for at in range(0, len(whole), wanted.best_of):
            group = whole[at : at + wanted.best_of]
            if wanted.best_of > wanted.n:
                group.sort(key=lambda made: -made[1])
            best += [made[0] for made in group[: wanted.n]]
        for index, found in enumerate(best):
            found["index"] = index
        return completion(self._name, self._served.name, best, usage=self._usage())

    def _whole(self, one: _One) -> tuple[dict[str, Any], float]:
        """Return a choice, and the mean log-probability of its characters."""
        if one.outbox.error is not None:
            raise refusal(one.outbox.error)
        text, tokens = _joined(one.outbox.take())
        log_ps = [token.log_p or 0.0 for token in tokens]
        mean = mean_log_p(sum(log_ps), len(log_ps))
        echoed, echoed_tokens = self._echo(one)
        shown = echoed + self._show(text)
        logprobs = self._logprobs(one, echoed_tokens + tokens)
        return choice(one.index, shown, logprobs, one.outbox.reason), mean

    def _echo(self, one: _One) -> tuple[str, list[Token]]:
        """Return the prompt and its tokens, as far as they are answered."""
        if not self._asked.echo:
            return "", []
        tokens = self._echoed[one.index // self._asked.best_of] if self._echoed else []
        return one.prompt.text, list(tokens)

    def _logprobs(self, one: _One, tokens: list[Token]) -> dict[str, Any] | None:
        top = self._asked.logprobs
        return None if top is None else one.offsets.told(tokens, top)

    def _usage(self) -> dict[str, int]:
        read_ = sum(len(prompt.ids) for prompt in self._asked.prompts)
        return usage(read_, sum(one.outbox.made for one in self._texts))

    def _tell_first(self) -> None:
        if self._first:
            self._first = False
            self._state.metrics.observe(time.perf_counter() - self._began)

    # As it is written.

    async def events(self) -> AsyncIterator[str]:
        """Yield the events of a stream, without what frames them."""
        if self._asked.echo:
            for one in self._texts:
                text, tokens = self._echo(one)
                yield self._event(one, text, tokens, None)
        open_ = list(self._texts)
        while open_:
            await self._bell.wait(lambda: any(one.outbox.ready for one in open_))
            for one in list(open_):
                if not one.outbox.ready:
                    continue
                over = one.outbox.over  # before what it has: it may add to that until then
                text, tokens = _joined(one.outbox.take())
                self._tell_first()
                if over and one.outbox.error is not None:
                    yield json.dumps(refusal(one.outbox.error).body)
                    return
                if text or over:
                    reason = one.outbox.reason if over else None
                    yield self._event(one, self._show(text), tokens, reason)
                if over:
                    open_.remove(one)
            if open_:
                await asyncio.sleep(PAUSE + EACH * self._served.engine.busy)
        if self._asked.usage:
            last = completion(self._name, self._served.name, [], usage=self._usage())
            yield json.dumps(last)
        yield "[DONE]"

    def _event(self, one: _One, text: str, tokens: list[Token], reason: str | None) -> str:
        more: dict[str, Any] = {"usage": None} if self._asked.usage else {}
        found = choice(one.index, text, self._logprobs(one, tokens), reason)
        return json.dumps(completion(self._name, self._served.name, [found], **more))


def _joined(pieces: list[Piece]) -> tuple[str, list[Token]]:
    text = "".join(piece.text for piece in pieces)
    return text, [token for piece in pieces for token in piece.tokens]
