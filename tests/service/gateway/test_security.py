"""Who may do what, and what cannot be smuggled through."""

import json
import socket

import httpx
import pytest

from heatbath.service.errors import ApiError
from heatbath.service.gateway.app import is_local
from heatbath.service.gateway.config import Key
from heatbath.service.gateway.keys import Bucket, Keys, digest, new_key
from tests.service.gateway.conftest import PLAIN, run_gateway
from tests.service.gateway.test_forward import CHAT, ask

ANNA, OPERATOR = new_key("anna"), new_key("op_1")
KEYED = f"""
[keys.anna]
hash = "{ANNA.hash}"
scopes = ["call"]
rate = 3
[keys.op_1]
hash = "{OPERATOR.hash}"
scopes = ["admin", "call"]
"""


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def keyed(configured):
    with run_gateway(configured(PLAIN + KEYED)) as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("POST", CHAT, None, 401),
        ("POST", CHAT, "nonsense", 401),
        ("POST", CHAT, ANNA.key[:-1], 401),
        ("POST", CHAT, ANNA.key.replace("anna", "op_1"), 401),
        ("POST", CHAT, "hb__", 401),
        ("POST", CHAT, "hb_anna_\xe9", 401),
        ("POST", CHAT, ANNA.key, 200),
        ("POST", CHAT, OPERATOR.key, 200),
        ("GET", "/v1/models", None, 401),
        ("GET", "/v1/models", ANNA.key, 200),
        ("GET", "/v1/models/x", None, 401),
        ("GET", "/metrics", None, 401),
        ("GET", "/metrics", ANNA.key, 403),
        ("GET", "/metrics", OPERATOR.key, 200),
        ("GET", "/admin/routes", ANNA.key, 403),
        ("GET", "/admin/routes", OPERATOR.key, 200),
        ("POST", "/admin/reload", None, 401),
        ("POST", "/admin/reload", OPERATOR.key, 200),
        ("GET", "/healthz", None, 200),
        ("GET", "/readyz", None, 200),
    ],
    ids=lambda each: "" if str(each).startswith("hb_") else str(each),  # a key is drawn anew in every process
)
def test_keys_open_what_they_should(keyed, mock, method, path, key, status):
    headers = {} if key is None else {"Authorization": f"Bearer {key}".encode("latin-1")}
    answer = httpx.request(method, keyed.url + path, json={"model": "m"}, headers=headers)
    assert answer.status_code == status, answer.text
    assert len(mock.seen) == (status == 200 and path == CHAT)
    for seen in mock.seen:
        assert not seen.header("authorization"), "the gateway's keys stay with the gateway"
    if status >= 400:
        assert answer.json()["error"]["type"] in ("authentication_error", "permission_error")
    assert key is None or key not in str(keyed.lines())


def test_a_key_may_call_so_often(keyed):
    statuses = [ask(keyed, headers=bearer(ANNA.key)) for _ in range(5)]
    assert [each.status_code for each in statuses] == [200, 200, 200, 429, 429]
    assert 1 <= int(statuses[-1].headers["retry-after"]) <= 20
    assert ask(keyed, headers=bearer(OPERATOR.key)).status_code == 200
    assert {line.get("key") for line in keyed.lines()} == {"anna", "op_1", None}


def test_a_bucket_fills_again():
    now = [0.0]
    bucket = Bucket(60, lambda: now[0])
    assert all(bucket.take() == 0 for _ in range(60))
    assert bucket.take() == 1
    now[0] = 2
    assert [bucket.take() for _ in range(3)] == [0, 0, 1]
    now[0] = -5
    assert bucket.take() > 0, "a clock that goes back gives nothing away"
    assert Bucket(0, lambda: 0.0).take() == 0
    now[0] = 1e9
    assert sum(bucket.take() == 0 for _ in range(100)) == 60


def test_a_key_is_kept_as_a_salted_digest():
    one, two = new_key("a"), new_key("a")
    assert one.key not in one.hash
    assert one.key != two.key
    assert digest(one.key, one.hash.split(":")[1]) == one.hash
    keys = Keys({"a": Key(one.hash)})
    assert keys.admit(f"bearer {one.key}".encode(), "call") == "a"
    with pytest.raises(ApiError):
        keys.admit(f"Basic {one.key}".encode(), "call")
    assert Keys({}).admit(None, "admin") is None


def raw(running, request):
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


BODY = b'{"model": "m"}'
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n" + b'{"model":"smuggled"}'
)


@pytest.mark.parametrize(
    "request_",
    [
        HEAD + b"Content-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
        HEAD + b"Content-Length: 14\r\nContent-Length: 0\r\n\r\n" + BODY + SMUGGLED,
        HEAD + b"Content-Length: +14\r\n\r\n" + BODY + SMUGGLED,
        HEAD + b"Content-Length: 0x0e\r\n\r\n" + BODY + SMUGGLED,
        HEAD + b"Content-Length : 14\r\n\r\n" + BODY + SMUGGLED,
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY + SMUGGLED,
        HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n" + BODY + SMUGGLED,
        HEAD
        + b"X: 1\r\n\tContent-Length: 14\r\nContent-Length: 0\r\nX: a\nContent-Length: 14\r\n\r\n"
        + BODY
        + SMUGGLED,
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\n\n" + SMUGGLED,
        b"POST /v1/chat/completions\r\n\r\n" + SMUGGLED,
        b"\x16\x03\x01\x02\x00",
        HEAD + b"X: \x00\r\nContent-Length: 14\r\n\r\n" + BODY,
    ],
)
def test_a_request_whose_end_is_in_doubt_reaches_nobody(gateway, mock, request_):
    answer = raw(gateway, request_)
    assert not [seen for seen in mock.seen if b"smuggled" in seen.body], answer
    assert not answer or answer.startswith(b"HTTP/1.1 4") or b"\r\n\r\n" in answer
    assert ask(gateway).status_code == 200


def test_pipelined_requests_are_two(gateway, mock):
    one = HEAD + b"Content-Length: 14\r\n\r\n" + BODY
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        connection.sendall(one + one)
        seen = b""
        while seen.count(b"HTTP/1.1 200") < 2 or not seen.endswith(b"}"):
            seen += connection.recv(65536)
    assert [each.body for each in mock.seen] == [BODY, BODY]


@pytest.mark.parametrize("name", ["poem\r\nheatbath-policy: forged", "poem\x00", "ä", "p" * 5000])
def test_no_header_can_be_written_by_a_client(gateway, name):
    for answer in (ask(gateway, heatbath={"task": name}), ask(gateway, model=name, heatbath={"user": name[:200]})):
        assert "forged" not in answer.headers.get("heatbath-policy", "")
        assert "heatbath-task" not in answer.headers


def test_a_model_name_is_only_text(gateway, mock):
    ask(gateway, model="../../admin?x=1#\r\nHost: evil")
    assert mock.seen[-1].path == "/v1/chat/completions"
    assert len(mock.seen[-1].header("host")) == 1


def test_long_bodies_are_refused_while_they_arrive(configured, mock):
    with run_gateway(configured("[server]\nmax_body = 1000\n" + PLAIN)) as running:
        answer = httpx.post(running.url + CHAT, content=b" " * 1001)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
        answer = httpx.post(running.url + CHAT, content=iter([b" " * 600] * 2))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
        assert httpx.post(running.url + CHAT, content=BODY + b" " * 986).status_code == 200
    assert len(mock.seen) == 1


def test_slow_bodies_are_refused(configured, mock):
    with run_gateway(configured("[server]\nbody_seconds = 0.1\n" + PLAIN)) as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
            connection.sendall(HEAD + b"Content-Length: 14\r\n\r\n{")
            answer = connection.recv(65536) + connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408")
        assert json.loads(answer.split(b"\r\n\r\n")[1])["error"]["code"] == "body_timeout"
        assert ask(running).status_code == 200
    assert len(mock.seen) == 1


def test_large_bodies_pass(gateway, mock):
    image = "data:image/png;base64," + "A" * (3 * 1024 * 1024)
    assert ask(gateway, messages=[{"role": "user", "content": [{"image_url": {"url": image}}]}]).status_code == 200
    assert mock.seen[-1].json["messages"][0]["content"][0]["image_url"]["url"] == image


def test_packed_bodies_are_refused(gateway):
    assert ask(gateway, headers={"Content-Encoding": "gzip"}).json()["error"]["code"] == "invalid_json"


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_foreign_pages_are_refused_where_there_are_no_keys(gateway, keyed, headers):
    assert ask(gateway, headers=headers).status_code == 403
    assert httpx.get(gateway.url + "/metrics", headers=headers).status_code == 403
    assert ask(keyed, headers={**headers, **bearer(OPERATOR.key)}).status_code == 200


@pytest.mark.parametrize(
    ("client", "host", "local"),
    [
        ("127.0.0.1", b"localhost:8000", True),
        ("::1", b"[::1]:8000", True),
        ("10.0.0.7", b"localhost", False),
        ("127.0.0.1", b"gateway.example", False),
        ("203.0.113.9", b"203.0.113.1", False),
        ("", b"localhost", False),
    ],
)
def test_local_is_who_comes_from_here_to_here(client, host, local):
    assert is_local({"client": (client, 1), "headers": [(b"host", host)]}) == local


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}, {"Via": "1.1 proxy"}]
)
def test_behind_a_proxy_nobody_is_local(gateway, headers):
    for path in ("/metrics", "/admin/routes"):
        answer = httpx.get(gateway.url + path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
    assert httpx.get(gateway.url + "/metrics").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", CHAT, 405, "method_not_allowed"),
        ("PUT", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/v1/embeddings", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("GET", "//v1/models", 404, "not_found"),
        ("POST", "/v1/chat/completions/", 404, "not_found"),
        ("GET", "/admin/../metrics/x", 404, "not_found"),
    ],
)
def test_other_paths_lead_nowhere(gateway, mock, method, path, status, code):
    answer = httpx.request(method, gateway.url + path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not mock.seen
