"""A client that goes away stops costing anything."""

import json
import socket
import threading

import httpx
import pytest

from heatbath.embedded.toy import ToyModel


class Stepwise(ToyModel):
    """Never ends, and takes no step without a permit; so a test knows how far it is."""

    def __init__(self):
        super().__init__(stop=0, context=100_000)
        self.permits = threading.Semaphore(0)
        self.steps = 0
        self.rows = 0

    def step(self, cache, tokens):
        assert self.permits.acquire(timeout=30)
        self.steps += 1
        self.rows = len(tokens)
        return super().step(cache, tokens)


def ask(server, **fields) -> socket.socket:
    body = json.dumps({"prompt": "", "max_tokens": 50_000, **fields}).encode()
    connection = socket.create_connection(("127.0.0.1", server.port))
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("n", [1, 5])
def test_a_client_that_leaves_frees_its_rows(running, eventually, stream, n):
    model = Stepwise()
    with running(model, max_rows=4) as server:
        gone, stays = ask(server, stream=stream, n=n, seed=1), ask(server, stream=True, seed=2)
        model.permits.release(10)
        eventually(lambda: model.steps == 10)
        assert server.engine.running + server.engine.waiting == n + 1
        if stream:
            assert b"text/event-stream" in gone.recv(65536)
        gone.close()
        eventually(lambda: server.engine.running + server.engine.waiting == 1)
        model.permits.release(3)
        eventually(lambda: model.steps == 13)
        assert model.rows == 1, "only the client that stayed is served"
        stays.close()
        eventually(lambda: server.engine.running == 0)
        taken = model.steps
        model.permits.release(5)
        assert httpx.get(f"{server.url}/healthz").json()["running"] == 0
        eventually(lambda: server.engine._task is None)
        assert model.steps <= taken + 1, "at most the step that was under way"


def test_a_client_that_leaves_while_it_waits(running, eventually):
    model = Stepwise()
    with running(model, max_rows=1) as server:
        first, second = ask(server, stream=True), ask(server, stream=True)
        eventually(lambda: server.engine.running == 1 and server.engine.waiting == 1)
        second.close()
        eventually(lambda: server.engine.waiting == 0)
        first.close()
        eventually(lambda: server.engine.running == 0)
        model.permits.release(2)


def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_error(server, caplog):
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
    assert httpx.get(f"{server.url}/healthz").status_code == 200, "the server has begun to read"
    connection.close()
    assert httpx.get(f"{server.url}/healthz").status_code == 200, "and has seen the end"
    assert not caplog.records
