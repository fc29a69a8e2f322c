"""What the page asks for: the model, the scores of the next token, and continuations as they are drawn."""

import asyncio
import base64
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from heatbath.control import Profile
from heatbath.errors import HeatbathError, InputError
from heatbath.sampling import Sampler, chain
from heatbath.service.body import ReadBody
from heatbath.service.decode import flat_request
from heatbath.service.engine import Engine, Generation
from heatbath.service.errors import ApiError, as_api_error
from heatbath.service.plan import check_request
from heatbath.service.prompt import read_prompt, room_after
from heatbath.service.studio.pages import SECURITY
from heatbath.service.studio.watch import Option, Watched, watched
from heatbath.spec import parse
from heatbath.types import Model

NAMED = 256
"""Tokens whose texts are sent with the scores; the page asks for others when it shows them."""
MOST_LANES = 3
EXAMPLE_PROMPTS = ("I think that", "The most important", "Yesterday", "It is not", "1, 2, 3,")
"""What the page suggests where the model has no `example_prompts` of its own: beginnings that any text may have."""

Ids = list[Annotated[int, Meta(ge=0)]]


class Next(Struct, forbid_unknown_fields=True):
    """The next token after a text, or after these tokens."""

    prompt: str | None = None
    tokens: Ids | None = None


class Spell(Struct, forbid_unknown_fields=True):
    """The texts of some tokens."""

    tokens: Annotated[Ids, Meta(max_length=4096)]


class Lane(Struct, forbid_unknown_fields=True):
    """One continuation: the name by which the page knows it, and its sampler in the text form."""

    name: Annotated[str, Meta(max_length=40)]
    chain: Annotated[str, Meta(max_length=1000)]


class Generate(Struct, forbid_unknown_fields=True):
    """Continuations of one text, drawn with one seed."""

    tokens: Ids
    lanes: Annotated[list[Lane], Meta(min_length=1, max_length=MOST_LANES)]
    seed: Annotated[int, Meta(ge=0, lt=2**53)]
    max_tokens: Annotated[int, Meta(ge=1, le=1000)]


def api_routes(engine: Engine, read: ReadBody, profile: Profile | None) -> list[BaseRoute]:
    """The routes under ``/studio/`` that the page calls."""
    model = engine.model

    async def about(_: Request) -> Response:
        return _json(
            {
                "name": model.name,
                "vocabulary": model.vocabulary,
                "context": model.context,
                "example_prompts": list(getattr(model, "example_prompts", ()) or EXAMPLE_PROMPTS),
                "languages": list(getattr(model, "languages", ())),
                "profile": json.loads(profile.to_json()) if profile else None,
            }
        )

    async def following(request: Request) -> Response:
        wanted = flat_request(await read(request), Next)
        if (wanted.prompt is None) == (wanted.tokens is None):
            raise InputError("give either prompt or tokens", doing="reading a prompt", field="prompt")
        if wanted.prompt is None:
            tokens = wanted.tokens or []
            room_after(tokens, model, needed=0, field="tokens")
            _check_tokens(tokens, model)
        else:
            tokens = await asyncio.to_thread(read_prompt, wanted.prompt, model)  # a long one must not stop the others
            room_after(tokens, model, needed=1)  # a prompt is there to be continued
        scores = np.asarray(await engine.scores(tokens), dtype="<f4")
        count = min(NAMED, len(scores))
        best = np.argpartition(-scores, count - 1)[:count]
        return _json(
            {
                "scores": base64.b64encode(scores.tobytes()).decode(),
                "named": [spelled(model, int(token)) for token in best],
                "prompt": await _surprisals(engine, tokens),
            }
        )

    async def spell(request: Request) -> Response:
        wanted = flat_request(await read(request), Spell)
        _check_tokens(wanted.tokens, model)
        return _json({"named": [spelled(model, token) for token in wanted.tokens]})

    async def generate(request: Request) -> Response:
        wanted = flat_request(await read(request), Generate)
        room_after(wanted.tokens, model, needed=1, field="tokens")
        _check_tokens(wanted.tokens, model)
        samplers = [_sampler(lane, model.vocabulary) for lane in wanted.lanes]
        events = _events(engine, wanted, samplers)
        first = await anext(events)  # whatever is wrong with the request shows here, while the status can still say so
        return StreamingResponse(
            _stream(first, events), media_type="text/event-stream", headers={**SECURITY, "Cache-Control": "no-store"}
        )

    return [
        Route("/studio/model", about),
        Route("/studio/next", following, methods=["POST"]),
        Route("/studio/tokens", spell, methods=["POST"]),
        Route("/studio/generate", generate, methods=["POST"]),
    ]


def spelled(model: Model, token: int) -> dict[str, Any]:
    """A token as the page shows it; ``text`` is null where its bytes are no whole characters."""
    if token in model.stop_tokens:
        return {"id": token, "text": "", "bytes": "", "end": True}
    content = model.tokenizer.token_bytes(token)
    try:
        text: str | None = content.decode()
    except UnicodeDecodeError:
        text = None
    return {"id": token, "text": text, "bytes": content.hex(), "end": False}


async def _surprisals(engine: Engine, tokens: Sequence[int]) -> list[dict[str, Any]]:
    """The tokens of the prompt, each with its surprisal in nats after those before it; null where it was impossible."""
    if not tokens:
        return []
    reading = Generation((), chain(), seed=0, max_tokens=0, alternatives=0, given=tokens)
    async with aclosing(engine.generate(reading)) as generated:
        return [
            {
                **spelled(engine.model, each.token),
                "before": None if each.logprob == -math.inf else -(each.logprob or 0.0),
            }
            async for each in generated
        ]


async def _events(engine: Engine, wanted: Generate, samplers: Sequence[Sampler]) -> AsyncGenerator[dict[str, Any]]:
    pairs = [watched(sampler) for sampler in samplers]
    generations = [
        Generation(wanted.tokens, sampler, seed=wanted.seed, max_tokens=wanted.max_tokens) for sampler, _ in pairs
    ]
    async with engine.answers(generations) as answers:
        async for index, generated in answers:
            name, seen = wanted.lanes[index].name, pairs[index][1]
            yield {"lane": name, **_told(engine.model, seen.popleft())}
            if generated.finish:
                full = len(wanted.tokens) + wanted.max_tokens > engine.model.context
                yield {"lane": name, "ended": "context" if generated.finish == "length" and full else generated.finish}


def _told(model: Model, seen: Watched) -> dict[str, Any]:
    def option(each: Option) -> dict[str, Any]:
        return {**spelled(model, each.token), "rank": each.rank, "p": each.before, "q": each.after}

    return {
        **option(seen.drawn),
        "before": seen.surprisal,
        "after": seen.surprisal_after,
        "others": [option(each) for each in seen.others],
    }


async def _stream(first: dict[str, Any], rest: AsyncGenerator[dict[str, Any]]) -> AsyncIterator[bytes]:
    async with aclosing(rest):  # when the reader leaves, so does the work
        yield _event(first)
        try:
            async for event in rest:
                yield _event(event)
        except Exception as error:  # noqa: BLE001  the status is sent: the error goes into the stream
            yield _event(as_api_error(error).body())


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def parse_chain(text: str) -> Sampler:
    """Read a chain; a thermostat alone is refused."""
    made = parse(text)
    if not isinstance(made, Sampler):
        raise InputError("it is a thermostat, not a chain", on=repr(text), instead=f"write temperature({text})")
    return made


def _sampler(lane: Lane, vocabulary: int) -> Sampler:
    try:
        sampler = parse_chain(lane.chain)
        check_request(sampler, vocabulary)
    except HeatbathError as error:
        raise ApiError(
            f"reading the chain of lane {lane.name!r}: {error}", code="invalid_value", param="lanes"
        ) from None
    return sampler


def _check_tokens(tokens: Sequence[int], model: Model) -> None:
    over = next((token for token in tokens if token >= model.vocabulary), None)
    if over is not None:
        raise InputError(
            f"the model has no token {over}",
            doing="reading tokens",
            instead=f"give ids from 0 to {model.vocabulary - 1}",
            field="tokens",
        )


def _json(content: Any) -> Response:
    return JSONResponse(content, headers={**SECURITY, "Cache-Control": "no-store"})
