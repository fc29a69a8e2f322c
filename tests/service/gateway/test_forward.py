import json

import httpx

CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "写一首关于春天的诗"}]


def ask(running, path=CHAT, headers=None, **fields):
    return httpx.post(
        running.url + path, json={"model": "m", "messages": HELLO, **fields}, headers=headers or {}, timeout=30
    )


def test_it_works(gateway, mock):
    answer = ask(gateway, temperature=0.7)

    assert answer.json()["temperature_seen"] == 0.7
    assert answer.headers["heatbath-sent"] == "0.7"

    answer = ask(gateway, temperature=0.7, stream=True)

    answer = ask(gateway, model="openai", temperature=0.7)

