"""A gateway on a free port, in a thread of its own, in front of the mock."""

import io
import json
import threading
from contextlib import contextmanager

import pytest

from heatbath.embedded.toy import ToyModel
from heatbath.service.gateway.app import Gateway
from heatbath.service.gateway.journal import Journal
from heatbath.service.gateway.run import Server
from heatbath.service.run import address, listen
from tests.service.gateway.mock import upstream


class Remembering:
    """A recorder that keeps everything in lists."""

    def __init__(self):
        self.decisions, self.answers, self.feedback = [], [], []
        self.fails = False

    async def decided(self, decision):
        if self.fails:
            raise OSError("the disk is full")
        self.decisions.append(decision)

    def answered(self, answer):
        self.answers.append(answer)

    async def heard(self, feedback):
        self.feedback += feedback
        return [True] * len(feedback)


class Running:
    def __init__(self, gateway, listening, recorder, log, server):
        self.gateway, self.recorder, self.log, self.server = gateway, recorder, log, server
        self.url, self.port = address(listening), listening.getsockname()[1]

    def lines(self):
        self.gateway.journal.flush()
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def load_toy(name):
    return ToyModel(), None


@contextmanager
def run_gateway(path, recorder=None, **options):
    recorder, log = recorder or Remembering(), io.BytesIO()
    gateway = Gateway(path, load_model=load_toy, recorder=recorder, journal=Journal(log), **options)
    with listen(port=0) as listening:
        server = Server(gateway)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Running(gateway, listening, recorder, log, server)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def mock_session():
    with upstream() as mock:
        yield mock


@pytest.fixture
def mock(mock_session):
    mock_session.seen.clear()
    mock_session.failures = 0
    mock_session.gate.clear()
    return mock_session


@pytest.fixture
def configured(tmp_path, mock, monkeypatch):
    """``configured(text)``: the path of a configuration in which MOCK is the mock's address."""

    def write(text, name="heatbath.toml"):
        path = tmp_path / name
        path.write_text(text.replace("MOCK", mock.url), encoding="utf-8")
        return path

    return write


PLAIN = """
[upstreams.mock]
url = "MOCK"
timeout = 20
retry_seconds = 0
[routes."*"]
upstream = "mock"
"""


@pytest.fixture
def gateway(configured):
    """A gateway with one route for every name, of a provider that nothing is known of."""
    with run_gateway(configured(PLAIN)) as running:
        yield running
