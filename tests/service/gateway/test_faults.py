"""Whatever the upstream does, the client gets its answer or a well-formed error, and nothing is left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import openai
import pytest

from heatbath.service.gateway.breaker import Breaker
from heatbath.service.gateway.upstream import retry_after
from tests.service.gateway import mock as mocks
from tests.service.gateway.conftest import PLAIN, run_gateway
from tests.service.gateway.test_forward import CHAT, ask

IMPATIENT = PLAIN.replace("timeout = 20", "timeout = 0.3\nconnect_timeout = 0.5\nbreaker_failures = 0")
BRITTLE = PLAIN.replace("timeout = 20", "timeout = 20\nretries = 0\nbreaker_failures = 2\nbreaker_seconds = 3600")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("behaviour", ["flaky", "limited", "dropping"])
def test_what_may_pass_is_tried_again(gateway, mock, behaviour, stream):
    mock.failures = 2
    answer = ask(gateway, model=behaviour, stream=stream, temperature=0.7)
    assert answer.status_code == 200
    assert len(mock.seen) == 3
    assert {seen.body for seen in mock.seen} == {mock.seen[0].body}
    assert gateway.lines()[0]["attempts"] == 3


def test_tries_are_bounded(gateway, mock):
    mock.failures = 9
    answer = ask(gateway, model="flaky")
    assert (answer.status_code, answer.json()) == (503, {"error": {"message": "busy"}})
    assert len(mock.seen) == 3


def test_a_long_retry_after_is_the_clients(gateway, mock):
    answer = ask(gateway, model="storm")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    assert len(mock.seen) == 1
    assert answer.json() == {"error": {"message": "slow down"}}


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        ("invalid", 502, "upstream_invalid"),
        ("html", 502, "upstream_invalid"),
        ("redirect", 502, "upstream_invalid"),
        ("no-http", 502, "upstream_unreachable"),
        ("half", 502, "upstream_unreachable"),
        ("unauthorized", 502, "upstream_refused_key"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_no_answer_becomes_an_error(gateway, behaviour, status, code, stream):
    answer = ask(gateway, model=behaviour, stream=stream, temperature=0.3)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "sk-" not in answer.text
    assert answer.headers["heatbath-requested"] == "0.3"
    assert answer.headers["heatbath-inference-id"] == gateway.recorder.decisions[0].id
    assert gateway.recorder.answers[0].error == code


def test_an_answer_never_tells_the_gateways_key(configured, mock, monkeypatch):
    monkeypatch.setenv("UPSTREAM_KEY", "sk-very-secret")
    with run_gateway(configured(PLAIN.replace("timeout", 'key = "env:UPSTREAM_KEY"\ntimeout'))) as running:
        answer = ask(running, model="echo-key", headers={"Authorization": "Bearer sk-of-the-client"})
        assert mock.seen[-1].header("authorization") == ["Bearer sk-very-secret"]
        assert answer.status_code == 502
        for shown in (answer.text, str(running.lines()), httpx.get(running.url + "/metrics").text,
                      httpx.get(running.url + "/admin/routes").text, repr(running.gateway.live.config)):  # fmt: skip
            assert "sk-" not in shown


@pytest.mark.parametrize("stream", [False, True])
def test_a_silent_upstream_is_not_waited_for(configured, mock, stream):
    with run_gateway(configured(IMPATIENT)) as running:
        answer = ask(running, model="silent", stream=stream)
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
        assert len(mock.seen) == 1, "it may be at work: it is not asked again"


def test_a_dead_upstream(configured, mock):
    with run_gateway(configured(IMPATIENT.replace("MOCK", "http://127.0.0.1:9/v1"))) as running:
        answer = ask(running)
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unreachable")
        assert running.lines()[0]["attempts"] == 3


@pytest.mark.parametrize("behaviour", ["half-stream", "stalling"])
def test_a_stream_that_breaks_off_says_so(configured, mock, behaviour):
    with run_gateway(configured(IMPATIENT)) as running:
        with httpx.stream("POST", running.url + CHAT, json={"model": behaviour, "stream": True}) as stream:
            events = b"".join(stream.iter_raw()).split(b"\n\n")
        assert events[0] + b"\n\n" == mocks.STREAM[0]
        assert json.loads(events[-2].removeprefix(b"data: "))["error"]["code"] == "upstream_broke_off"
        assert events[-1] == b""
        client = openai.OpenAI(base_url=running.url + "/v1", api_key="none", max_retries=0)
        with pytest.raises(openai.APIError, match="ended in the middle"):
            list(client.chat.completions.create(model=behaviour, messages=[], stream=True))
        assert running.recorder.answers[0].error == "upstream_broke_off"


def test_wrong_events_pass_and_harm_nothing(gateway):
    answer = ask(gateway, model="wrong-events", stream=True)
    assert b"this is no event" in answer.content
    assert gateway.lines()[0]["completion_tokens"] == 2
    assert ask(gateway).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_the_upstream(gateway, mock, eventually, stream):
    body = json.dumps({"model": "stalling" if stream else "silent", "stream": stream}).encode()
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                           % (CHAT.encode(), len(body), body))  # fmt: skip
        if stream:
            seen = b""
            while b"Spring" not in seen:
                seen += connection.recv(65536)
        eventually(lambda: mock.open == 1)
    eventually(lambda: mock.open == 0)
    eventually(lambda: gateway.gateway.metrics.running == 0)
    assert [(line["status"], line["error"]) for line in gateway.lines()] == [(499, "client_left")]
    assert gateway.recorder.answers[0].status == 499
    assert not gateway.gateway.live.upstreams["mock"].users


def test_a_client_that_leaves_in_its_body(gateway, eventually):
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
        eventually(lambda: gateway.gateway.metrics.running == 1)
    eventually(lambda: gateway.gateway.metrics.running == 0)
    assert gateway.lines()[0]["error"] == "client_left"


def test_a_broken_upstream_is_left_alone(configured, mock):
    with run_gateway(configured(BRITTLE)) as running:
        assert [ask(running, model="broken").status_code for _ in range(2)] == [500, 500]
        answer = ask(running)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_unavailable")
        assert 3000 < int(answer.headers["retry-after"]) <= 3601
        assert len(mock.seen) == 2
        assert httpx.get(running.url + "/readyz").json()["upstreams"] == {"mock": "open"}
        assert 'heatbath_breaker_open{upstream="mock"} 1.0' in httpx.get(running.url + "/metrics").text


def test_a_breaker_opens_tries_and_closes():
    now = [0.0]
    breaker = Breaker(2, 10, lambda: now[0])
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.state == "closed", "not in a row"
    breaker.failed()
    assert (breaker.state, breaker.admit()) == ("open", 10)
    now[0] = 10
    assert (breaker.state, breaker.admit(), breaker.admit()) == ("half-open", 0, 1), "one may try"
    breaker.failed()
    assert (breaker.state, breaker.admit()) == ("open", 10)
    now[0] = 20
    assert breaker.admit() == 0
    breaker.left()
    assert breaker.admit() == 0, "nobody knows: another may try"
    breaker.succeeded()
    assert (breaker.state, breaker.admit()) == ("closed", 0)
    assert Breaker(0, 10).admit() == 0
    never = Breaker(0, 10)
    for _ in range(50):
        never.failed()
    assert never.state == "closed"


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        (b"retry-after", b"7", 7), (b"Retry-After-Ms", b"250", 0.25), (b"retry-after", b"soon", None),
        (b"retry-after", b"-1", None), (b"retry-after", b"9" * 40, None), (b"retry-after", b"\xff", None),
        (b"retry-after", b"Wed, 21 Oct 2015 07:28:00 GMT", 0), (b"x", b"7", None),
    ],
)  # fmt: skip
def test_retry_after_is_read(name, value, seconds):
    assert retry_after([(name, value)]) == seconds


def test_a_recorder_that_fails_costs_the_id_and_not_the_answer(gateway):
    gateway.recorder.fails = True
    answer = ask(gateway, temperature=0.5)
    assert (answer.status_code, answer.headers["heatbath-sent"]) == (200, "0.5")
    assert "heatbath-inference-id" not in answer.headers
    assert "heatbath_unrecorded_total 1.0" in httpx.get(gateway.url + "/metrics").text


def test_too_many_connections(configured, mock, eventually):
    text = IMPATIENT.replace("timeout = 0.3", "timeout = 20\nmax_connections = 1")
    body = json.dumps({"model": "silent"}).encode()
    with run_gateway(configured(text)) as running, socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                           % (CHAT.encode(), len(body), body))  # fmt: skip
        eventually(lambda: mock.open == 1)
        answer = ask(running)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_busy")
        assert httpx.get(running.url + "/readyz").json()["upstreams"] == {"mock": "closed"}


@pytest.fixture
def program(configured):
    """The gateway as a program; its address is the second item."""

    def start(text):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "heatbath", "serve", "--config", configured(text), "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + 60
        while True:
            try:
                httpx.get(url + "/healthz")
            except httpx.ConnectError:
                assert time.monotonic() < end
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
            else:
                return process, url

    started = []
    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_sigterm_lets_a_stream_end(program, mock):
    process, url = program(PLAIN)
    with httpx.stream("POST", url + CHAT, json={"model": "gated", "stream": True}, timeout=30) as stream:
        chunks = stream.iter_raw()
        first = next(chunks)
        process.send_signal(signal.SIGTERM)
        mock.gate.set()
        assert first + b"".join(chunks) == b"".join(mocks.STREAM)
    assert process.wait(20) == 0
    log = [json.loads(line) for line in process.stderr.read().splitlines()]
    assert log[-1]["status"] == 200


def test_sigterm_ends_a_stream_that_does_not(program, mock):
    process, url = program("[server]\ndrain_seconds = 1\n" + PLAIN)
    with httpx.stream("POST", url + CHAT, json={"model": "stalling", "stream": True}, timeout=30) as stream:
        chunks = stream.iter_raw()
        next(chunks)
        process.send_signal(signal.SIGTERM)
        last = b"".join(chunks).split(b"\n\n")[-2]
        assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "shutting_down"
    assert process.wait(20) == 0


def test_sighup_reads_the_configuration_again(program, configured, mock, eventually):
    process, url = program(PLAIN)
    configured(PLAIN + 'policy = "fixed(0.4)"')
    os.kill(process.pid, signal.SIGHUP)
    eventually(lambda: httpx.post(url + CHAT, json={"model": "m"}).headers["heatbath-policy"] == "fixed(0.4)")
    configured("nonsense")
    os.kill(process.pid, signal.SIGHUP)
    eventually(lambda: 'heatbath_reloads_total{outcome="refused"} 1.0' in httpx.get(url + "/metrics").text)
    assert httpx.post(url + CHAT, json={"model": "m"}).headers["heatbath-policy"] == "fixed(0.4)"
