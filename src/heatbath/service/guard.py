"""Who may talk to a local service: not every web page that happens to be open on this machine.

A page from anywhere can make its reader's browser send requests to 127.0.0.1, and by pointing a name of its own at
127.0.0.1 (DNS rebinding) it could read the answers. Two headers that a page cannot forge tell such requests apart: Host
must be a name of this service, and Origin, where a browser sends it, must be the service itself.
"""

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from heatbath.service.errors import ApiError

HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s\[\]:@/?#]+)(?::\d*)?")
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  the names of binding to every address, not a binding


class Guard:
    """Refuses requests to foreign names and from foreign pages.

    Arguments:
        app: what to guard.
        hosts: the service's names beside localhost. With 0.0.0.0 or :: among them, any IP address is one too: a page
            cannot rebind an address.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ()) -> None:
        self.app = app
        self.hosts = LOCAL | {host.lower().strip("[]") for host in hosts}
        self.any_address = bool(self.hosts & EVERYWHERE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            refusal = self.refusal(headers.get("host", ""), headers.get("origin"))
        if refusal and scope["type"] == "http":
            await refusal.response()(scope, receive, send)
        elif refusal:
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(scope, receive, send)

    def refusal(self, host: str, origin: str | None) -> ApiError | None:
        """Why a request with these headers is refused; None where it is not."""
        found = HOST.fullmatch(host)
        name = found[1].lower().strip("[]") if found else ""
        if not self._is_ours(name):
            return ApiError(
                f"the request was sent to {host or 'no host'!r}, which is no name of this service; use "
                f"http://localhost, or start the service with --allow-host {name or 'NAME'}",
                code="host_not_allowed",
                status=403,
            )
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            return ApiError(
                f"the request comes from a page of {origin!r}; only the service's own pages may call it from a browser",
                code="origin_not_allowed",
                status=403,
            )
        return None

    def _is_ours(self, name: str) -> bool:
        if name in self.hosts:
            return True
        try:
            return self.any_address and bool(ipaddress.ip_address(name))
        except ValueError:
            return False
