"""The clients that people use, unchanged: openai, LangChain, LiteLLM, curl."""

import json
import shutil
import subprocess

import openai
import pytest

from tests.service.gateway.conftest import run_gateway

POETS = """
[upstreams.openai]
url = "MOCK"
provider = "openai"
[upstreams.qwen]
url = "MOCK"
provider = "dashscope"
[routes."chatgpt"]
upstream = "openai"
model = "gpt-4.1"
[routes."chatgpt-mini"]
upstream = "openai"
model = "gpt-5-mini/openai"
[routes."qwen"]
upstream = "qwen"
model = "qwen-plus/dashscope"
[[tasks]]
name = "poem"
policy = "fixed(1.2)"
"""
PROMPTS = ["write a poem about spring", "写一首关于春天的诗"]


@pytest.fixture(scope="module")
def poets(mock_session, tmp_path_factory):
    path = tmp_path_factory.mktemp("gateway") / "heatbath.toml"
    path.write_text(POETS.replace("MOCK", mock_session.url))
    with run_gateway(path) as running:
        yield running


@pytest.fixture
def client(poets):
    with openai.OpenAI(base_url=f"{poets.url}/v1", api_key="none", max_retries=0) as made:
        yield made


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize(("model", "sent", "state"), [("chatgpt", "1.2", "adjustable"), ("qwen", "1.2", "adjustable"),
                                                      ("chatgpt-mini", None, "rejected")])  # fmt: skip
def test_openai(client, mock, model, sent, state, prompt):
    raw = client.chat.completions.with_raw_response.create(
        model=model,
        messages=[{"role": "user", "content": prompt}],
        temperature=0.2,
        extra_headers={"heatbath-task": "poem"},
        extra_body={"heatbath": {"user": "anna"}},
    )
    answer = raw.parse()
    assert answer.choices[0].message.content == "Spring, 春天"
    assert answer.usage.total_tokens == 7
    assert (raw.headers.get("heatbath-sent"), raw.headers["heatbath-state"]) == (sent, state)
    assert mock.seen[-1].json["messages"][0]["content"] == prompt
    assert mock.seen[-1].json.get("temperature") == (float(sent) if sent else None)


def test_openai_streams(client):
    chunks = [*client.chat.completions.create(model="chatgpt", messages=[], stream=True)]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Spring 春"
    assert chunks[-1].usage.total_tokens == 7


def test_openai_sees_errors_as_its_own(client):
    with pytest.raises(openai.BadRequestError, match=r"takes temperatures in \[0, 2\)") as refused:
        client.chat.completions.create(model="qwen", messages=[], temperature=2)
    assert (refused.value.code, refused.value.param) == ("temperature_out_of_range", "temperature")
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="none", messages=[])
    assert {model.id for model in client.models.list()} == {"chatgpt", "chatgpt-mini", "qwen"}


async def astream(url):
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as made:
        return [chunk async for chunk in await made.chat.completions.create(model="qwen", messages=[], stream=True)]


def test_openai_async(poets):
    import asyncio

    assert asyncio.run(astream(poets.url))[-1].usage.total_tokens == 7


def test_langchain(poets, mock):
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(
        model="qwen",
        base_url=f"{poets.url}/v1",
        api_key="none",
        temperature=0.3,
        default_headers={"heatbath-task": "poem"},
    )
    assert model.invoke(PROMPTS[1]).content == "Spring, 春天"
    assert mock.seen[-1].json["temperature"] == 1.2
    assert "".join(chunk.content for chunk in model.stream(PROMPTS[0])) == "Spring 春"


LITELLM = """
import sys, litellm
spring = [{"role": "user", "content": "spring"}]
for model in ("qwen", "chatgpt"):
    answer = litellm.completion(model=f"openai/{model}", api_base=sys.argv[1], api_key="none", temperature=0.3,
                                messages=spring, extra_headers={"heatbath-task": "poem"})
    assert answer.choices[0].message.content == "Spring, \\u6625\\u5929", answer
    stream = litellm.completion(model=f"openai/{model}", api_base=sys.argv[1], api_key="none", stream=True,
                                messages=spring)
    assert "".join(c.choices[0].delta.content or "" for c in stream) == "Spring \\u6625"
"""


def test_litellm(poets, mock):
    import os
    import sys

    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LITELLM, f"{poets.url}/v1"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert [seen.json.get("temperature") for seen in mock.seen] == [1.2, None, 1.2, None]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl(poets):
    body = json.dumps({"model": "qwen", "messages": [{"role": "user", "content": PROMPTS[1]}]})
    command = ["curl", "-sS", "-i", f"{poets.url}/v1/chat/completions", "-H", "heatbath-task: poem", "-d", body]
    head, answer = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\r\n\r\n", 1)
    assert "heatbath-sent: 1.2" in head
    assert json.loads(answer)["temperature_seen"] == 1.2
    streamed = subprocess.run([*command[:-1], body[:-1] + ', "stream": true}'], capture_output=True, check=True).stdout
    assert streamed.rstrip().endswith(b"data: [DONE]")
