"""A real PostgreSQL server for tests, on loopback and a free port, in a folder that is gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def programs() -> Path:
    """The folder of initdb and pg_ctl."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    if not PROGRAMS:
        pytest.skip("no PostgreSQL: its server (initdb, pg_ctl) is not installed")
    return PROGRAMS[-1]


def as_user() -> tuple[list[str], int | None]:
    """What to write before a command, since the server refuses to run as root, and who will own its folder."""
    if os.getuid():
        return [], None
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("no PostgreSQL: it does not run as root, and there is no user postgres")
    if not shutil.which("setpriv"):
        pytest.skip("no PostgreSQL: it does not run as root, and setpriv is not installed")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user.pw_uid


class Server:
    """A running server; ``url`` is that of its first database."""

    def __init__(self, folder: Path, port: int, before: list[str]) -> None:
        self.folder, self.port, self._before, self._made = folder, port, before, 0
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def control(self, *words: str) -> None:
        """Call pg_ctl, as in ``server.control("restart", "-m", "immediate")``."""
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        command = [*self._before, programs() / "pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log"]
        subprocess.run([*command, "-o", settings, *words], check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def database(self) -> str:
        """The address of a new, empty database."""
        import psycopg

        self._made += 1
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE test_{self._made}")
        return self.url.rpartition("/")[0] + f"/test_{self._made}"


@contextmanager
def running() -> Iterator[Server]:
    """A server for a while; skips where there can be none."""
    pytest.importorskip("psycopg", reason="the extra heatbath[postgresql] is not installed")
    found, (before, owner) = programs(), as_user()
    folder = Path(tempfile.mkdtemp(prefix="heatbath-postgresql-"))
    try:
        if owner is not None:
            os.chown(folder, owner, -1)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        make = [*before, found / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "-E", "UTF8"]
        subprocess.run([*make, "--locale=C.UTF-8"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        server = Server(folder, port, before)
        server.control("start")
        try:
            yield server
        finally:
            server.control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
