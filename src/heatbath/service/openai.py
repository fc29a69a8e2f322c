"""OpenAI's interface: /v1/chat/completions, /v1/completions, /v1/models; and /healthz."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from heatbath.service.body import ReadBody
from heatbath.service.decode import chat_request, completion_request
from heatbath.service.engine import Engine
from heatbath.service.errors import ApiError
from heatbath.service.forms import ChatForm, CompletionForm, Form
from heatbath.service.plan import Plan, plan_chat, plan_completion
from heatbath.service.reply import Reply
from heatbath.service.wire import Asked, Health, ModelList, ServedModel

LONG_BODY = 16 * 1024
"""Longer bodies are read into tokens in a thread, so that nobody waits for them."""

AskedT = TypeVar("AskedT", bound=Asked)


def openai_routes(engine: Engine, read: ReadBody) -> list[BaseRoute]:
    """The routes that programs call.

    Arguments:
        engine: runs the model.
        read: gives the body of a request.
    """
    model = engine.model
    served = ServedModel(id=model.name, created=int(time.time()), context_length=model.context)

    async def answer(
        request: Request, decode: Callable[[bytes], AskedT], plan: Callable[[AskedT], Plan], form: Form
    ) -> Response:
        def planned() -> tuple[AskedT, Plan]:
            asked = decode(body)
            _check_model(asked.model, model.name)
            return asked, plan(asked)

        body = await read(request)
        asked, made = await asyncio.to_thread(planned) if len(body) > LONG_BODY else planned()
        wants_usage = bool(asked.stream_options and asked.stream_options.include_usage)
        return Reply(engine, made, form, stream=bool(asked.stream), usage=wants_usage)

    async def chat(request: Request) -> Response:
        return await answer(request, chat_request, lambda asked: plan_chat(asked, model), ChatForm())

    async def completions(request: Request) -> Response:
        return await answer(request, completion_request, lambda asked: plan_completion(asked, model), CompletionForm())

    async def models(_: Request) -> Response:
        return _json(ModelList(data=[served]))

    async def one_model(request: Request) -> Response:
        _check_model(request.path_params["name"], model.name)
        return _json(served)

    async def health(_: Request) -> Response:
        return _json(Health(model=model.name, running=engine.running, waiting=engine.waiting))

    return [
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/completions", completions, methods=["POST"]),
        Route("/v1/models", models),
        Route("/v1/models/{name:path}", one_model),
        Route("/healthz", health),
    ]


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _check_model(asked: str | None, served: str) -> None:
    if asked not in (None, served):
        raise ApiError(
            f"there is no model {asked!r}; this service serves {served!r}",
            code="model_not_found",
            status=404,
            param="model",
        )
