"""One request on its way: read, decided, sent on, answered, remembered."""

import asyncio

from starlette.types import Message, Receive, Scope, Send

from heatbath.service.body import BodyTooLargeError
from heatbath.service.errors import ApiError, as_api_error
from heatbath.service.gateway.deliver import deliver_stream, deliver_whole
from heatbath.service.gateway.effects import is_rejection, requested
from heatbath.service.gateway.headers import Incoming, header, incoming
from heatbath.service.gateway.inside import Inside
from heatbath.service.gateway.ledger import Ledger, Listeners
from heatbath.service.gateway.live import Live
from heatbath.service.gateway.plan import Plan, make_plan
from heatbath.service.gateway.reading import GoneError, Wanted, read_body, read_wanted
from heatbath.service.gateway.sending import STOPPING, send_error
from heatbath.service.gateway.tee import Tee, plain, told
from heatbath.service.gateway.tracing import begin, tracer
from heatbath.service.gateway.upstream import Call, Upstream
from heatbath.service.gateway.watch import Ticking, Watch

CLIENT_LEFT = 499
VERSION = len("/v1")


async def forward(
    live: Live, listeners: Listeners, ticking: Ticking, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a request, whatever happens.

    Arguments:
        live: the configuration that answers it, to its end, whatever is reloaded meanwhile.
        listeners: whoever is told of it.
        ticking: keeps its time.
        scope: ASGI's, and so are the next two.
        receive: gives what the client sends.
        send: takes what it gets.
    """
    ledger = Ledger(listeners, live, scope)
    watch = Watch(ticking, receive, live.config.server.body_seconds)
    try:
        headers, wanted = await _read(live, ledger, scope, receive)
        watch.answering()
        plan, call = _decide(live, ledger, scope, headers, wanted)
        plan.upstream.users += 1
        try:
            if isinstance(plan.upstream, Inside):
                await _inside(plan.upstream, call, ledger, watch, scope, send)
            else:
                await _outside(plan.upstream, plan, call, wanted, ledger, watch, send)
        finally:
            plan.upstream.left()
    except GoneError:
        ledger.status, ledger.error = CLIENT_LEFT, "client_left"
    except asyncio.CancelledError:
        watch.calm()
        if watch.gone:
            ledger.status, ledger.error = CLIENT_LEFT, "client_left"
        else:
            await _refuse(_late(live) if watch.late else STOPPING, ledger, scope, receive, send)
    except Exception as error:  # noqa: BLE001  every client gets a well-formed answer
        await _refuse(as_api_error(error), ledger, scope, receive, send)
    finally:
        watch.stop()
        ledger.close()


def _late(live: Live) -> ApiError:
    return ApiError(
        f"reading the request: the body did not arrive within "
        f"{live.config.server.body_seconds:g} seconds; send it at once",
        code="body_timeout",
        status=408,
        headers={"Connection": "close"},
    )


async def _read(live: Live, ledger: Ledger, scope: Scope, receive: Receive) -> tuple[Incoming, Wanted]:
    headers = incoming(scope["headers"])
    ledger.key = live.keys.admit(headers.authorization, "call")
    body = await read_body(scope, receive, limit=live.config.server.max_body)
    encoding = header(scope["headers"], b"content-encoding")
    if encoding and encoding != b"identity":
        raise ApiError(
            f"reading the request: its content-encoding is {encoding[:20].decode('latin-1')!r}; send plain JSON",
            code="invalid_json",
        )
    return headers, read_wanted(body)


def _decide(live: Live, ledger: Ledger, scope: Scope, headers: Incoming, wanted: Wanted) -> tuple[Plan, Call]:
    said = wanted.extension or {}

    def named(what: str) -> str | None:
        value = headers.ours.get(what.encode())
        return value.decode("latin-1") if value else said.get(what)

    ledger.requested = requested(wanted.scanned)
    ledger.task = live.tasks.find(named("task"), wanted.model)
    sticks_to = (named("user") or wanted.user, named("conversation"))
    plan = make_plan(live, wanted, ledger.requested, ledger.task, sticks_to)
    ledger.decided(plan, wanted.scanned.body)
    passed, path = headers.passed, scope["path"]
    if (tracing := tracer()) is not None:
        ledger.span, passed = begin(tracing, path, passed)
    return plan, Call(path[VERSION:], scope["query_string"].decode("latin-1"), passed, plan.body(wanted))


async def _outside(
    upstream: Upstream, plan: Plan, call: Call, wanted: Wanted, ledger: Ledger, watch: Watch, send: Send
) -> None:
    """Let an upstream answer; where it takes no temperature, ask it once more without."""
    reply, ledger.attempts = await upstream.ask(call, stream=wanted.stream)
    if reply.status == 400 and plan.effect.sent is not None:
        said = plain(reply.body, reply.headers.encoding)
        if said is not None and is_rejection(said):
            await ledger.recorded()
            ledger.rejected()
            plan = plan.without_temperature()
            ledger.decided(plan, wanted.scanned.body)
            reply, more = await upstream.ask(call._replace(body=plan.body(wanted)), stream=wanted.stream)
            ledger.attempts += more
    if reply.rest is not None:
        await deliver_stream(upstream, reply, reply.rest, ledger, watch, send)
    else:
        await deliver_whole(upstream, reply, ledger, watch, send)


async def _inside(upstream: Inside, call: Call, ledger: Ledger, watch: Watch, scope: Scope, send: Send) -> None:
    """Let the embedded model answer."""
    await ledger.recorded()
    tee = Tee(keeps=ledger.keeps_texts)
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:  # the client's leaving is watched from outside
            await asyncio.Event().wait()
        given = True
        return {"type": "http.request", "body": call.body, "more_body": False}

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            ledger.status = message["status"]
            message = {**message, "headers": [*message["headers"], *ledger.headers()]}
        else:
            ledger.began()
            tee.feed(message.get("body", b""))
            if not message.get("more_body"):
                watch.stop()
        await send(message)

    await upstream.app({**scope, "state": {}}, receive, sending)
    whole = tee.end()
    ledger.told = told(whole) or tee.told()
    ledger.text = tee.text()


async def _refuse(error: ApiError, ledger: Ledger, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with an error, if an answer can still be given."""
    ledger.error = error.code
    ledger.attempts = getattr(error, "attempts", ledger.attempts)
    if ledger.status:  # an answer has begun
        return
    await ledger.recorded()
    ledger.status = error.status
    if isinstance(error, BodyTooLargeError):  # reads on for a moment, so that the answer arrives
        await error.response()(scope, receive, send)
    else:
        await send_error(send, error, ledger.headers())
