"""Web pages of other origins must not be able to use a service on this machine."""

import http.client
import json

import pytest

from heatbath.embedded.toy import ToyModel


def status(server, host=None, **headers):
    """Status and error code of GET /v1/models with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.putrequest("GET", "/v1/models", skip_host=True)
    for name, value in {"Host": host, **headers}.items():
        if value is not None:
            connection.putheader(name, value.replace("PORT", str(server.port)))
    connection.endheaders()
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body.get("error", {}).get("code")


@pytest.mark.parametrize(
    "host", ["localhost:PORT", "127.0.0.1:PORT", "[::1]:PORT", "LOCALHOST:PORT", "localhost", "localhost:1"]
)
def test_its_own_names(server, host):
    assert status(server, host) == (200, None)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:PORT", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.2:PORT",
        "192.168.1.5:PORT", "0.0.0.0:PORT", "evil.example@localhost", "localhost@evil.example", "[::2]",
        "[localhost", "localhost/", "", None,
    ],
)  # fmt: skip
def test_foreign_names(server, host):
    assert (
        status(server, host) == (403, "host_not_allowed") if host is not None else status(server, host)[0] in (400, 403)
    )


@pytest.mark.parametrize("origin", ["http://localhost:PORT", "https://localhost:PORT", "HTTP://LOCALHOST:PORT"])
def test_its_own_pages(server, origin):
    assert status(server, "localhost:PORT", Origin=origin) == (200, None)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "http://evil.example:PORT", "null", "", "http://localhost:3000", "http://localhost",
        "http://127.0.0.1:PORT", "http://localhost:PORT.evil.example", "http://[evil", "file://",
    ],
)  # fmt: skip
def test_foreign_pages(server, origin):
    assert status(server, "localhost:PORT", Origin=origin) == (403, "origin_not_allowed")


def test_no_answer_invites_other_origins(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("OPTIONS", "/v1/completions", headers={"Origin": "http://evil.example"})
    answer = connection.getresponse()
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    connection.close()


def test_further_names(running):
    with running(ToyModel(), hosts=["Box.Example", "10.0.0.1"]) as server:
        assert status(server, "box.example:PORT") == (200, None)
        assert status(server, "10.0.0.1") == (200, None)
        assert status(server, "10.0.0.2")[0] == 403


@pytest.mark.parametrize("bound", ["0.0.0.0", "::"])
def test_bound_to_every_address_any_address_is_a_name_and_no_other_name_is(running, bound):
    with running(ToyModel(), hosts=[bound]) as server:
        assert status(server, "192.168.1.5:PORT") == (200, None)
        assert status(server, "[fe80::1]:PORT") == (200, None)
        assert status(server, "evil.example:PORT")[0] == 403
        assert status(server, "1.2.3.4.evil.example")[0] == 403
