"""The service on the model that ships with the package."""

import asyncio

import numpy as np
import pytest

from heatbath import log_softmax, parse
from heatbath.embedded import load
from heatbath.service.engine import Engine, Generation

PROMPTS = ["Once upon a time", "The king said", "There was once a wolf, and", "He", "In the middle of the dark forest"]


@pytest.fixture(scope="module")
def tales():
    return load()


@pytest.fixture(scope="module")
def client(running, tales):
    with running(tales) as server, server.client() as client:
        yield client


def test_greedy_texts_are_the_same_alone_and_together(tales):
    """Batched products may differ in their last bits: scores agree within a tolerance, and the best token exactly."""
    chains = [parse("greedy()"), parse("temperature(0)")]
    asked = [
        Generation(tales.tokenizer.encode(prompt), chains[i % 2], i, 20 + 5 * i, alternatives=0)
        for i, prompt in enumerate(PROMPTS)
    ]

    async def one(engine, generation):
        return [generated async for generated in engine.generate(generation)]

    async def main():
        engine = Engine(tales, max_rows=3)
        alone = [await one(engine, generation) for generation in asked]
        together = await asyncio.gather(*(one(engine, generation) for generation in asked))
        await engine.close()
        return alone, together

    for alone, together in zip(*asyncio.run(main()), strict=True):
        assert [generated.token for generated in alone] == [generated.token for generated in together]
        np.testing.assert_allclose(
            [generated.logprob for generated in alone], [generated.logprob for generated in together], atol=1e-3
        )


def test_drawn_texts_are_nearly_always_the_same_alone_and_together(tales):
    """A draw parts where two scores that differ in their last digits fall on either side of its random number."""
    prompt = tales.tokenizer.encode("Once upon a time")
    sampler = parse("temperature(1)")  # shared, as equal requests share it: they are drawn by one call
    asked = [Generation(prompt, sampler, seed, 40) for seed in range(12)]

    async def one(engine, generation):
        return [generated.token async for generated in engine.generate(generation)]

    async def main():
        engine = Engine(tales)
        alone = [await one(engine, generation) for generation in asked]
        together = await asyncio.gather(*(one(engine, generation) for generation in asked))
        await engine.close()
        return alone, together

    pairs = list(zip(*asyncio.run(main()), strict=True))
    assert sum(alone == together for alone, together in pairs) >= 10


def test_logprobs_of_an_echoed_prompt(client, tales):
    prompt = "Once upon a time there was a king who"
    answer = client.completions.create(model=tales.name, prompt=prompt, max_tokens=0, echo=True, logprobs=1)
    found = answer.choices[0].logprobs
    assert "".join(found.tokens) == answer.choices[0].text == prompt
    tokens = tales.tokenizer.encode(prompt)
    hidden = len(tokens) - len(found.tokens)  # a start token has no text and is not shown
    for place, reported in enumerate(found.token_logprobs, start=hidden):
        if place == 0:
            assert reported is None
            continue
        scores, _ = tales.start([tokens[:place]])
        expected = log_softmax(scores[0])
        assert reported == pytest.approx(float(expected[tokens[place]]), abs=1e-3)
        assert max(found.top_logprobs[place - hidden].values()) == pytest.approx(float(expected.max()), abs=1e-3)


def test_it_writes(client, tales):
    asked = {"model": tales.name, "messages": [{"role": "user", "content": "Once upon a time"}], "max_tokens": 40}
    answers = [client.chat.completions.create(**asked, temperature=0.7, seed=7) for _ in range(2)]
    assert answers[0].choices == answers[1].choices
    assert len(answers[0].choices[0].message.content.split()) > 10


def test_a_text_ends_with_the_context(client, tales):
    answer = client.completions.create(
        model=tales.name, prompt="The king", max_tokens=10_000, n=3, seed=1, temperature=1.2
    )
    for choice in answer.choices:
        assert choice.finish_reason in ("stop", "length")
    assert (
        answer.usage.prompt_tokens + max(len(tales.tokenizer.encode(choice.text)) for choice in answer.choices) <= 260
    )
