"""The interface as the official client sees it."""

import asyncio
import json
import math

import openai
import pytest
from openai import AsyncOpenAI

from heatbath import parse
from heatbath.embedded.toy import ToyModel

HELLO = [{"role": "user", "content": "It is"}]


@pytest.fixture(scope="module")
def client(server):
    with server.client() as client:
        yield client


def logprob(toy: ToyModel, text: str, option: str) -> float:
    weights = toy.weights(toy.tokenizer.encode(text))
    (token,) = toy.tokenizer.encode(option)
    return math.log(weights[token] / sum(weights.values()))


def by_hand(toy, text, chain, seed, count):
    """What the sampler draws, without any service."""
    sampler, tokens = parse(chain), toy.tokenizer.encode(text)
    state, written = sampler.init(tokens), []
    for _ in range(count):
        context = {"text": toy.tokenizer.decode(tokens + written)}
        choice, state, _ = sampler.step(state, toy.start([tokens + written])[0][0], seed=seed, context=context)
        if int(choice) in toy.stop_tokens:
            break
        written.append(int(choice))
    return toy.tokenizer.decode(written)


def test_a_completion(client, toy):
    answer = client.completions.create(model="toy", prompt="It is", max_tokens=12, seed=7, temperature=0.8)
    (choice,) = answer.choices
    assert choice.text == by_hand(toy, "It is", "temperature(0.8)", 7, 12)
    assert (answer.object, answer.model, choice.index, choice.logprobs) == ("text_completion", "toy", 0, None)
    assert answer.usage.prompt_tokens == 5
    assert answer.usage.total_tokens == 5 + answer.usage.completion_tokens
    assert answer.model_extra["heatbath"] == {
        "chain": "temperature(0.8) -> categorical()",
        "seed": 7,
        "ends": [answer.choices[0].finish_reason],
    }
    assert answer.system_fingerprint.startswith("heatbath-")


@pytest.mark.parametrize(
    "chain",
    [
        "repetition(1.5) -> temperature(0.8)",
        "frequency(0.7) -> presence(0.4) -> categorical()",
        "no_repeat_ngram(2) -> temperature(1.2)",
        "logit_bias([[258, -100.0], [260, 5.0]]) -> temperature(0.8)",
        "xtc(0.1, 0.5) -> temperature(0.8)",
        "mirostat_v2(1.5)",
        "temperature(by_text([['after: ', 3.0]], 0.2))",
        "temperature(loop_guard(by_text([['sentence_start', 2.0]], 0.5), window=6, length=2))",
    ],
)
def test_chains_that_look_back_draw_or_learn(client, toy, chain):
    answer = client.completions.create(
        model="toy", prompt="It is", max_tokens=20, seed=7, n=3, extra_body={"heatbath": chain}
    )
    for choice in answer.choices:
        assert choice.text == by_hand(toy, "It is", chain, 7 + choice.index, 20)


@pytest.mark.parametrize(
    ("fields", "chain"),
    [
        ({"frequency_penalty": 1.7}, "penalties(frequency=1.7) -> temperature(1.0)"),
        ({"presence_penalty": -1.5, "temperature": 0.5}, "penalties(presence=-1.5) -> temperature(0.5)"),
        ({"extra_body": {"repetition_penalty": 2.5, "top_k": 9}}, "penalties(2.5) -> temperature(1.0) -> top_k(9)"),
        ({"logit_bias": {"258": -100, "257": 2}}, "logit_bias([[257, 2.0], [258, -100.0]]) -> temperature(1.0)"),
        (
            {"logit_bias": {"260": 5}, "extra_body": {"heatbath": "min_p(0.1) -> temperature(2.0)"}},
            "logit_bias([[260, 5.0]]) -> min_p(0.1) -> temperature(2.0)",
        ),
    ],
)
def test_penalties_and_biases_as_fields(client, toy, fields, chain):
    asked = {"model": "toy", "prompt": "It is", "max_tokens": 20, "seed": 7, "n": 8}
    answer = client.completions.create(**asked, **fields)
    assert answer.heatbath["chain"] == repr(parse(chain))
    texts = [choice.text for choice in answer.choices]
    assert texts == [by_hand(toy, "It is", chain, 7 + index, 20) for index in range(8)]
    without = chain.partition(" -> ")[2]
    assert texts != [by_hand(toy, "It is", without, 7 + index, 20) for index in range(8)]


def test_a_chat(client, toy):
    answer = client.chat.completions.create(model="toy", messages=HELLO, max_tokens=5, seed=3)
    (choice,) = answer.choices
    assert (answer.object, choice.message.role, choice.message.refusal) == ("chat.completion", "assistant", None)
    assert choice.message.content == by_hand(toy, "It is", "temperature(1.0)", 3, 5)
    again = client.chat.completions.create(model="toy", messages=HELLO, max_completion_tokens=5, seed=3)
    assert again.choices == answer.choices


def test_each_message_is_a_line_of_the_prompt(client, toy):
    messages = [
        {"role": "system", "content": "Sky:"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": " fog"}]},
        {"role": "assistant", "content": " rain"},
    ]
    answer = client.chat.completions.create(model="toy", messages=messages, max_tokens=6, seed=4)
    assert answer.choices[0].message.content == by_hand(toy, "Sky:\na fog\n rain", "temperature(1.0)", 4, 6)
    assert answer.usage.prompt_tokens == len(toy.tokenizer.encode("Sky:\na fog\n rain"))


def test_a_chat_ends_by_itself_and_a_completion_after_16_tokens(client):
    long = client.completions.create(model="toy", prompt="", n=50, seed=1)
    assert long.usage.completion_tokens <= 16 * 50
    assert "length" in {choice.finish_reason for choice in long.choices}
    chat = client.chat.completions.create(model="toy", messages=HELLO, n=20, seed=1)
    assert {choice.finish_reason for choice in chat.choices} == {"stop"}
    assert chat.usage.completion_tokens > 16 * 20


@pytest.mark.parametrize("logprobs", [None, 3])
def test_a_stream_is_the_same_answer_in_pieces(client, logprobs):
    asked = {"model": "toy", "prompt": ["It is", " rain雪"], "n": 3, "max_tokens": 30, "seed": 7, "logprobs": logprobs}
    whole = client.completions.create(**asked, stop=[" sun sun", "雪雪"])
    chunks = list(client.completions.create(**asked, stop=[" sun sun", "雪雪"], stream=True))
    for choice in whole.choices:
        pieces = [chunk.choices[0] for chunk in chunks if chunk.choices[0].index == choice.index]
        assert "".join(piece.text for piece in pieces) == choice.text
        assert [piece.finish_reason for piece in pieces] == [None] * (len(pieces) - 1) + [choice.finish_reason]
        if logprobs:
            for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset"):
                joined = [one for piece in pieces if piece.logprobs for one in getattr(piece.logprobs, name)]
                assert joined == getattr(choice.logprobs, name)
    assert all(chunk.usage is None for chunk in chunks)
    used = whole.model_extra["heatbath"]
    told = [(chunk.choices[0], chunk.model_extra["heatbath"]) for chunk in chunks if chunk.model_extra]
    assert told[0][1] == {"chain": used["chain"], "seed": used["seed"]}
    ends = {choice.index: ended for choice, ended in told[1:]}
    assert [ends[choice.index] for choice in whole.choices] == [{"ends": [end]} for end in used["ends"]]
    assert len(told) == 1 + len(whole.choices)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("max_tokens", [3, 100_000, None])
@pytest.mark.parametrize("chat", [False, True])
def test_an_answer_tells_a_reached_limit_from_a_full_context(running, chat, max_tokens, stream):
    with running(ToyModel(stop=0, context=40)) as server, server.client() as client:
        asked = {"model": "toy", "max_tokens": max_tokens or openai.omit, "n": 2, "stream": stream}
        if chat:
            answer = client.chat.completions.create(messages=[{"role": "user", "content": ""}], **asked)
        else:
            answer = client.completions.create(prompt="", **asked)
        parts = list(answer) if stream else [answer]
    closed = [part for part in parts if any(choice.finish_reason for choice in part.choices)]
    end = "length" if max_tokens == 3 or (max_tokens is None and not chat) else "context"
    assert [one for part in closed for one in part.model_extra["heatbath"]["ends"]] == [end, end]
    assert {choice.finish_reason for part in closed for choice in part.choices} == {"length"}


def test_the_first_chunk_may_be_the_last(client):
    (chunk,) = client.completions.create(model="toy", prompt="", max_tokens=0, seed=7, stream=True)
    assert chunk.model_extra["heatbath"] == {
        "chain": "temperature(1.0) -> categorical()",
        "seed": 7,
        "ends": ["length"],
    }


def test_a_chat_stream(client):
    asked = {
        "model": "toy",
        "messages": HELLO,
        "n": 2,
        "max_tokens": 20,
        "seed": 5,
        "logprobs": True,
        "top_logprobs": 2,
    }
    whole = client.chat.completions.create(**asked)
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    *texts, last = chunks
    assert (last.choices, last.usage) == ([], whole.usage)
    for choice in whole.choices:
        pieces = [chunk.choices[0] for chunk in texts if chunk.choices[0].index == choice.index]
        assert [piece.delta.role for piece in pieces] == ["assistant"] + [None] * (len(pieces) - 1)
        assert "".join(piece.delta.content or "" for piece in pieces) == choice.message.content
        assert pieces[-1].finish_reason == choice.finish_reason
        logprobs = [one for piece in pieces if piece.logprobs for one in piece.logprobs.content]
        assert logprobs == choice.logprobs.content
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_asynchronous_client(server):
    async def main():
        async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
            asked = {"model": "toy", "messages": HELLO, "max_tokens": 9}

            async def streamed(seed):
                chunks = await client.chat.completions.create(**asked, seed=seed, stream=True)
                return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

            async def whole(seed):
                return (await client.chat.completions.create(**asked, seed=seed)).choices[0].message.content

            seeds = range(8)
            return (
                await asyncio.gather(*map(streamed, seeds)),
                await asyncio.gather(*map(whole, seeds)),
                [model.id async for model in client.models.list()],
            )

    streamed, whole, models = asyncio.run(main())
    assert streamed == whole
    assert len(set(whole)) > 4
    assert models == ["toy"]


@pytest.mark.parametrize(
    "fields",
    [{}, {"temperature": 3}, {"top_p": 0.6}, {"extra_body": {"heatbath": "top_k(2) -> temperature(0.1)"}}],
)
def test_logprobs_are_the_models_whatever_the_sampler(client, toy, fields):
    answer = client.chat.completions.create(
        model="toy", messages=HELLO, max_tokens=40, seed=11, logprobs=True, top_logprobs=2, **fields
    )
    tokens, content = toy.tokenizer.encode("It is"), answer.choices[0].logprobs.content
    assert len(content) > 3
    for one in content:
        weights = toy.weights(tokens)
        total = sum(weights.values())
        (token,) = [option for option in weights if toy.tokenizer.token_bytes(option) == bytes(one.bytes)]
        assert one.logprob == pytest.approx(math.log(weights[token] / total), abs=1e-6)
        ranked = sorted(weights.values(), reverse=True)[:2]
        assert [other.logprob for other in one.top_logprobs] == [
            pytest.approx(math.log(weight / total), abs=1e-6) for weight in ranked
        ]
        tokens.append(token)
    assert toy.tokenizer.decode(tokens) == "It is" + answer.choices[0].message.content


def test_tokens_that_hold_part_of_a_character(client):
    answer = client.chat.completions.create(
        model="toy", messages=[{"role": "user", "content": "雪雪"}], max_tokens=60, seed=2, n=3, logprobs=True
    )
    for choice in answer.choices:
        spelled = [token.token for token in choice.logprobs.content if token.token.startswith("bytes:")]
        assert spelled == ["bytes:\\xe9", "bytes:\\x9b", "bytes:\\xaa"] * (len(spelled) // 3)
        assert choice.message.content.count("雪") == len(spelled) // 3 > 0
        assert "\ufffd" not in choice.message.content


def test_a_character_cut_off_by_the_limit(client):
    answer = client.completions.create(model="toy", prompt="", max_tokens=1, n=128, seed=5, logprobs=0)
    cut = [choice for choice in answer.choices if choice.logprobs.tokens == ["bytes:\\xe9"]]
    assert cut
    assert {choice.text for choice in cut} == {"\ufffd"}


def test_completion_logprobs_and_echo(client, toy):
    answer = client.completions.create(model="toy", prompt="It is rain", max_tokens=3, seed=1, logprobs=2, echo=True)
    (choice,) = answer.choices
    assert choice.text.startswith("It is rain")
    found = choice.logprobs
    assert found.tokens[:6] == ["I", "t", " ", "i", "s", " rain"]
    assert found.token_logprobs[0] is None
    assert found.top_logprobs[0] is None
    assert found.token_logprobs[1] == -9999.0, "the toy never writes letters"
    assert found.token_logprobs[5] == pytest.approx(logprob(toy, "It is", " rain"), abs=1e-6)
    assert set(found.top_logprobs[5]) == {" sun", " rain"}
    assert set(found.top_logprobs[1]) == {" sun", " rain", "t"}, "the token itself is always there"
    assert found.text_offset == [
        0,
        1,
        2,
        3,
        4,
        5,
        *[10 + len("".join(found.tokens[6:i])) for i in range(6, len(found.tokens))],
    ]
    assert "".join(found.tokens) == choice.text
    plain = client.completions.create(model="toy", prompt="It is rain", max_tokens=3, seed=1, echo=True)
    assert plain.choices[0].text == choice.text
    assert plain.usage == answer.usage


def test_the_probabilities_of_a_text_alone(client, toy):
    answer = client.completions.create(model="toy", prompt=" rain rain", max_tokens=0, logprobs=0, echo=True)
    assert answer.choices[0].text == " rain rain"
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].logprobs.token_logprobs == [None, pytest.approx(logprob(toy, " rain", " rain"), abs=1e-6)]
    assert answer.usage.completion_tokens == 0
    nothing = client.completions.create(model="toy", prompt=["a", "b"], max_tokens=0)
    assert [choice.text for choice in nothing.choices] == ["", ""]


def test_prompts_as_lists_and_tokens(client, toy):
    texts = ["It is", " rain", "雪"]
    tokens = [toy.tokenizer.encode(text) for text in texts]
    asked = {"model": "toy", "max_tokens": 8, "seed": 3, "n": 2}
    listed = client.completions.create(prompt=texts, **asked)
    assert [choice.index for choice in listed.choices] == list(range(6))
    assert client.completions.create(prompt=tokens, **asked).choices == listed.choices
    assert listed.usage.prompt_tokens == sum(map(len, tokens)), "a prompt counts once however many answers it gets"
    first = client.completions.create(prompt=tokens[0], **asked)
    assert first.choices == listed.choices[:2]
    echoed = client.completions.create(prompt=tokens[2], echo=True, **asked)
    assert echoed.choices[0].text.startswith("雪")


def test_answer_i_is_drawn_with_seed_plus_i(client):
    asked = {"model": "toy", "prompt": "It is", "max_tokens": 20}
    several = client.completions.create(**asked, n=5, seed=100)
    for i, choice in enumerate(several.choices):
        alone = client.completions.create(**asked, seed=100 + i)
        assert alone.choices[0].text == choice.text


@pytest.mark.parametrize("seed", [-1, -(2**63), 0, 2**63, 2**64 - 1])
def test_every_seed_that_the_sampler_takes(client, seed):
    answers = [client.completions.create(model="toy", prompt="", seed=seed, n=3) for _ in range(2)]
    assert answers[0].choices == answers[1].choices
    assert answers[0].model_extra["heatbath"]["seed"] == seed


def test_an_answer_can_be_made_again_from_what_it_says(client):
    asked = {"model": "toy", "messages": HELLO, "max_tokens": 40}
    fresh = [client.chat.completions.create(**asked, temperature=1.7, top_p=0.9) for _ in range(4)]
    assert len({answer.model_extra["heatbath"]["seed"] for answer in fresh}) == 4
    for answer in fresh:
        used = answer.model_extra["heatbath"]
        assert used["chain"] == "temperature(1.7) -> top_p(0.9) -> categorical()"
        again = client.chat.completions.create(**asked, seed=used["seed"], extra_body={"heatbath": used["chain"]})
        assert again.choices == answer.choices
        assert again.model_extra["heatbath"] == used


@pytest.mark.parametrize(
    ("fields", "chain"),
    [
        ({}, "temperature(1.0) -> categorical()"),
        ({"temperature": 0}, "temperature(0.0) -> categorical()"),
        (
            {"temperature": 2, "top_p": 0.9, "extra_body": {"min_p": 0.1, "top_k": 3}},
            "temperature(2.0) -> top_k(3) -> top_p(0.9) -> min_p(0.1) -> categorical()",
        ),
        ({"top_p": 1, "extra_body": {"min_p": 0, "top_k": 0}}, "temperature(1.0) -> categorical()"),
        ({"extra_body": {"top_k": -1}}, "temperature(1.0) -> categorical()"),
        ({"temperature": None, "top_p": None, "extra_body": {"heatbath": "min_p(0.2)"}}, "min_p(0.2) -> categorical()"),
        ({"extra_body": {"heatbath": "temperature(inf) -> top_k(2)"}}, "temperature(inf) -> top_k(2) -> categorical()"),
        (
            {"top_p": 0.5, "extra_body": {"heatbath": "hold_entropy(1.0, horizon=8)"}},
            "temperature(hold_entropy(1.0, 8)) -> top_p(0.5) -> categorical()",
        ),
    ],
)
def test_the_chain_that_the_fields_make(client, fields, chain):
    answer = client.completions.create(model="toy", prompt="", **fields)
    assert answer.model_extra["heatbath"]["chain"] == chain


def test_temperature_zero_takes_the_best_token_whatever_the_seed(client):
    texts = {
        client.completions.create(model="toy", prompt="", max_tokens=5, temperature=0, seed=seed).choices[0].text
        for seed in range(5)
    }
    assert texts == {" sun" * 5}


@pytest.mark.parametrize("stream", [False, True])
def test_stop_texts(client, stream):
    asked = {"model": "toy", "prompt": "", "temperature": 0, "max_tokens": 50, "logprobs": 0, "stream": stream}
    answer = client.completions.create(**asked, stop=["n su", "zzz"])
    pieces = [chunk.choices[0] for chunk in answer] if stream else answer.choices
    assert "".join(piece.text for piece in pieces) == " su"
    assert pieces[-1].finish_reason == "stop"
    assert [token for piece in pieces if piece.logprobs for token in piece.logprobs.tokens] == [" sun"]


def test_a_stop_text_frees_the_row_and_leaves_the_others(client, server):
    answer = client.completions.create(model="toy", prompt="", max_tokens=100, n=8, seed=1, stop=" rain")
    assert {choice.finish_reason for choice in answer.choices} == {"stop"}
    assert not any("rain" in choice.text for choice in answer.choices)
    assert (server.engine.running, server.engine.waiting) == (0, 0)


def test_models(client):
    assert [model.id for model in client.models.list()] == ["toy"]
    model = client.models.retrieve("toy")
    assert (model.object, model.owned_by, model.model_extra["context_length"]) == ("model", "heatbath", 256)
    with pytest.raises(openai.NotFoundError) as raised:
        client.models.retrieve("gpt-4o")
    assert raised.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("fields", "error", "param"),
    [
        ({"temperature": -1}, openai.BadRequestError, "temperature"),
        ({"top_p": 2}, openai.BadRequestError, "top_p"),
        ({"model": "gpt-4o"}, openai.NotFoundError, "model"),
        ({"extra_body": {"heatbath": "heat(2)"}}, openai.BadRequestError, "heatbath"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, openai.BadRequestError, "tools"),
        ({"messages": []}, openai.BadRequestError, "messages"),
    ],
)
def test_errors_as_the_client_raises_them(client, fields, error, param):
    with pytest.raises(error) as raised:
        client.chat.completions.create(**{"model": "toy", "messages": HELLO, **fields})
    assert raised.value.param == param
    assert raised.value.type == "invalid_request_error"
    assert raised.value.body["message"] in str(raised.value)


def test_an_error_in_a_stream(running):
    class Failing(ToyModel):
        def step(self, cache, tokens):
            if cache.lengths[0] > 5:
                raise RuntimeError("secret")
            return super().step(cache, tokens)

    with running(Failing(stop=0)) as server, server.client() as client:
        chunks = client.chat.completions.create(model="toy", messages=[{"role": "user", "content": ""}], stream=True)
        with pytest.raises(openai.APIError) as raised:
            list(chunks)
        assert raised.value.body["code"] == "internal_error"
        assert "secret" not in json.dumps(raised.value.body)
