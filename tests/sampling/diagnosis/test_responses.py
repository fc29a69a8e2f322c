import json

import pytest

import heatbath as hb
from heatbath.sampling import read_responses

CHAT = {
    "choices": [
        {
            "message": {"content": "The king"},
            "logprobs": {
                "content": [
                    {
                        "token": "The",
                        "logprob": -0.5,
                        "bytes": [84, 104, 101],
                        "top_logprobs": [
                            {"token": "The", "logprob": -0.5, "bytes": [84, 104, 101]},
                            {"token": "\ufffd", "logprob": -2.0, "bytes": [233]},
                        ],
                    },
                    {"token": " king", "logprob": -1.5, "bytes": None, "top_logprobs": []},
                ]
            },
        },
        {"message": {"content": "Two words"}, "logprobs": None},
        {"message": {"content": None}, "logprobs": {"content": None}},
    ]
}
COMPLETION = {
    "choices": [
        {
            "text": "a b",
            "logprobs": {
                "tokens": ["a", " b"],
                "token_logprobs": [None, -1.0],
                "top_logprobs": [None, {" b": -1.0, " c": -2.0}],
            },
        }
    ]
}


def test_a_chat_answer():
    first, second = read_responses(json.dumps(CHAT))
    assert first.tokens == ["The", " king"]
    assert first.logprobs == [-0.5, -1.5]
    assert first.top_logprobs == [{"The": -0.5, "bytes:\\xe9": -2.0}, {}]
    assert second == hb.sampling.Written(text="Two words")


def test_an_older_completion():
    [found] = read_responses(json.dumps(COMPLETION))
    assert found.tokens == ["a", " b"]
    assert found.logprobs == [None, -1.0]
    assert found.top_logprobs == [None, {" b": -1.0, " c": -2.0}]


def test_lists_lines_and_batch_output():
    body = {"custom_id": "1", "response": {"status_code": 200, "body": COMPLETION}}
    for text in (json.dumps([CHAT, COMPLETION]), f"{json.dumps(CHAT)}\n\n{json.dumps(body)}\n"):
        assert len(read_responses(text)) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "reading answers on the answer: it is no JSON"),
        ("{}", "the answer: it has no list of choices"),
        ('{"choices": []}', "no choice holds a text"),
        ('{"choices": [3]}', "it has no list of choices"),
        ("[1]", "answer 1: it has no list of choices"),
        ('{"choices": []}\nno', "line 2: it is no JSON"),
        (
            '{"choices": [{"text": "a", "logprobs": {"tokens": ["a"]}}]}',
            "its logprobs are not as the interface has them",
        ),
        ('{"choices": [{"logprobs": {"content": [{"token": 3, "logprob": -1}]}}]}', "its logprobs are not as"),
        ('{"choices": [{"logprobs": {"content": [{"logprob": -1}]}}]}', "its logprobs are not as"),
        ('{"choices": [{"logprobs": [1]}]}', "its logprobs are not as"),
        ("[" * 100_000, "it is no JSON"),
    ],
)
def test_what_is_no_answer_is_refused(text, said):
    with pytest.raises(hb.InputError) as refused:
        read_responses(text)
    assert said in str(refused.value)


def test_an_answer_of_our_own_service_is_read_and_its_log_probabilities_are_those_before_the_temperature():
    httpx = pytest.importorskip("httpx")
    from heatbath.embedded import load
    from heatbath.service.app import create_app

    async def ask():
        app = create_app(load())
        async with app.router.lifespan_context(app):
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1")
            chat = {"messages": [{"role": "user", "content": "The king"}], "logprobs": True, "top_logprobs": 5}
            older = {"prompt": "The king", "logprobs": 5}
            common = {"model": load().name, "max_tokens": 120, "n": 4, "seed": 3, "temperature": 0.6}
            return [
                (await client.post(f"/v1/{path}", json={**common, **body}, timeout=60)).text
                for path, body in (("chat/completions", chat), ("completions", older))
            ]

    import asyncio

    for answer in asyncio.run(ask()):
        texts = read_responses(answer)
        assert len(texts) == 4
        found = hb.sampling.diagnose(texts=texts, temperature=0.6)
        assert found.verdict("temperature").outcome == "fine"
        assert found.used.high < 1
        assert found.verdict("tail").outcome == "fine"


@pytest.mark.parametrize(
    "known", [{"system_fingerprint": "heatbath-0.1.0"}, {"heatbath": {"chain": "top_k(2)", "seed": 1}}]
)
def test_answers_of_our_own_service_hold_log_probabilities_before_the_temperature(known):
    whole, alone = COMPLETION | known, {"choices": [{"text": "a b"}]} | known
    assert [text.tempered for text in read_responses(json.dumps([whole, COMPLETION, alone]))] == [False, None, None]
    assert read_responses(json.dumps({"response": {"body": whole}}))[0].tempered is False
    assert read_responses(json.dumps(COMPLETION | {"system_fingerprint": "fp_44709d6fcb"}))[0].tempered is None
