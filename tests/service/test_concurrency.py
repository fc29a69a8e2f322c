"""Many clients at once: each gets what it would have got alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx

from heatbath.embedded.toy import ToyModel


def text_of(server, path, body):
    with httpx.Client(timeout=60) as client:
        if not body.get("stream"):
            answer = client.post(server.url + path, json=body)
            return answer.json().get("choices", answer.json())
        with client.stream("POST", server.url + path, json=body) as answer:
            return [line for line in answer.iter_lines() if '"choices"' in line and '"id"' not in line] or [
                line.split('"choices"')[1] for line in answer.iter_lines() if '"choices"' in line
            ]


def requests():
    chains = ["temperature(0.3)", "temperature(hold_entropy(1.2, horizon=16)) -> min_p(0.02)", "top_k(3)", "greedy()"]
    made = []
    for seed in range(16):
        common = {"seed": seed, "max_tokens": 5 + 7 * seed, "n": 1 + seed % 3, "heatbath": chains[seed % 4]}
        if seed % 2:
            made.append(
                (
                    "/v1/completions",
                    {"prompt": " rain" * (seed % 5), "logprobs": seed % 4, "echo": seed % 3 == 0, **common},
                )
            )
        else:
            content = [{"role": "user", "content": "It is" + " fog" * (seed % 3)}]
            made.append(("/v1/chat/completions", {"messages": content, "logprobs": True, "top_logprobs": 1, **common}))
        made[-1][1]["stop"] = [" wind wind"] if seed % 5 == 0 else None
    return made


def test_sixteen_mixed_requests(running):
    asked = requests()
    with running(ToyModel(), max_rows=6) as server:
        alone = [text_of(server, *one) for one in asked]
        ready = threading.Barrier(len(asked))

        def go(one):
            ready.wait()
            return text_of(server, *one)

        with ThreadPoolExecutor(len(asked)) as pool:
            together = list(pool.map(go, asked))
        assert together == alone
        assert (server.engine.running, server.engine.waiting) == (0, 0)


def test_streams_and_mistakes_among_them(running):
    asked = requests()
    with running(ToyModel(), max_rows=3) as server:
        alone = [text_of(server, *one) for one in asked]

        def streamed(one):
            path, body = one
            with (
                httpx.Client(timeout=60) as client,
                client.stream("POST", server.url + path, json={**body, "stream": True}) as answer,
            ):
                lines = list(answer.iter_lines())
            assert lines[-2:] == ["data: [DONE]", ""]

        def wrong(number):
            body = {"prompt": "", "temperature": -number - 1}
            return httpx.post(f"{server.url}/v1/completions", json=body, timeout=60).status_code

        with ThreadPoolExecutor(24) as pool:
            streams = [pool.submit(streamed, one) for one in asked]
            mistakes = [pool.submit(wrong, number) for number in range(16)]
            wholes = [pool.submit(text_of, server, *one) for one in asked]
            for stream in streams:
                stream.result()
            assert {mistake.result() for mistake in mistakes} == {400}
            assert [whole.result() for whole in wholes] == alone
