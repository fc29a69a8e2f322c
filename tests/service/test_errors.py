"""Every error has one shape, names the field and says what to write instead."""

import json
import re
import socket
import threading

import httpx
import pytest

from heatbath.embedded.toy import ToyModel, ToyTokenizer
from heatbath.service.errors import CODES, TYPES, ApiError, as_api_error

COMPLETIONS, CHAT = "/v1/completions", "/v1/chat/completions"
HELLO = [{"role": "user", "content": "It is"}]


def prompt(**fields):
    return COMPLETIONS, {"prompt": "It is", **fields}


def chat(**fields):
    return CHAT, {"messages": HELLO, **fields}


def message(**fields):
    return chat(messages=[{"role": "user", "content": "It is", **fields}])


BAD = [
    # (path, body), code, param, what the message must say
    ((COMPLETIONS, b""), "invalid_json", None, "the body is empty; send a JSON object"),
    ((COMPLETIONS, b"  \n"), "invalid_json", None, "empty"),
    ((COMPLETIONS, b'{"prompt": "It'), "invalid_json", None, "Unterminated string starting at at line 1, column 12"),
    ((COMPLETIONS, b'{\n "prompt": "It is",\n "n": two}'), "invalid_json", None, "line 3, column 7"),
    ((COMPLETIONS, b'{"prompt": "\xff"}'), "invalid_json", None, "not UTF-8: byte 12 is 0xff; send JSON as UTF-8"),
    ((COMPLETIONS, b"\xff\xfe{\x00}\x00"), "invalid_json", None, "not UTF-8: byte 0 is 0xff"),
    ((COMPLETIONS, b'{"prompt": "", "temperature": NaN}'), "invalid_json", None, "JSON has no NaN"),
    ((COMPLETIONS, b'{"prompt": "", "temperature": Infinity}'), "invalid_json", None, '"heatbath": "temperature(inf)"'),
    ((COMPLETIONS, b'{"prompt": "", "temperature": -Infinity}'), "invalid_json", None, "JSON has no -Infinity"),
    ((COMPLETIONS, b'{"prompt": "", "temperature": 1e999}'), "invalid_value", None, '"heatbath": "temperature(inf)"'),
    ((COMPLETIONS, b'{"prompt": ' + b"[" * 50_000), "invalid_json", None, "nested too deeply"),
    ((COMPLETIONS, b"[]"), "invalid_type", None, "not an object"),
    ((COMPLETIONS, b"{}"), "missing_field", "prompt", "missing"),
    ((CHAT, b"{}"), "missing_field", "messages", "missing"),
    (prompt(temperature="hot"), "invalid_type", "temperature", "expected a number, got a text"),
    (prompt(temperature=True), "invalid_type", "temperature", "expected a number, got true or false"),
    (prompt(temperature=-0.1), "invalid_value", "temperature", "temperature must be >= 0 (temperature=-0.1); write"),
    (prompt(temperature=-0.0001), "invalid_value", "temperature", ">= 0"),
    (prompt(top_p=0), "invalid_value", "top_p", "(0, 1]"),
    (prompt(top_p=1.01), "invalid_value", "top_p", "(0, 1]"),
    (prompt(min_p=-0.1), "invalid_value", "min_p", "[0, 1]"),
    (prompt(min_p=1.5), "invalid_value", "min_p", "[0, 1]"),
    (prompt(top_k=-2), "invalid_value", "top_k", "top_k=-2"),
    (prompt(top_k=1.5), "invalid_type", "top_k", "expected a whole number"),
    (prompt(seed=2**64), "invalid_value", "seed", "out of range"),
    (prompt(seed=10**400), "invalid_value", "seed", "out of range"),
    (prompt(seed="7"), "invalid_type", "seed", "expected a whole number"),
    (prompt(n=0), "invalid_value", "n", "[1, 128]"),
    (prompt(n=129), "invalid_value", "n", "[1, 128]"),
    (prompt(prompt=["a"] * 65, n=2), "invalid_value", "n", "65 prompts with n=2"),
    (prompt(max_tokens=-1), "invalid_value", "max_tokens", "must be >= 0 (max_tokens=-1)"),
    (chat(max_tokens=0), "invalid_value", "max_tokens", "max_tokens=0"),
    (chat(max_completion_tokens=0), "invalid_value", "max_completion_tokens", "=0"),
    (chat(max_tokens=4, max_completion_tokens=5), "invalid_value", "max_tokens", "contradicts max_completion_tokens"),
    (prompt(stop=""), "invalid_value", "stop", "empty"),
    (prompt(stop=["a", "b", "c", "d", "e"]), "invalid_value", "stop", "5 texts, and 4 is the most"),
    (prompt(stop="x" * 257), "invalid_value", "stop", "257 characters, and 256 is the most"),
    (prompt(stop=[1]), "invalid_type", "stop[0]", "expected a text, got a whole number"),
    (prompt(stream="yes"), "invalid_type", "stream", "expected true or false"),
    (prompt(stream_options={"include_usage": True}), "invalid_value", "stream_options", "needs stream"),
    (prompt(stream=True, stream_options={"usage": True}), "unknown_field", "stream_options.usage", "include_usage"),
    (prompt(logprobs=21), "invalid_value", "logprobs", "[0, 20]"),
    (prompt(logprobs=-1), "invalid_value", "logprobs", "[0, 20]"),
    (prompt(logprobs=True), "invalid_type", "logprobs", "expected a whole number"),
    (chat(logprobs=1), "invalid_type", "logprobs", "expected true or false"),
    (chat(top_logprobs=2), "invalid_value", "top_logprobs", "needs logprobs"),
    (chat(logprobs=True, top_logprobs=21), "invalid_value", "top_logprobs", "[0, 20]"),
    (prompt(prompt=5), "invalid_type", "prompt", "expected a text or a list"),
    (prompt(prompt=None), "invalid_type", "prompt", "got null"),
    (prompt(prompt=[]), "invalid_value", "prompt", "the list is empty"),
    (prompt(prompt=[[]]), "invalid_value", "prompt", 'the list is empty; write ""'),
    (prompt(prompt=[[1], []]), "invalid_value", "prompt", "the list is empty"),
    (prompt(prompt=["a"] * 129), "invalid_value", "prompt", "there are 129 prompts, and 128 is the most"),
    (prompt(prompt=["a", 5]), "invalid_value", "prompt", "mixed"),
    (prompt(prompt=[5, "a"]), "invalid_value", "prompt", "mixed"),
    (prompt(prompt=[5, [5]]), "invalid_value", "prompt", "mixed"),
    (prompt(prompt=[300]), "invalid_value", "prompt", "no token 300; the model has tokens 0 to 260"),
    (prompt(prompt=[[-1]]), "invalid_value", "prompt", "no token -1"),
    (prompt(prompt=[2**63]), "invalid_value", "prompt", "no token"),
    (prompt(prompt="a" * 256), "context_length_exceeded", "prompt", "256 tokens and the model's context 256"),
    (prompt(prompt="a" * 100_000), "context_length_exceeded", "prompt", "100000 bytes, and 256 tokens hold"),
    (prompt(prompt=["a", "b" * 1281]), "context_length_exceeded", "prompt", "1281 bytes"),
    (prompt(prompt=[1] * 300), "context_length_exceeded", "prompt", "shorten the prompt to 255 tokens"),
    (prompt(prompt=["a" * 2000] * 200), "invalid_value", "prompt", "200 prompts"),
    (chat(messages=[]), "invalid_value", "messages", "no messages"),
    (chat(messages="It is"), "invalid_type", "messages", "expected a list"),
    (chat(messages=["It is"]), "invalid_type", "messages[0]", "expected an object, got a text"),
    (chat(messages=[{"role": "user"}]), "missing_field", "messages[0].content", "missing"),
    (chat(messages=[*HELLO, {"content": "a"}]), "missing_field", "messages[1].role", "missing"),
    (message(role="robot"), "invalid_value", "messages[0].role", "system, developer, user, assistant"),
    (message(role="tool", tool_call_id="1"), "unsupported_field", "messages[0].role", "calls no tools"),
    (message(role="function", name="f"), "unsupported_field", "messages[0].role", "calls no tools"),
    (message(role=["tool"]), "invalid_type", "messages[0].role", "expected"),
    (message(content=None), "invalid_type", "messages[0].content", "got null"),
    (message(contents="a"), "unknown_field", "messages[0].contents", "did you mean content?"),
    (message(content=[{"type": "image_url"}]), "unsupported_field", "messages[0].content[0]", "image_url"),
    (message(content=[{"type": 5}]), "unsupported_field", "messages[0].content[0]", "5"),
    (message(content=[{"type": "text"}]), "missing_field", "messages[0].content[0].text", "missing"),
    (message(content=[{"text": "a"}]), "missing_field", "messages[0].content[0].type", "missing"),
    (message(content=[{"type": "text", "text": "a", "x": 1}]), "unknown_field", "messages[0].content[0].x", "no such"),
    (message(content="a" * 300), "context_length_exceeded", "messages", "300 tokens"),
    (message(content="a" * 2000), "context_length_exceeded", "messages", "2000 bytes"),
    (prompt(temprature=1), "unknown_field", "temprature", "did you mean temperature?"),
    (prompt(zzz=1), "unknown_field", "zzz", "known are"),
    (prompt(messages=HELLO), "unknown_field", "messages", "no such field"),
    (chat(prompt="a"), "unknown_field", "prompt", "no such field"),
    (chat(echo=True), "unknown_field", "echo", "no such field"),
    (prompt(heatbath=1), "invalid_type", "heatbath", "expected a text"),
    (prompt(heatbath=""), "invalid_value", "heatbath", "character 0"),
    (prompt(heatbath="temperature(0.7) -> topp(0.9)"), "invalid_value", "heatbath", "did you mean top_p?"),
    (prompt(heatbath="temperature(-1)"), "invalid_value", "heatbath", "at character"),
    (prompt(heatbath="top_k([1, 2])"), "invalid_value", "heatbath", "one number"),
    (prompt(heatbath="top_k(5)", temperature=1), "invalid_value", "temperature", "already decides temperature"),
    (prompt(heatbath="top_k(5)", top_p=0.5), "invalid_value", "top_p", "heatbath='top_k(5)'"),
    (prompt(heatbath="hold_entropy(1)", temperature=1), "invalid_value", "temperature", "already decides"),
    (prompt(model="gpt-4o"), "model_not_found", "model", "'gpt-4o'; this service serves 'toy'"),
    (chat(tools=[{"type": "function"}]), "unsupported_field", "tools", "calls no tools"),
    (chat(tool_choice="required"), "unsupported_field", "tool_choice", "calls no tools"),
    (chat(functions=[{"name": "f"}]), "unsupported_field", "functions", "calls no tools"),
    (chat(response_format={"type": "json_object"}), "unsupported_field", "response_format", "plain text"),
    (chat(frequency_penalty=2.5), "invalid_value", "frequency_penalty", "in [-2, 2]"),
    (chat(frequency_penalty=False), "invalid_type", "frequency_penalty", "expected a number"),
    (prompt(top_k=-3), "invalid_value", "top_k", "; leave top_k out or write 0 or -1 to switch it off"),
    (chat(presence_penalty=-3), "invalid_value", "presence_penalty", "leave presence_penalty out or write 0 to"),
    (chat(repetition_penalty=0), "invalid_value", "repetition_penalty", "> 0"),
    (chat(presence_penalty=1, heatbath="min_p(0.1)"), "invalid_value", "presence_penalty", "already decides"),
    (chat(logit_bias={"5": 101}), "invalid_value", "logit_bias", "101 is not in [-100, 100]"),
    (chat(logit_bias={"": 1}), "invalid_value", "logit_bias", "'' is no token"),
    (chat(logit_bias={"05": 1}), "invalid_value", "logit_bias", "'05' is no token"),
    (chat(logit_bias={"9" * 5000: 1}), "invalid_value", "logit_bias", "is no token"),
    (chat(logit_bias={"-1": 1}), "invalid_value", "logit_bias", 'write for example {"50": -100}'),
    (chat(logit_bias={"5": "1"}), "invalid_type", "logit_bias", "expected a number"),
    (chat(logit_bias=[5]), "invalid_type", "logit_bias", "expected an object"),
    (chat(heatbath="by_rule([['string', 1.0]], 0.7)"), "invalid_value", "heatbath", "the text so far is all"),
    (chat(store=True), "unsupported_field", "store", "leave it out or send false"),
    (chat(service_tier="flex"), "unsupported_field", "service_tier", "one tier"),
    (chat(modalities=["text", "audio"]), "unsupported_field", "modalities", "plain text"),
    (chat(web_search_options={}), "unsupported_field", "web_search_options", "leave it out"),
    (prompt(suffix="end"), "unsupported_field", "suffix", "given end"),
    (prompt(best_of=3), "unsupported_field", "best_of", "with n"),
]  # fmt: skip


def check_shape(answer: httpx.Response, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == TYPES[status]
    assert error["code"] in CODES
    assert error["message"]
    assert "Traceback" not in answer.text
    return error


@pytest.mark.parametrize(
    ("request_", "code", "param", "says"), BAD, ids=[f"{b[1]}-{b[2]}-{i}" for i, b in enumerate(BAD)]
)
def test_bad_requests(server, request_, code, param, says):
    path, body = request_
    content = body if isinstance(body, bytes) else json.dumps(body)
    answer = httpx.post(server.url + path, content=content)
    error = check_shape(answer, 404 if code == "model_not_found" else 400)
    assert (error["code"], error["param"]) == (code, param), error
    assert says in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/nothing", 404, "not_found"),
        ("GET", "/v1/", 404, "not_found"),
        ("GET", "/v1/models/", 404, "model_not_found"),
        ("GET", "/healthz/", 404, "not_found"),
        ("POST", "/v1/completions/", 404, "not_found"),
        ("GET", "/v1/models/gpt-4o", 404, "model_not_found"),
        ("GET", "/v1/completions", 405, "method_not_allowed"),
        ("DELETE", "/v1/chat/completions", 405, "method_not_allowed"),
        ("POST", "/v1/models", 405, "method_not_allowed"),
        ("PUT", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_wrong_paths_and_methods(server, method, path, status, code):
    answer = httpx.request(method, server.url + path)
    error = check_shape(answer, status)
    assert error["code"] == code
    if status == 405:
        assert set(re.split(", *", answer.headers["allow"])) <= {"GET", "HEAD", "POST"}


def test_a_body_that_is_announced_as_huge_is_not_waited_for(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
        connection.settimeout(20)
        assert b"body_too_large" in connection.recv(65536)


@pytest.mark.parametrize("path", [COMPLETIONS, CHAT, "/studio/next"])
def test_a_body_that_never_comes_is_not_waited_for(running, path):
    with (
        running(ToyModel(), body_seconds=0.05) as server,
        socket.create_connection(("127.0.0.1", server.port)) as connection,
    ):
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{{".encode())
        connection.settimeout(20)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))  # to the end: the connection is closed
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    error = json.loads(body)["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "body_timeout")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (COMPLETIONS, {"prompt": "a" * 2000}),
        (COMPLETIONS, {"prompt": ["a", "a" * 2000]}),
        (CHAT, {"messages": [{"role": "user", "content": "a" * 1000}] * 2}),
        ("/studio/next", {"prompt": "雪" * 500}),
    ],
)
def test_a_text_that_no_context_holds_is_not_even_read_into_tokens(running, path, body):
    class Counting(ToyTokenizer):
        longest_read = 0

        def encode(self, text):
            self.longest_read = max(self.longest_read, len(text.encode()))
            return super().encode(text)

    model = ToyModel()
    model.tokenizer = Counting()
    with running(model) as server:
        error = check_shape(httpx.post(server.url + path, json=body), 400)
    assert error["code"] == "context_length_exceeded"
    assert error["param"] in body
    assert model.tokenizer.longest_read <= 1


def test_what_nobody_foresaw_is_logged_and_not_told(caplog):
    error = as_api_error(ZeroDivisionError("secret"))
    assert (error.status, error.code) == (500, "internal_error")
    label = re.search(r"error ([0-9a-f]{12})", error.message)[1]
    assert "secret" not in error.message
    assert label in caplog.text
    assert "secret" in caplog.text


def test_every_status_has_a_type_and_every_code_is_explained():
    for code in CODES:
        assert ApiError("why", code=code).body()["error"]["code"] == code
        assert CODES[code].endswith(".")


def test_a_model_that_fails(running):
    class Broken(ToyModel):
        def start(self, prompts):
            raise RuntimeError("secret")

    with running(Broken()) as server:
        for body in ({"prompt": ""}, {"prompt": "", "stream": True}):
            error = check_shape(httpx.post(f"{server.url}{COMPLETIONS}", json=body), 500)
            assert "secret" not in error["message"]
        assert httpx.get(f"{server.url}/healthz").json()["running"] == 0


def test_a_model_that_fails_in_the_middle_of_a_stream(running):
    class Failing(ToyModel):
        def step(self, cache, tokens):
            if cache.lengths[0] >= 3:
                raise RuntimeError("secret")
            return super().step(cache, tokens)

    with running(Failing(stop=0)) as server:
        answer = httpx.post(f"{server.url}{COMPLETIONS}", json={"prompt": "", "stream": True, "max_tokens": 20})
        assert answer.status_code == 200
        events = [event.removeprefix("data: ") for event in answer.text.split("\n\n") if event]
        assert json.loads(events[-2])["choices"][0]["text"]
        error = json.loads(events[-1])["error"]
        assert (error["type"], error["code"]) == ("server_error", "internal_error")
        assert "secret" not in answer.text


def test_more_than_may_wait(running):
    class Held(ToyModel):
        gate = threading.Event()

        def step(self, cache, tokens):
            self.gate.wait(30)
            return super().step(cache, tokens)

    model = Held(stop=0)
    with running(model, max_rows=1, max_waiting=2) as server:
        url = f"{server.url}{COMPLETIONS}"
        first = threading.Thread(target=httpx.post, args=(url,), kwargs={"json": {"prompt": "", "n": 3}})
        first.start()
        while server.engine.waiting < 2:
            pass
        answer = httpx.post(url, json={"prompt": ""})
        error = check_shape(answer, 429)
        assert error["code"] == "rate_limit_exceeded"
        assert answer.headers["retry-after"] == "1"
        model.gate.set()
        first.join()
