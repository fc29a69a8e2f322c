"""The whole service as one ASGI application."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from heatbath.control import Profile
from heatbath.errors import HeatbathError
from heatbath.service import studio
from heatbath.service.body import BODY_SECONDS, MAX_BODY, read_body
from heatbath.service.engine import Engine
from heatbath.service.errors import ApiError, CatchAll, answer_error
from heatbath.service.guard import Guard
from heatbath.service.openai import openai_routes
from heatbath.types import Model


def create_app(
    model: Model,
    *,
    hosts: Iterable[str] = (),
    profile: Profile | None = None,
    max_rows: int = 16,
    max_waiting: int = 256,
    max_body: int = MAX_BODY,
    body_seconds: float = BODY_SECONDS,
) -> Starlette:
    """The service: OpenAI's interface and the studio over one engine, which is ``app.state.engine``.

    Arguments:
        model: what to serve.
        hosts: names beside localhost by which clients call the service; see :class:`heatbath.service.guard.Guard`.
        profile: the model's profile, which gives the studio's knob its scale.
        max_rows: texts in one model call.
        max_waiting: texts that may wait; a request beyond them is answered 429.
        max_body: the longest request body in bytes.
        body_seconds: how long a request body may take to arrive.
    """
    read = partial(read_body, limit=max_body, seconds=body_seconds)
    engine = Engine(model, max_rows=max_rows, max_waiting=max_waiting)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await engine.close()

    app = Starlette(
        routes=[*openai_routes(engine, read), *studio.routes(engine, read, profile)],
        middleware=[Middleware(CatchAll), Middleware(Guard, hosts=hosts)],
        exception_handlers=dict.fromkeys((ApiError, HeatbathError, HTTPException), answer_error),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would be the one answer that is not JSON
    app.state.engine = engine
    return app
