import asyncio
import threading
from contextlib import aclosing

import numpy as np
import pytest

from heatbath import parse
from heatbath.embedded.toy import STOP, ToyModel
from heatbath.errors import InputError, ModelError
from heatbath.service.engine import BusyError, ContextError, Engine, Generated, Generation, StoppingError

HOT = parse("temperature(1.5) -> top_p(0.99)")


def generation(model, text="It is", seed=7, max_tokens=20, sampler=HOT, **more):
    return Generation(model.tokenizer.encode(text), sampler, seed, max_tokens, **more)


async def collect(engine, generation) -> list[Generated]:
    return [generated async for generated in engine.generate(generation)]


def run(work, model, **options):
    """Run ``work(engine)``; whatever it did, nothing may be left behind in the engine."""

    async def main():
        engine = Engine(model, **options)
        result = await work(engine)
        while engine._task:
            await asyncio.sleep(0)
        assert (engine.running, engine.waiting) == (0, 0)
        assert not engine._answers
        assert engine._batch._cache is None
        await engine.close()
        return result

    return asyncio.run(main())


class Slow(ToyModel):
    """Waits before each call until it is let go on."""

    def __init__(self):
        super().__init__(stop=0)
        self.permits = threading.Semaphore(0)
        self.calls = 0

    def step(self, cache, tokens):
        assert self.permits.acquire(timeout=30)
        self.calls += 1
        return super().step(cache, tokens)


def test_the_tokens_are_those_of_the_sampler():
    model = ToyModel()
    made = run(lambda engine: collect(engine, generation(model, max_tokens=100, alternatives=2, reading=True)), model)
    tokens, state = model.tokenizer.encode("It is"), HOT.init()
    for generated in made:
        scores, _ = model.start([tokens])
        choice, state, reading = HOT.step(state, scores[0], seed=7, reading=True)
        weights = model.weights(tokens)
        total = sum(weights.values())
        assert generated.token == choice
        assert generated.logprob == pytest.approx(np.log(weights[choice] / total), abs=1e-6)
        assert -generated.logprob == pytest.approx(generated.reading.surprisal, abs=1e-5)
        np.testing.assert_allclose(generated.reading, reading, rtol=1e-5)
        ranked = sorted(weights, key=lambda token: (-weights[token], token))
        assert [other.token for other in generated.alternatives] == ranked[:2]
        assert generated.bytes == (b"" if choice == STOP else model.tokenizer.token_bytes(int(choice)))
        tokens.append(int(choice))
    assert tokens[-1] == STOP
    assert [generated.finish for generated in made] == [None] * (len(made) - 1) + ["stop"]


def test_the_end_of_the_context_ends_a_text():
    model = ToyModel(stop=0, context=10)
    made = run(lambda engine: collect(engine, generation(model, "12345", max_tokens=100)), model)
    assert [generated.finish for generated in made] == [None] * 4 + ["context"]


@pytest.mark.parametrize(
    ("max_tokens", "count", "end"),
    [(4, 4, "length"), (5, 5, "length"), (6, 5, "context"), (None, 5, "context")],
)
def test_a_limit_that_was_reached_is_told_from_a_full_context(max_tokens, count, end):
    model = ToyModel(stop=0, context=10)
    made = run(lambda engine: collect(engine, generation(model, "12345", max_tokens=max_tokens)), model)
    assert [generated.finish for generated in made] == [None] * (count - 1) + [end]
    given = Generation([1], HOT, 7, max_tokens, given=[1, 1, 1, 1])
    assert [one.finish for one in run(lambda engine: collect(engine, given), model)][4:] == [None] * (count - 1) + [end]


def test_given_tokens_are_reported_as_drawn_ones_are():
    model = ToyModel()
    prompt = model.tokenizer.encode("It is rain")
    drawn = run(lambda engine: collect(engine, Generation(prompt, HOT, 7, 5, alternatives=1)), model)
    echoed = run(
        lambda engine: collect(engine, Generation(prompt[:1], HOT, 7, 5, alternatives=1, given=prompt[1:])), model
    )
    assert [one.token for one in echoed] == prompt[1:] + [one.token for one in drawn]
    assert echoed[len(prompt) - 1 :] == drawn
    assert echoed[0].logprob == -np.inf, "the model never writes letters"
    assert echoed[len(prompt) - 2].logprob == pytest.approx(np.log(6 / 25), abs=1e-6)


def test_a_given_stop_token_does_not_end_the_text():
    model = ToyModel(stop=0)
    made = run(lambda engine: collect(engine, Generation([1], HOT, 7, 2, given=[STOP, 2])), model)
    assert [one.token for one in made][:2] == [STOP, 2]
    assert [one.finish for one in made] == [None, None, None, "length"]


def test_a_text_of_no_tokens_ends_at_once():
    model = ToyModel()
    assert run(lambda engine: collect(engine, generation(model, max_tokens=0)), model) == []
    given = Generation([1], HOT, 7, 0, given=[2, 3])
    made = run(lambda engine: collect(engine, given), model)
    assert [(one.token, one.finish) for one in made] == [(2, None), (3, "length")]


def test_what_shares_the_batch_changes_nothing():
    model = ToyModel(stop=0)
    chains = [HOT, parse("temperature(hold_entropy(1.0, horizon=8)) -> min_p(0.01)"), parse("temperature(0)")]
    asked = [
        generation(model, text, seed, length, chains[seed % 3], reading=bool(seed % 2))
        for seed, (text, length) in enumerate(
            [("", 40), (" rain", 3), ("It is fog", 25), ("雪", 60), (" sun sun", 7)] * 5
        )
    ]
    alone = [run(lambda engine, one=one: collect(engine, one), model) for one in asked]

    async def together(engine):
        return await asyncio.gather(*(collect(engine, one) for one in asked))

    for max_rows in (1, 3, 16):
        assert run(together, model, max_rows=max_rows) == alone

    async def one_request(engine):
        made: list[list[Generated]] = [[] for _ in asked]
        async with engine.answers(asked) as answers:
            async for index, generated in answers:
                made[index].append(generated)
        return made

    assert run(one_request, model, max_rows=4) == alone


def test_a_prompt_is_read_once_for_all_its_texts():
    class Counting(ToyModel):
        started = 0

        def start(self, prompts):
            self.started += len(prompts)
            return super().start(prompts)

    model = Counting()

    async def work(engine):
        async with engine.answers([generation(model, seed=seed) for seed in range(50)]) as answers:
            async for _ in answers:
                pass

    run(work, model, max_rows=3)
    assert model.started == 1


def test_closing_the_iterator_stops_the_model():
    model = Slow()

    async def work(engine):
        model.permits.release(3)
        async with aclosing(engine.generate(generation(model, max_tokens=200))) as tokens:
            for _ in range(3):
                await anext(tokens)
            assert engine.running == 1
        assert engine.running == 0
        model.permits.release(1)  # the call that may be under way

    run(work, model)
    assert model.calls <= 4


def test_giving_up_one_text_keeps_the_others():
    model = ToyModel(stop=0)

    async def work(engine):
        counts = [0, 0]
        async with engine.answers([generation(model, seed=seed, max_tokens=30) for seed in range(2)]) as answers:
            async for index, _ in answers:
                counts[index] += 1
                if index == 0 and counts[0] == 5:
                    answers.give_up(0)
        return counts

    assert run(work, model) == [5, 30]


def test_long_texts_do_not_keep_a_short_one_waiting():
    model = ToyModel(stop=0)

    async def work(engine):
        counts = {}

        async def one(name, length):
            counts[name] = 0
            async for _ in engine.generate(generation(model, max_tokens=length)):
                counts[name] += 1

        tasks = [asyncio.create_task(one(name, 240)) for name in "abcd"]
        while min(counts.get(name, 0) for name in "ab") < 10:
            await asyncio.sleep(0)
        await one("short", 5)
        seen = dict(counts)
        await asyncio.gather(*tasks)
        return seen

    seen = run(work, model, max_rows=2)
    assert seen["short"] == 5
    assert max(seen[name] for name in "abcd") < 120, "all four were far from their ends"


def test_scores_are_the_models():
    model = ToyModel()

    async def work(engine):
        return await engine.scores(model.tokenizer.encode(" rain"))

    np.testing.assert_array_equal(run(work, model), model.start([model.tokenizer.encode(" rain")])[0][0])


def test_many_readings_of_scores_do_not_hold_up_the_texts():
    model = ToyModel(stop=0)

    async def work(engine):
        done = 0

        async def look():
            nonlocal done
            await engine.scores([])
            done += 1

        text = asyncio.create_task(collect(engine, generation(model, max_tokens=50)))
        while not engine.running:
            await asyncio.sleep(0)
        looks = [asyncio.create_task(look()) for _ in range(200)]
        await text
        seen = done
        await asyncio.gather(*looks)
        return seen

    assert run(work, model) < 100


@pytest.mark.parametrize(
    ("length", "max_tokens", "fine"), [(9, 1, True), (10, 1, False), (10, 0, True), (11, 0, False)]
)
def test_prompts_that_leave_no_room_are_refused(length, max_tokens, fine):
    model = ToyModel(context=10)
    asked = Generation([1] * length, HOT, 7, max_tokens)
    if fine:
        run(lambda engine: collect(engine, asked), model)
        return
    with pytest.raises(ContextError, match=f"the prompt has {length} tokens and the model's context 10"):
        asyncio.run(collect(Engine(model), asked))


def test_more_than_may_wait_is_refused():
    model = Slow()

    async def work(engine):
        async with engine.answers(
            [generation(model, seed=seed) for seed in range(6)]
        ):  # too many, but nobody waits yet
            while engine.running < 2:
                await asyncio.sleep(0)
            assert engine.waiting == 4
            with pytest.raises(BusyError, match="4 texts are waiting"):
                await collect(engine, generation(model))
            with pytest.raises(BusyError):
                await engine.scores([])
        model.permits.release(10)

    run(work, model, max_rows=2, max_waiting=4)


class Breaking(ToyModel):
    """Fails while it is told to."""

    broken = ""

    def start(self, prompts):
        if self.broken == "start":
            raise RuntimeError("no start")
        return super().start(prompts)

    def step(self, cache, tokens):
        if self.broken == "step":
            raise RuntimeError("no step")
        scores, cache = super().step(cache, tokens)
        if self.broken == "scores" or (self.broken == "first of two" and len(scores) == 2):
            scores[0] = np.nan
        return scores, cache


@pytest.mark.parametrize(("broken", "error"), [("start", RuntimeError), ("step", RuntimeError), ("scores", ModelError)])
def test_a_model_that_fails_fails_its_requests_and_the_engine_goes_on(broken, error):
    model = Breaking(stop=0)

    async def work(engine):
        model.broken = broken
        with pytest.raises(error):
            await collect(engine, generation(model))
        model.broken = ""
        return await collect(engine, generation(model))

    assert len(run(work, model)) == 20


def test_unusable_scores_of_one_row_fail_that_row_alone():
    model = Breaking(stop=0)

    async def work(engine):
        first = asyncio.create_task(collect(engine, generation(model, seed=1)))
        second = asyncio.create_task(collect(engine, generation(model, seed=2)))
        while engine.running < 2:
            await asyncio.sleep(0)
        model.broken = "first of two"
        return await asyncio.gather(first, second, return_exceptions=True)

    failed, fine = run(work, model)
    assert isinstance(failed, ModelError)
    assert len(fine) == 20


def test_a_sampler_that_fails_ends_its_text_alone():
    model = ToyModel(stop=0)
    wrong = parse("top_k([1, 2])")

    async def work(engine):
        return await asyncio.gather(
            collect(engine, generation(model, sampler=wrong)),
            collect(engine, generation(model)),
            return_exceptions=True,
        )

    failed, fine = run(work, model)
    assert isinstance(failed, InputError)
    assert len(fine) == 20


def test_closing_the_engine_ends_what_runs():
    model = Slow()

    async def main():
        engine = Engine(model)
        task = asyncio.create_task(collect(engine, generation(model)))
        while not engine.running:
            await asyncio.sleep(0)
        model.permits.release(100)
        await engine.close()
        with pytest.raises(StoppingError):
            await task
        with pytest.raises(StoppingError):
            await collect(engine, generation(model))

    asyncio.run(main())
