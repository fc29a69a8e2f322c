"""Running the service on a port."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress

import uvicorn

from heatbath.control import Profile
from heatbath.errors import InputError
from heatbath.service.app import create_app
from heatbath.service.engine import Engine
from heatbath.types import Model

HOST = "127.0.0.1"
PORT = 8000
LAST_PORT = 65535
PATIENCE = 5
"""Seconds that running answers get to finish when the service is asked to stop."""


def listen(host: str = HOST, port: int = PORT) -> socket.socket:
    """A socket that accepts connections; port 0 is any free one.

    Raises:
        InputError: the address cannot be had: in use, not allowed, or no address of this machine.
    """
    where = f"{host}:{port}"
    if not 0 <= port <= LAST_PORT:
        raise InputError(
            f"ports are whole numbers from 0 to {LAST_PORT}",
            doing="starting the service",
            on=where,
            instead=f"write for example --port {PORT}",
            field="port",
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(found[0], found[1], found[2])
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"the address is no address: {error}",
            doing="starting the service",
            on=where,
            instead="write for example --host 127.0.0.1 --port 8000",
            field="host",
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(found[4])
        listening.listen(1024)
    except OSError as error:
        listening.close()
        field, instead = _remedy(error, port)
        raise InputError(
            error.strerror or str(error), doing="starting the service", on=where, instead=instead, field=field
        ) from None
    return listening


def _remedy(error: OSError, port: int) -> tuple[str, str]:
    """The argument at fault, and what to write in its place."""
    if error.errno == errno.EADDRNOTAVAIL:
        return "host", "give an address of this machine: --host 127.0.0.1, or --host 0.0.0.0 for all that it has"
    other = PORT if error.errno == errno.EACCES or port == LAST_PORT else port + 1  # low ports are not for everybody
    return "port", f"choose another port: --port {other}, or --port 0 for any free one"


def address(listening: socket.socket) -> str:
    """The address that a person opens in a browser."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  a comparison, not a binding
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    model: Model,
    host: str = HOST,
    port: int = PORT,
    *,
    hosts: Iterable[str] = (),
    profile: Profile | None = None,
    announce: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve a model until the process is told to stop (Ctrl-C or SIGTERM); running answers then get a moment to finish.

    Arguments:
        model: what to serve.
        host: the address to listen on. Every other than 127.0.0.1 lets other machines in.
        port: 0 for any free one.
        hosts: names beside ``host`` and localhost by which clients call the service.
        profile: the model's profile, for the studio.
        announce: told the address once connections are accepted.

    Raises:
        InputError: the address cannot be had.
    """
    with listen(host, port) as listening:
        app = create_app(model, hosts=(host, *hosts), profile=profile)
        config = uvicorn.Config(app, server_header=False)
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # a line a request, and no news of itself
        announce(address(listening))
        with suppress(KeyboardInterrupt):  # uvicorn shuts down in order and then repeats the signal
            Server(config, app.state.engine).run(sockets=[listening])


class Server(uvicorn.Server):
    """A server that ends what still runs some seconds after it was asked to stop, and tells those who listen."""

    def __init__(self, config: uvicorn.Config, engine: Engine) -> None:
        super().__init__(config)
        self._engine = engine

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections; wait for running answers, but not longer than ``PATIENCE``."""
        ending = asyncio.create_task(self._end())
        await super().shutdown(sockets)
        ending.cancel()

    async def _end(self) -> None:
        await asyncio.sleep(PATIENCE)
        await self._engine.close()
