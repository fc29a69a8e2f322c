"""Sending an answer: whole, or as a stream of events; and noticing when nobody listens any more."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from heatbath import __version__
from heatbath.service.compose import Composition, Part
from heatbath.service.engine import ContextError, Engine
from heatbath.service.errors import as_api_error
from heatbath.service.forms import Choice, Form
from heatbath.service.plan import Plan
from heatbath.service.wire import Answer, Extension, Usage

FINGERPRINT = f"heatbath-{__version__}"
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class Reply(Response):
    """The answer to a planned request. It is generated while it is sent, and no longer than somebody listens.

    Arguments:
        engine: generates the texts.
        plan: what to generate.
        form: a chat message or a completion.
        stream: as events, token by token.
        usage: whether a stream ends with the numbers of tokens; a whole answer always does.
    """

    def __init__(self, engine: Engine, plan: Plan, form: Form, *, stream: bool, usage: bool) -> None:
        super().__init__()
        self._engine = engine
        self._plan = plan
        self._form = form
        self._streams = stream
        self._usage = usage
        self._logprobs = plan.alternatives is not None
        self._id = form.id_prefix + secrets.token_hex(12)
        self._created = int(time.time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = self._stream(send) if self._streams else self._whole(scope, receive, send)
        try:
            await _while_listening(receive, work)
        except ContextError as error:
            error.field = self._form.prompt_field
            raise

    async def _whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._engine.answers(self._plan.generations()) as answers:
            composition = Composition(answers, self._plan, self._engine.model.tokenizer)
            wholes: dict[int, Part] = {}
            async for part in composition.parts():
                before = wholes.get(part.choice, Part(part.choice, ""))
                wholes[part.choice] = before._replace(
                    text=before.text + part.text, tokens=before.tokens + part.tokens, finish=part.finish
                )
        texts = [wholes[choice] for choice in sorted(wholes)]
        answer = self._answer(
            self._form.whole_name,
            [self._form.whole(text, self._logprobs) for text in texts],
            usage=self._used(composition.tokens),
            heatbath=self._extension(first=True, ended=texts),
        )
        await Response(msgspec.json.encode(answer), media_type="application/json")(scope, receive, send)

    async def _stream(self, send: Send) -> None:
        async with self._engine.answers(self._plan.generations()) as answers:
            composition = Composition(answers, self._plan, self._engine.model.tokenizer)
            events = self._events(composition)
            event = await anext(events)  # what goes wrong before the first token has a status of its own
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            try:
                await _send_event(send, event)
                async for event in events:
                    await _send_event(send, event)
            except Exception as error:  # noqa: BLE001  the status is sent: the error is told as an event
                await _send_event(send, msgspec.json.encode(as_api_error(error).body()))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _events(self, composition: Composition) -> AsyncIterator[bytes]:
        form = self._form
        first = True
        opened: set[int] = set()
        async for part in composition.parts():
            choices: list[Choice] = []
            if part.choice not in opened and (opening := form.opening(part.choice)):
                choices.append(opening)
            opened.add(part.choice)
            if part.text or (part.tokens and self._logprobs):
                choices.append(form.chunk(part, self._logprobs))
            if part.finish:
                choices.append(form.closing(part))
            for choice in choices:
                extension = self._extension(first=first, ended=[part] if choice.finish_reason else [])
                yield self._chunk([choice], heatbath=extension, usage=None if self._usage else msgspec.UNSET)
                first = False
        if self._usage:
            yield self._chunk([], usage=self._used(composition.tokens))
        yield b"[DONE]"

    def _chunk(self, choices: list[Choice], **more: Any) -> bytes:
        return msgspec.json.encode(self._answer(self._form.chunk_name, choices, **more))

    def _extension(self, *, first: bool, ended: Sequence[Part]) -> Extension | msgspec.UnsetType:
        """What heatbath adds to an answer or a chunk: the first says how it was drawn, those with an end name it."""
        ends = [part.finish for part in ended if part.finish] or msgspec.UNSET
        if first:
            return Extension(chain=str(self._plan.sampler), seed=self._plan.seed, ends=ends)
        return Extension(ends=ends) if ended else msgspec.UNSET

    def _answer(self, name: str, choices: list[Choice], **more: Any) -> Answer:
        return Answer(
            id=self._id,
            object=name,
            created=self._created,
            model=self._engine.model.name,
            choices=choices,
            system_fingerprint=FINGERPRINT,
            **more,
        )

    def _used(self, drawn: int) -> Usage:
        read = sum(len(prompt.tokens) for prompt in self._plan.prompts)
        return Usage(read, drawn, read + drawn)


async def _send_event(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": b"data: " + data + b"\n\n", "more_body": True})


async def _while_listening(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, or give it up as soon as the client is gone."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
