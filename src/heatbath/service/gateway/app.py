"""The gateway as one ASGI application: which path does what, and who may."""

import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

from starlette.types import Receive, Scope, Send

from heatbath.errors import HeatbathError
from heatbath.experiments.records import Recorder
from heatbath.service.errors import ApiError
from heatbath.service.gateway.config import load
from heatbath.service.gateway.forward import forward
from heatbath.service.gateway.headers import header, incoming
from heatbath.service.gateway.inside import LoadModel
from heatbath.service.gateway.journal import Event, Journal
from heatbath.service.gateway.ledger import Listeners
from heatbath.service.gateway.live import Live, MakePolicies
from heatbath.service.gateway.metrics import Metrics
from heatbath.service.gateway.models import described, one_model
from heatbath.service.gateway.policies import WrittenPolicies
from heatbath.service.gateway.record import NullRecorder
from heatbath.service.gateway.sending import send_error, send_json, send_whole
from heatbath.service.gateway.watch import Ticking
from heatbath.service.guard import LOCAL, Guard

FORWARDED = frozenset(("/v1/chat/completions", "/v1/completions", "/v1/responses"))
LOOPBACK = ("127.", "::1", "::ffff:127.")
PROXIED = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")
TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")

Answer = Callable[[Scope, Receive, Send], Awaitable[None]]


class Gateway:
    """The application.

    Arguments:
        path: the configuration's file, which is read again by :meth:`reload`.
        load_model: loads an embedded model.
        hosts: names beside localhost by which clients call the gateway; they matter where there are no keys.
        recorder: remembers decisions, answers and feedback.
        journal: the log of requests; left out, standard error.
        make_policies: makes whoever decides, for each configuration.

    Raises:
        InputError: the configuration cannot be used.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        load_model: LoadModel,
        hosts: Iterable[str] = (),
        recorder: Recorder | None = None,
        journal: Journal | None = None,
        make_policies: MakePolicies = WrittenPolicies,
    ) -> None:
        self.path = Path(path)
        self.hosts = tuple(hosts)
        self.recorder: Recorder = recorder or NullRecorder()
        self.metrics = Metrics()
        self.draining = False
        self._load_model, self._make_policies = load_model, make_policies
        self._guard = Guard(self, self.hosts)
        self._refusals: dict[tuple[bytes, bytes], ApiError | None] = {}
        self.live = self._read(None)
        self.journal = journal or (Journal.to_stderr() if self.live.config.server.log else Journal(None))
        self.metrics.upstreams = [*self.live.outside()]
        self._ticking = Ticking()
        self._listeners = Listeners(self.recorder, self.metrics, self.journal)
        self.paths: dict[tuple[str, str], Answer] = {
            **{("POST", path): self._forward for path in FORWARDED},
            ("GET", "/v1/models"): self._models,
            ("GET", "/healthz"): self._health,
            ("GET", "/readyz"): self._ready,
            ("GET", "/metrics"): self._metrics,
            ("GET", "/admin/routes"): self._routes,
            ("POST", "/admin/reload"): self._reload,
        }
        """What answers to a method and a path; further ones may be added."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            answer = self.paths.get((scope["method"], scope["path"]), self._other)
            try:
                if not self.live.keys and (refusal := self._refused(scope)):
                    raise refusal
                await answer(scope, receive, send)
            except ApiError as error:
                await send_error(send, error)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _read(self, before: Live | None) -> Live:
        return Live(
            load(self.path),
            before,
            load_model=self._load_model,
            hosts=self.hosts,
            make_policies=self._make_policies,
        )

    def reload(self) -> None:
        """Read the configuration again; requests under way end under the old one.

        Raises:
            InputError: it cannot be used; nothing has changed.
        """
        before = self.live
        try:
            self.live = self._read(before)
        except HeatbathError as error:
            self.metrics.reloads["refused"] += 1
            self.journal.write(Event(time.time(), "reload refused", str(error)))
            raise
        self.metrics.upstreams = [*self.live.outside()]
        for name, upstream in before.upstreams.items():
            if self.live.upstreams.get(name) is not upstream:
                upstream.retire()
        self.metrics.reloads["done"] += 1
        self.journal.write(Event(time.time(), "reloaded", self.live.config.digest))

    def reload_quietly(self) -> None:
        """The same for a signal: what is wrong stands in the log."""
        with suppress(HeatbathError):
            self.reload()

    async def close(self) -> None:
        """Close the connections to the upstreams."""
        for upstream in self.live.upstreams.values():
            await upstream.close()
        self.journal.flush()

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        await forward(self.live, self._listeners, self._ticking, scope, receive, send)

    async def _models(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.live.keys.admit(incoming(scope["headers"]).authorization, "call")
        await send_json(send, {"object": "list", "data": [*described(self.live)]})

    async def _one_model(self, scope: Scope, send: Send, name: str) -> None:
        self.live.keys.admit(incoming(scope["headers"]).authorization, "call")
        await send_json(send, one_model(self.live, name))

    async def _health(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send_json(send, {"status": "ok", "running": self.metrics.running})

    async def _ready(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        states = {each.name: each.breaker.state for each in self.live.outside()}
        ready = not self.draining
        await send_json(
            send, {"status": "ready" if ready else "draining", "upstreams": states}, status=200 if ready else 503
        )

    async def _metrics(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self._admit_admin(scope)
        await send_whole(send, 200, [TEXT], self.metrics.text())

    async def _routes(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self._admit_admin(scope)
        await send_json(send, {"config": self.live.config.digest, "routes": [*described(self.live)]})

    async def _reload(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self._admit_admin(scope)
        try:
            self.reload()
        except HeatbathError as error:
            raise ApiError(str(error), code="invalid_configuration") from None
        await send_json(send, {"config": self.live.config.digest})

    def _admit_admin(self, scope: Scope) -> None:
        """Let in whoever has a key with the scope, or, where there are no keys, whoever is on this machine.

        Raises:
            ApiError: neither.
        """
        if self.live.keys:
            self.live.keys.admit(incoming(scope["headers"]).authorization, "admin")
        elif not is_local(scope):
            raise ApiError(
                f"{scope['method']} {scope['path']}: without [keys] this is for the gateway's own machine; add a key "
                'with the scope "admin"',
                code="insufficient_scope",
                status=403,
            )

    def _refused(self, scope: Scope) -> ApiError | None:
        headers = scope["headers"]
        key = (header(headers, b"host"), header(headers, b"origin"))
        if key not in self._refusals:
            if len(self._refusals) > 256:
                self._refusals.clear()
            host, origin = (part.decode("latin-1") for part in key)
            self._refusals[key] = self._guard.refusal(host, origin or None)
        return self._refusals[key]

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A path that nothing is written for: a model's name, the studio, or nothing."""
        path, inside = scope["path"], self.live.inside
        if scope["method"] == "GET" and path.startswith("/v1/models/"):
            await self._one_model(scope, send, path.removeprefix("/v1/models/"))
            return
        known = sorted(method for method, each in self.paths if each == path)
        if known:
            raise ApiError(
                f"{scope['method']} {path}: this path answers to {', '.join(known)} only",
                code="method_not_allowed",
                status=405,
                headers={"Allow": ", ".join(known)},
            )
        if inside is not None and not path.startswith(("/v1/", "/admin/")):
            if self.live.keys and not is_local(scope):
                self._admit_admin(scope)
            await inside.app(scope, receive, send)
            return
        raise ApiError(
            f"{scope['method']} {path}: there is nothing at this path; see /v1/models, /v1/chat/completions, "
            "/v1/completions, /v1/responses and /healthz",
            code="not_found",
            status=404,
        )

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine, by no proxy, and was sent to this machine by name."""
    client = (scope.get("client") or ("",))[0]
    host = header(scope["headers"], b"host").decode("latin-1").rsplit(":", 1)[0].strip("[]")
    proxied = any(name in PROXIED for name, _ in scope["headers"])
    return client.startswith(LOOPBACK) and host.lower() in LOCAL and not proxied
