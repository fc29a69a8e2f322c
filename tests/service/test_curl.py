"""The interface as curl sees it."""

import json
import shutil
import subprocess

import pytest

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")


def curl(*arguments, data=None):
    """Status, body, and everything else that curl prints."""
    ran = subprocess.run(
        [CURL, "-sS", "--max-time", "30", "-w", "\\n%{http_code}", *arguments],
        input=data,
        capture_output=True,
        check=False,
    )
    assert not ran.stderr, ran.stderr
    body, _, status = ran.stdout.decode().rpartition("\n")
    return int(status), body


def test_a_plain_request_without_any_header(server):
    status, body = curl(f"{server.url}/v1/completions", "-d", '{"prompt": "It is", "max_tokens": 4, "seed": 7}')
    assert status == 200
    assert json.loads(body)["choices"][0]["text"]


def test_a_stream(server):
    body = '{"messages": [{"role": "user", "content": "It is"}], "max_tokens": 4, "seed": 7, "stream": true}'
    status, events = curl("-N", f"{server.url}/v1/chat/completions", "-H", "Content-Type: application/json", "-d", body)
    assert status == 200
    *lines, end = [event for event in events.split("\n\n") if event.strip()]
    assert end == "data: [DONE]"
    assert all(json.loads(line.removeprefix("data: "))["object"] == "chat.completion.chunk" for line in lines)


def test_the_headers_of_a_stream(server):
    _, answer = curl("-i", f"{server.url}/v1/completions", "-d", '{"prompt": "", "stream": true}')
    head = answer.split("\r\n\r\n")[0].lower()
    assert "content-type: text/event-stream; charset=utf-8" in head
    assert "cache-control: no-cache" in head


def test_a_malformed_body(server):
    status, body = curl(f"{server.url}/v1/completions", "-d", '{"prompt": "It is",}')
    assert status == 400
    assert json.loads(body)["error"]["code"] == "invalid_json"
    assert "line 1, column" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize("how", ["-d", "chunked"])
def test_a_huge_body_is_refused_while_it_arrives(server, how):
    huge = b'{"prompt": "' + b"a" * (5 * 1024 * 1024) + b'"}'
    header = ["-H", "Transfer-Encoding: chunked"] if how == "chunked" else []
    status, body = curl(f"{server.url}/v1/completions", *header, "--data-binary", "@-", data=huge)
    assert status == 413
    assert json.loads(body)["error"]["code"] == "body_too_large"


def test_an_endless_body_is_cut_off(server):
    """curl would never come to the end of this body; the answer comes all the same."""
    endless = subprocess.Popen(["yes"], stdout=subprocess.PIPE)
    try:
        ran = subprocess.run(
            [CURL, "-s", "--max-time", "30", "-T", "-", "-X", "POST", f"{server.url}/v1/completions"],
            stdin=endless.stdout,
            capture_output=True,
            check=False,
        )
    finally:
        endless.kill()
        endless.communicate()
    assert json.loads(ran.stdout)["error"]["code"] == "body_too_large"


def test_a_body_just_below_the_limit_is_read(server):
    body = b'{"prompt": "It is", "max_tokens": 1, "user": "' + b"a" * (4 * 1024 * 1024 - 100) + b'"}'
    status, _ = curl(f"{server.url}/v1/completions", "--data-binary", "@-", data=body)
    assert status == 200


def test_the_other_addresses(server):
    assert json.loads(curl(f"{server.url}/healthz")[1]) == {"status": "ok", "model": "toy", "running": 0, "waiting": 0}
    assert json.loads(curl(f"{server.url}/v1/models")[1])["data"][0]["id"] == "toy"
    assert curl("-I", f"{server.url}/healthz")[0] == 200
