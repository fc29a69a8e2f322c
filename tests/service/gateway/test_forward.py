"""What passes the gateway, what does not, and what it says of the temperature."""

import gzip
import json
import socket
import threading

import httpx
import pytest

from tests.service.gateway import mock as mocks
from tests.service.gateway.conftest import run_gateway

CHAT = "/v1/chat/completions"
POEM = [{"role": "user", "content": "写一首关于春天的诗"}]
ODD = (
    b'{ "model" :"m",\t"big":123456789012345678901234567890, "seed":1e0,"x":1,"x":2, "n\\u0061me": "\\ud83c\\udf31",\n'
    b'"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:;base64,AA=="}}]}],'
    b'"tools":[{"type":"function","function":{"name":"f","parameters":{"temperature":{"type":"number"}}}}], '
    b'"temperature" : 0.70 }'
)


def ask(running, path=CHAT, headers=None, **fields):
    body = {"model": "m", **({} if "prompt" in fields else {"messages": POEM}), **fields}
    return httpx.post(running.url + path, json=body, headers=headers or {}, timeout=30)


def heat(answer):
    return {k.removeprefix("heatbath-"): v for k, v in answer.headers.items() if k.startswith("heatbath-")}


TASKS = """
[upstreams.mock]
url = "MOCK"
provider = "openai"
retry_seconds = 0
[upstreams.qwen]
url = "MOCK"
provider = "dashscope"
[routes."gpt-4.1"]
upstream = "mock"
[routes."poet-*"]
upstream = "mock"
model = "gpt-4.1"
[routes."qwen-plus"]
upstream = "qwen"
model = "dashscope"
[routes."cool"]
upstream = "mock"
policy = "fixed(0.2)"
[routes."o3"]
upstream = "mock"
[[tasks]]
name = "poem"
models = ["poet-*"]
policy = "fixed(1.2)"
[[tasks]]
name = "extraction"
policy = "leave out"
[[tasks]]
name = "chat"
"""


@pytest.fixture
def tasks(configured):
    with run_gateway(configured(TASKS)) as running:
        yield running


def test_a_body_passes_untouched(gateway, mock):
    answer = httpx.post(gateway.url + CHAT, content=ODD)
    assert answer.status_code == 200
    assert mock.seen[-1].body == ODD
    assert (
        heat(answer).items() >= {"requested": "0.7", "sent": "0.7", "effective": "0.7", "state": "adjustable"}.items()
    )


def test_only_the_temperature_and_the_name_change(tasks, mock):
    answer = httpx.post(tasks.url + CHAT, content=ODD.replace(b':"m"', b':"poet-1"'))
    assert answer.status_code == 200
    assert mock.seen[-1].body == ODD.replace(b':"m"', b':"gpt-4.1"').replace(b"0.70", b"1.2")
    said = heat(answer)
    assert len(said.pop("inference-id")) == 36
    assert said == {
        "requested": "0.7",
        "sent": "1.2",
        "effective": "1.2",
        "state": "adjustable",
        "policy": "fixed(1.2)",
        "task": "poem",
    }


@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/v1/responses"])
def test_paths_and_queries_pass(gateway, mock, path):
    assert ask(gateway, f"{path}?api-version=2026-01-01&x=%2F").status_code == 200
    assert mock.seen[-1].path == f"{path}?api-version=2026-01-01&x=%2F"


def test_request_headers_pass_but_those_of_the_connection_and_the_client(gateway, mock):
    ask(
        gateway,
        headers={
            "Authorization": "Bearer sk-of-the-client",
            "Cookie": "a=b",
            "X-Api-Key": "k",
            "X-Forwarded-For": "1.2.3.4",
            "OpenAI-Beta": "assistants=v2",
            "Connection": "keep-alive, X-Hop",
            "X-Hop": "1",
            "heatbath-user": "anna",
            "Accept": "application/json",
            "User-Agent": "mine/1",
        },
    )
    seen = mock.seen[-1]
    names = {name.lower() for name, _ in seen.headers}
    assert names == {"host", "accept", "accept-encoding", "user-agent", "openai-beta", "content-type", "content-length"}
    assert seen.header("host") == [f"127.0.0.1:{mock.port}"]
    assert seen.header("openai-beta") == ["assistants=v2"]
    assert seen.header("user-agent") == ["mine/1"]


def test_no_header_is_invented(gateway, mock):
    body = json.dumps({"model": "m"}).encode()
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(
            b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (CHAT.encode(), len(body), body)
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert {n.lower() for n, _ in mock.seen[-1].headers} <= {"host", "content-length", "content-type"}


def test_answer_headers_pass_but_those_of_the_connection_and_the_site(gateway):
    answer = ask(gateway, model="headers")
    assert answer.headers["x-request-id"] == "abc"
    assert not {"set-cookie", "x-secret", "server"} & set(answer.headers)
    assert answer.headers.get_list("heatbath-policy") == ["inherit"], "an upstream cannot speak for the gateway"


def test_the_answer_keeps_its_bytes(gateway):
    plain = ask(gateway, headers={"Accept-Encoding": "identity"}, echo_tool_calls=[{"id": "t", "arguments": '{"a":1}'}])
    assert json.loads(plain.content)["choices"][0]["message"]["tool_calls"][0]["arguments"] == '{"a":1}'
    with httpx.stream("POST", gateway.url + CHAT, json={"model": "m"}, headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
        assert packed.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(raw))["usage"]["total_tokens"] == 7


def test_a_stream_keeps_its_bytes_and_is_read_along(gateway):
    with httpx.stream("POST", gateway.url + CHAT, json={"model": "m", "stream": True, "temperature": 1}) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["heatbath-sent"] == "1"
        assert b"".join(stream.iter_raw()) == b"".join(mocks.STREAM)
    [line] = gateway.lines()
    assert (line["prompt_tokens"], line["completion_tokens"], line["finish"]) == (5, 2, "stop")
    [answer] = gateway.recorder.answers
    assert answer[5:8] == (5, 2, "stop")
    assert 0 < answer.first_seconds <= answer.seconds


def test_chunks_pass_as_they_arrive(gateway, mock):
    with httpx.stream("POST", gateway.url + CHAT, json={"model": "gated", "stream": True}, timeout=30) as stream:
        chunks = stream.iter_raw()
        seen = b""
        while len(seen) < len(mocks.STREAM[0] + mocks.STREAM[1]):
            seen += next(chunks)
        assert seen == mocks.STREAM[0] + mocks.STREAM[1], "before the rest was written"
        mock.gate.set()
        assert seen + b"".join(chunks) == b"".join(mocks.STREAM)


@pytest.mark.parametrize(
    ("fields", "headers", "sent", "policy", "task"),
    [
        ({"model": "poet-7"}, {}, 1.2, "fixed(1.2)", "poem"),
        ({"model": "gpt-4.1", "temperature": 0.1}, {"heatbath-task": "poem"}, 1.2, "fixed(1.2)", "poem"),
        ({"model": "gpt-4.1", "heatbath": {"task": "poem", "user": "anna"}}, {}, 1.2, "fixed(1.2)", "poem"),
        (
            {"model": "poet-1", "heatbath": {"task": "poem"}},
            {"heatbath-task": "extraction"},
            None,
            "leave out",
            "extraction",
        ),
        ({"model": "gpt-4.1", "temperature": 0.1}, {"heatbath-task": "extraction"}, None, "leave out", "extraction"),
        ({"model": "gpt-4.1", "temperature": 0.1}, {"heatbath-task": "chat"}, 0.1, "inherit", "chat"),
        ({"model": "gpt-4.1", "temperature": None}, {}, None, "inherit", None),
        ({"model": "gpt-4.1"}, {}, None, "inherit", None),
        ({"model": "cool", "temperature": 1.9}, {}, 0.2, "fixed(0.2)", None),
        ({"model": "cool", "temperature": 1.9}, {"heatbath-task": "chat"}, 0.2, "fixed(0.2)", "chat"),
        ({"model": "qwen-plus"}, {"heatbath-task": "poem"}, 1.2, "fixed(1.2)", "poem"),
    ],
)
def test_the_policy_of_the_task_decides(tasks, mock, fields, headers, sent, policy, task):
    answer = ask(tasks, headers=headers, **fields)
    assert answer.status_code == 200, answer.text
    assert mock.seen[-1].json.get("temperature") == sent
    assert "heatbath" not in mock.seen[-1].json
    said = heat(answer)
    assert said.get("sent") == (None if sent is None else f"{sent:g}")
    assert (said["policy"], said.get("task")) == (policy, task)
    [decision] = tasks.recorder.decisions
    assert (decision.sent, decision.policy, decision.task) == (sent, policy, task)
    assert decision.requested == fields.get("temperature")
    assert decision.id == said["inference-id"]
    assert decision.prompt is None


@pytest.mark.parametrize(
    ("fields", "headers", "status", "code"),
    [
        ({"model": "none"}, {}, 404, "model_not_found"),
        ({"model": 7}, {}, 400, "invalid_type"),
        ({"model": None}, {}, 400, "missing_field"),
        ({"model": "gpt-4.1", "temperature": 2.5}, {}, 400, "temperature_out_of_range"),
        ({"model": "gpt-4.1", "temperature": -1}, {}, 400, "temperature_out_of_range"),
        ({"model": "qwen-plus", "temperature": 2}, {}, 400, "temperature_out_of_range"),
        ({"model": "gpt-4.1", "temperature": "hot"}, {}, 400, "invalid_type"),
        ({"model": "gpt-4.1"}, {"heatbath-task": "nothing"}, 400, "task_not_found"),
        ({"model": "gpt-4.1", "heatbath": {"tusk": "poem"}}, {}, 400, "unknown_field"),
        ({"model": "gpt-4.1", "heatbath": {"task": 7}}, {}, 400, "invalid_type"),
        ({"model": "gpt-4.1", "heatbath": {"user": "u" * 300}}, {}, 400, "invalid_type"),
    ],
)
def test_what_is_wrong_never_reaches_the_upstream(tasks, mock, fields, headers, status, code):
    answer = ask(tasks, headers=headers, **fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not mock.seen
    if isinstance(fields.get("temperature"), float | int):
        assert answer.headers["heatbath-requested"] == f"{fields['temperature']:g}"
        assert "[0, 2" in answer.json()["error"]["message"]
    assert "None" not in heat(answer).values()


@pytest.mark.parametrize("twice", ["model", "temperature", "stream", "heatbath"])
def test_what_is_read_is_there_once(gateway, mock, twice):
    body = b'{"model": "m", "temperature": 1, "stream": false, "heatbath": {}, "tw": 1}'
    answer = httpx.post(gateway.url + CHAT, content=body.replace(b'"tw"', b'"%s"' % twice.encode()))
    assert answer.json()["error"]["code"] == "duplicate_field"
    assert not mock.seen


@pytest.mark.parametrize("name", [*mocks.REJECTING, "rejecting-gzip"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_rejected_temperature_is_left_out_and_remembered(gateway, mock, name, stream):
    answer = ask(gateway, model=name, temperature=0.7, stream=stream)
    assert answer.status_code == 200
    assert [seen.json.get("temperature") for seen in mock.seen] == [0.7, None]
    assert mock.seen[0].json | {"temperature": None} == mock.seen[1].json | {"temperature": None}
    said = heat(answer)
    assert (said["requested"], said["state"], said.get("sent")) == ("0.7", "rejected", None)
    assert ask(gateway, model=name, temperature=0.5).headers["heatbath-state"] == "rejected"
    assert len(mock.seen) == 3, "the third was sent without it at once"
    assert ask(gateway, model="other", temperature=0.5).headers["heatbath-state"] == "adjustable"
    first, second, *_ = gateway.recorder.decisions
    assert (first.sent, first.state, second.sent, second.state) == (0.7, "adjustable", None, "rejected")
    assert second.id == said["inference-id"] != first.id
    assert [(a.id, a.status, a.error) for a in gateway.recorder.answers[:2]] == [
        (first.id, 400, "temperature_rejected"),
        (second.id, 200, None),
    ]


def test_another_400_goes_to_the_client_as_it_is(gateway, mock):
    answer = ask(gateway, model="dashscope", temperature=5)
    assert answer.status_code == 400
    assert answer.json() == mocks.RANGE
    assert len(mock.seen) == 1
    assert answer.headers["heatbath-sent"] == "5"


def test_a_route_that_is_known_to_reject_is_not_tried(tasks, mock):
    answer = ask(tasks, model="o3", temperature=0.7)
    assert mock.seen[-1].json.get("temperature", "none") == "none"
    assert heat(answer)["state"] == "rejected"
    assert heat(answer)["effective"] == "1"


def test_models_are_those_of_the_routes(tasks):
    listed = httpx.get(tasks.url + "/v1/models").json()["data"]
    assert {each["id"]: each["heatbath"]["temperature"] for each in listed} == {
        "gpt-4.1": "adjustable",
        "poet-*": "adjustable",
        "qwen-plus": "adjustable",
        "cool": "adjustable",
        "o3": "rejected",
    }
    assert httpx.get(tasks.url + "/v1/models/poet-9").json()["heatbath"]["model"] == "gpt-4.1"
    assert httpx.get(tasks.url + "/v1/models/none").status_code == 404


def test_prompts_are_stored_only_when_asked_for(configured, mock):
    with run_gateway(configured("[store]\nprompts = true\n" + TASKS)) as running:
        ask(running, model="gpt-4.1")
        ask(running, model="gpt-4.1", stream=True)
        first = running.recorder.decisions[0]
        assert json.loads(first.prompt)["messages"] == POEM
        assert "Spring" in running.recorder.answers[0].text
        assert "Spring" in running.recorder.answers[1].text


INSIDE = '[upstreams.local]\nembedded = true\nmodel = "toy"\n[routes."*"]\nupstream = "local"\npolicy = "fixed(0)"\n'


def test_the_embedded_model_is_an_upstream(configured):
    with run_gateway(configured(INSIDE)) as running:
        answer = ask(running, "/v1/completions", model="any", prompt="It is", max_tokens=4)
        assert answer.status_code == 200, answer.text
        assert heat(answer).items() >= {"sent": "0", "effective": "0", "policy": "fixed(0)"}.items()
        assert answer.json()["heatbath"]["chain"].startswith("temperature(0")
        streamed = ask(running, "/v1/completions", prompt="It is", max_tokens=4, stream=True)
        assert streamed.text.endswith("data: [DONE]\n\n")
        refused = ask(running, "/v1/completions", prompt=7)
        assert (refused.status_code, "heatbath-policy" in refused.headers) == (400, True)
        assert "<html" in httpx.get(running.url + "/").text, "the studio"
        assert httpx.get(running.url + "/studio/model").json()["name"] == "toy"
        lines = running.lines()
        assert [line["status"] for line in lines] == [200, 200, 400]
        assert lines[0]["completion_tokens"] == 4


def test_many_at_once(gateway, mock):
    answers = []

    def one(number):
        answers.append((number, ask(gateway, temperature=number / 100, stream=number % 2 == 0)))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 40
    for number, answer in answers:
        assert answer.status_code == 200
        assert float(answer.headers["heatbath-sent"]) == number / 100
    assert len({answer.headers["heatbath-inference-id"] for _, answer in answers}) == 40
