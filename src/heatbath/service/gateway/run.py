"""Running the gateway on a port."""

import asyncio
import gc
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import uvicorn

from heatbath.errors import InputError
from heatbath.experiments.records import Recorder
from heatbath.service.gateway.app import Gateway
from heatbath.service.gateway.inside import LoadModel
from heatbath.service.run import HOST, PORT, address, listen


def serve(
    path: Path | str,
    host: str = HOST,
    port: int = PORT,
    *,
    load_model: LoadModel,
    hosts: Iterable[str] = (),
    recorder: Recorder | None = None,
    announce: Callable[[str, list[str], bool], None] = lambda url, routes, studio: None,
) -> None:
    """Run the gateway until the process is told to stop; SIGHUP reads the configuration again.

    Arguments:
        path: the configuration.
        host: the address to listen on.
        port: 0 for any free one.
        load_model: loads an embedded model.
        hosts: names beside ``host`` and localhost by which clients call the gateway.
        recorder: remembers decisions, answers and feedback.
        announce: told the address, the names of the routes and whether there is a studio, once connections are
        accepted.

    Raises:
        InputError: the configuration cannot be used, the address cannot be had, or listening there would let everybody
        spend
            the providers' keys.
    """
    gateway = Gateway(path, load_model=load_model, hosts=(host, *hosts), recorder=recorder)
    config = gateway.live.config
    if config.secrets and not config.keys and not _is_loopback(host):
        raise InputError(
            f"everybody who reaches {host} could spend the keys of {', '.join(config.secrets)}",
            doing="starting the gateway",
            on=f"--host {host}",
            instead=f"add a [keys] table to {path} (heatbath key makes one), or listen on {HOST}",
            field="host",
        )
    with listen(host, port) as listening:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # the gateway has a log of its own
        gc.collect()
        gc.freeze()  # what was loaded stays; looking through it again and again would cost a tenth of each request
        gc.set_threshold(20_000, 20, 20)
        announce(address(listening), [*config.routes], gateway.live.inside is not None)
        with suppress(
            ValueError
        ):  # uvicorn shuts down in order and then repeats the signal, which would kill the process
            signal.signal(signal.SIGTERM, lambda number, frame: None)  # a ValueError where this is not the main thread
        with suppress(KeyboardInterrupt):
            Server(gateway).run(sockets=[listening])


class Server(uvicorn.Server):
    """A server that reloads on SIGHUP and lets running answers finish."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(
            uvicorn.Config(
                gateway,
                server_header=False,
                access_log=False,
                proxy_headers=False,  # whom a header names is not believed
                log_level="critical",
                timeout_keep_alive=75,
                timeout_graceful_shutdown=max(1, int(gateway.live.config.server.drain_seconds)),
                ws="none",
            )
        )
        self._gateway = gateway

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        await super().startup(sockets)
        with suppress(
            AttributeError, ValueError, RuntimeError, NotImplementedError
        ):  # no such signal, or not its thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._gateway.reload_quietly)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections and wait for running answers."""
        self._gateway.draining = True
        await super().shutdown(sockets)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
