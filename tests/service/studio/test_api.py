import asyncio
import base64
import json

import httpx
import numpy as np
import pytest

import heatbath as hb
from heatbath.control import Profile
from heatbath.service.studio.api import EXAMPLE_PROMPTS
from tests.service.studio.words import WordsModel, WordsTokenizer

PROMPT = "Once kalo misu"
CHAINS = {"a": "temperature(0.5) -> top_k(20)", "b": "top_p(0.9) -> temperature(1.3)"}


@pytest.fixture(scope="module")
def web(studio):
    with httpx.Client(base_url=studio.url, timeout=30) as client:
        yield client


def following(web, **body):
    answer = web.post("/studio/next", json=body)
    assert answer.status_code == 200
    data = answer.json()
    return data, np.frombuffer(base64.b64decode(data["scores"]), "<f4")


def generated(web, **body):
    body = {
        "tokens": [],
        "lanes": [{"name": n, "chain": c} for n, c in CHAINS.items()],
        "seed": 7,
        "max_tokens": 9,
        **body,
    }
    answer = web.post("/studio/generate", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(block.removeprefix("data: ")) for block in answer.text.split("\n\n") if block]
    return {lane: [event for event in events if event.get("lane") == lane] for lane in CHAINS}


def test_the_model_and_its_profile(web, words):
    data = web.get("/studio/model").json()
    assert (data["name"], data["vocabulary"], data["context"]) == ("words", words.vocabulary, words.context)
    profile = Profile.from_json(json.dumps(data["profile"]))
    assert profile.effect(float("inf")).entropy > profile.effect(1.0).entropy


def test_prompts_to_try_come_from_the_model_or_suit_any(running, toy, words):
    class Unknown(WordsModel):
        example_prompts = ()

    for model, expected in [(toy, toy.example_prompts), (words, words.example_prompts), (Unknown(), EXAMPLE_PROMPTS)]:
        with running(model) as server:
            assert tuple(httpx.get(f"{server.url}/studio/model").json()["example_prompts"]) == expected
    assert not any("once" in prompt.lower() for prompt in EXAMPLE_PROMPTS)


def test_the_scores_are_the_models_own(web, words):
    tokens = words.tokenizer.encode(PROMPT)
    data, scores = following(web, prompt=PROMPT)
    expected, _ = words.start([tokens])
    np.testing.assert_array_equal(scores, expected[0])
    np.testing.assert_array_equal(following(web, tokens=tokens)[1], scores)
    assert following(web, prompt="")[0]["prompt"] == []
    best = set(np.argsort(-scores)[:100].tolist())
    assert best <= {token["id"] for token in data["named"]}
    assert next(t for t in data["named"] if t["bytes"] == b" kalo".hex())["text"] == " kalo"


def test_the_prompt_comes_back_with_its_surprisals(web, words):
    tokens = words.tokenizer.encode(PROMPT)
    prompt = following(web, prompt=PROMPT)[0]["prompt"]
    assert [token["id"] for token in prompt] == tokens
    assert "".join(token["text"] for token in prompt) == PROMPT
    assert prompt[0]["before"] is None  # the model gives a letter no chance at the beginning of a text
    scores, _ = words.start([tokens[:-1]])
    np.testing.assert_allclose(prompt[-1]["before"], -hb.log_softmax(scores[0].astype(float))[tokens[-1]], rtol=1e-9)


def test_tokens_are_spelled(web):
    named = web.post("/studio/tokens", json={"tokens": [0, 1 + 0xE9, 1 + ord("a")]}).json()["named"]
    assert named == [
        {"id": 0, "text": "", "bytes": "", "end": True},
        {"id": 0xEA, "text": None, "bytes": "e9", "end": False},
        {"id": 98, "text": "a", "bytes": "61", "end": False},
    ]


def test_the_lanes_are_what_the_samplers_draw(web, words):
    tokens = words.tokenizer.encode(PROMPT)
    lanes = generated(web, tokens=tokens)
    for name, text in CHAINS.items():
        sampler, context = hb.parse(text), list(tokens)
        state = sampler.init()
        *events, last = lanes[name]
        assert last == {"lane": name, "ended": "length"}
        assert len(events) == 9
        for event in events:
            scores = words.start([context])[0][0]
            token, state, reading = sampler.step(state, scores, seed=7, reading=True)
            assert event["id"] == token
            np.testing.assert_allclose(
                [event["before"], event["after"]], [reading.surprisal, reading.surprisal_after], rtol=1e-5
            )
            np.testing.assert_allclose(event["p"], np.exp(-event["before"]), rtol=1e-9)
            np.testing.assert_allclose(event["q"], np.exp(-event["after"]), rtol=1e-9)
            assert event["rank"] == 1 + (scores > scores[token]).sum()
            probabilities = hb.softmax(scores.astype(float))
            for other in event["others"]:
                np.testing.assert_allclose(other["p"], probabilities[other["id"]], rtol=1e-5)
            assert event["others"][0]["rank"] == 1
            context.append(int(token))


def test_the_context_can_end_a_lane(web, words):
    lanes = generated(web, tokens=[300] * (words.context - 3))
    assert [len(events) for events in lanes.values()] == [4, 4]
    assert lanes["a"][-1]["ended"] == "context"


ASKED = {"tokens": [300], "lanes": [{"name": "a", "chain": "temperature(1)"}], "seed": 7, "max_tokens": 5}


def lane(**fields):
    return {**ASKED, "lanes": [{**ASKED["lanes"][0], **fields}]}


MISTAKES = [
    ("/studio/next", {}, "invalid_value", "prompt", "prompt or tokens"),
    ("/studio/next", {"prompt": "a", "tokens": [1]}, "invalid_value", "prompt", "prompt or tokens"),
    ("/studio/next", {"prompt": 3}, "invalid_type", "prompt", "expected a text, got a whole number"),
    ("/studio/next", {"promt": "a"}, "unknown_field", "promt", "did you mean prompt?"),
    ("/studio/next", {"tokens": [99999]}, "invalid_value", "tokens", "no token 99999"),
    ("/studio/next", {"tokens": [-1]}, "invalid_value", "tokens[0]", "a whole number must be >= 0"),
    ("/studio/next", {"prompt": "a" * 128}, "context_length_exceeded", "prompt", "shorten the prompt to 127 tokens"),
    ("/studio/next", {"prompt": "a" * 200}, "context_length_exceeded", "prompt", "shorten the prompt to 127 tokens"),
    ("/studio/next", {"tokens": [300] * 129}, "context_length_exceeded", "tokens", "to 128 tokens"),
    ("/studio/tokens", {"tokens": [99999]}, "invalid_value", "tokens", "no token 99999"),
    ("/studio/generate", {**ASKED, "lanes": []}, "invalid_value", "lanes", "a list must be of length >= 1"),
    ("/studio/generate", {**ASKED, "lanes": ASKED["lanes"] * 4}, "invalid_value", "lanes", "of length <= 3"),
    ("/studio/generate", lane(name="a" * 41), "invalid_value", "lanes[0].name", "a text must be of length <= 40"),
    ("/studio/generate", lane(nam="a"), "unknown_field", "lanes[0].nam", "no such field"),
    ("/studio/generate", lane(chain="temprature(1)"), "invalid_value", "lanes", "temprature"),
    ("/studio/generate", lane(chain="hold_entropy(1.0)"), "invalid_value", "lanes", "write temperature(hold"),
    ("/studio/generate", lane(chain="temperature([1, 2])"), "invalid_value", "lanes", "of lane 'a'"),
    ("/studio/generate", {**ASKED, "seed": -1}, "invalid_value", "seed", ">= 0"),
    ("/studio/generate", {**ASKED, "seed": 2**70}, "invalid_value", "seed", "out of range"),
    ("/studio/generate", {**ASKED, "max_tokens": 0}, "invalid_value", "max_tokens", ">= 1"),
    ("/studio/generate", {**ASKED, "tokens": [300] * 128}, "context_length_exceeded", "tokens", "to 127 tokens"),
]


@pytest.mark.parametrize(("path", "body", "code", "param", "said"), MISTAKES)
def test_mistakes_are_told(web, path, body, code, param, said):
    answer = web.post(path, json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert (error["code"], error["param"]) == (code, param), error
    assert said in error["message"]
    assert "`" not in error["message"]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"prompt": NaN}'])
def test_what_is_no_request_is_told(web, body):
    answer = web.post("/studio/next", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("invalid_json", "invalid_type")


def test_a_prompt_is_read_into_tokens_where_nobody_waits_for_it(running):
    class Watching(WordsTokenizer):
        def encode(self, text):
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            return super().encode(text)

    model = WordsModel()
    model.tokenizer = Watching()
    with running(model) as server:
        answer = httpx.post(f"{server.url}/studio/next", json={"prompt": PROMPT})
    assert answer.status_code == 200, answer.text


def test_tokens_may_fill_the_context(web, words):
    _, scores = following(web, tokens=[300] * words.context)
    np.testing.assert_array_equal(scores, words.start([[300] * words.context])[0][0])


def test_who_leaves_costs_nothing_more(web, studio, eventually):
    body = {**ASKED, "max_tokens": 120}
    with web.stream("POST", "/studio/generate", json=body) as answer:
        next(answer.iter_bytes())
    eventually(lambda: studio.engine.running == 0 and studio.engine.waiting == 0)


def test_answers_carry_the_same_policy(web):
    assert "content-security-policy" in web.get("/studio/model").headers
    assert web.get("/studio/model").headers["cache-control"] == "no-store"
