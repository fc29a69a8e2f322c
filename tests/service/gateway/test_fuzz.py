"""Ten thousand malformed requests: each gets an answer of the one shape, and the gateway lives."""

import json
import random
import socket

from tests.service.gateway.test_forward import ask

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n"
SEED = (
    b'{"model": "m", "messages": [{"role": "user", "content": "\xe6\x98\xa5 \\u6625"}], "temperature": 0.7, '
    b'"stream": false, "heatbath": {"task": "t", "user": "u"}, "n": [1, {"a": [null, true, -1.5e3]}]}'
)
PIECES = (
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\\u",
    b"\x00",
    b"\xff",
    b"NaN",
    b"1e999",
    b"temperature",
    b"null",
    b"-",
    b'"temperature":',
    b'"model":7,',
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"[" * 300,
    b"9" * 400,
)


def damaged(body, dice):
    made = bytearray(body)
    for _ in range(dice.randint(1, 2)):
        at = dice.randrange(len(made) + 1)
        kind = dice.randrange(4)
        if kind == 0:
            made[at:at] = dice.choice(PIECES)
        elif kind == 1:
            del made[at : at + dice.randint(1, 20)]
        elif kind == 2 and at < len(made):
            made[at] = dice.randrange(256)
        else:
            start = dice.randrange(len(made) + 1)
            made[at:at] = made[start : start + dice.randint(1, 30)]
    return bytes(made)


def answers(running, requests):
    """The answers on one connection, until it is closed."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        stream = connection.makefile("rb")
        for request in requests:
            connection.sendall(request)
            status = stream.readline()
            if not status:
                return
            headers = {}
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                headers[name.lower()] = value.strip()
            yield int(status.split()[1]), headers, stream.read(int(headers.get(b"content-length", 0)))
            if headers.get(b"connection") == b"close":
                return


def test_ten_thousand_malformed_bodies(gateway, mock):
    dice = random.Random(20261125)
    statuses = {}
    for _ in range(100):
        bodies = [damaged(SEED, dice) for _ in range(100)]
        got = [*answers(gateway, [HEAD % (len(body), b"") + body for body in bodies])]
        assert len(got) == 100, (got[-1], bodies[len(got) - 1 : len(got) + 1])
        for status, headers, body in got:
            statuses[status] = statuses.get(status, 0) + 1
            assert status in (200, 400, 404)
            answer = json.loads(body)
            assert status == 200 or answer["error"]["code"]
            assert b"None" not in headers.values()
    assert min(statuses[200], statuses[400]) > 100, statuses
    assert all(isinstance(seen.json, dict) for seen in mock.seen)
    assert gateway.gateway.metrics.running == 0
    assert len(gateway.recorder.decisions) == len(gateway.recorder.answers) >= statuses[200]
    assert ask(gateway).status_code == 200


def test_a_thousand_malformed_heads(gateway, mock):
    dice = random.Random(7)
    body = b'{"model": "m"}'
    for _ in range(1000):
        head = damaged(HEAD % (len(body), b"heatbath-task: t\r\nAuthorization: Bearer x\r\n"), dice)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
            connection.sendall(head + body)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        assert not answer or answer.startswith(b"HTTP/1.1 ")
        assert b" 500 " not in answer.split(b"\r\n")[0]
    assert ask(gateway).status_code == 200
