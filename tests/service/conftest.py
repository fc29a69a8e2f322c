"""A real server on a free port of this machine, for as long as a test (or the whole run) needs it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import pytest
import uvicorn
from openai import OpenAI

from heatbath.embedded.toy import ToyModel
from heatbath.service.app import create_app
from heatbath.service.engine import Engine
from heatbath.service.run import Server, address, listen
from heatbath.types import Model


class Running(NamedTuple):
    url: str
    port: int
    engine: Engine

    def client(self) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0)


@contextmanager
def run_server(model: Model, **options: Any) -> Iterator[Running]:
    """The service in a thread of its own, with uvicorn as in production."""
    app = create_app(model, **options)
    with listen(port=0) as listening:
        server = Server(uvicorn.Config(app, log_level="warning"), app.state.engine)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Running(address(listening), listening.getsockname()[1], app.state.engine)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def toy() -> ToyModel:
    return ToyModel()


@pytest.fixture(scope="session")
def server(toy: ToyModel) -> Iterator[Running]:
    with run_server(toy) as started:
        yield started


@pytest.fixture(scope="session")
def running() -> Callable[..., AbstractContextManager[Running]]:
    """``with running(model, **options) as server``: a server of one's own."""
    return run_server


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds; the time only bounds how long a failing test takes."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "it never came true"
            time.sleep(0.002)

    return wait
