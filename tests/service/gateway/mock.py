"""An upstream that enforces each vendor's rules, and misbehaves when it is told to.

A real server (asyncio streams, no web framework), so that it can also do what no framework would: stall, send half an
answer, close in the middle. What it does is told by the model name, ``BEHAVIOUR`` or ``VENDOR`` behind a slash or
alone."""

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 429: "Too Many Requests", 500: "Oops", 503: "Busy"}

OPENAI = {
    "error": {
        "message": "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) "
        "value is supported.",
        "type": "invalid_request_error",
        "param": "temperature",
        "code": "unsupported_value",
    }
}
RESPONSES = {
    "error": {
        "message": "Unsupported parameter: 'temperature' is not supported with this model.",
        "type": "invalid_request_error",
        "param": "temperature",
        "code": "unsupported_parameter",
    }
}
DEPRECATED = {"type": "error", "error": {"type": "invalid_request_error",
    "message": "`temperature` is deprecated for this model."}}  # fmt: skip
EXTRA = {"type": "error", "error": {"type": "invalid_request_error",
    "message": "temperature: Extra inputs are not permitted"}}  # fmt: skip
KIMI = {"error": {"type": "invalid_request_error", "message": "invalid temperature: only 1 is allowed for this model"}}
RANGE = {"error": {"message": "temperature must be in [0, 2)", "type": "invalid_request_error", "param": "temperature",
    "code": "invalid_parameter_error"}}  # fmt: skip
REJECTING = {"openai": OPENAI, "responses": RESPONSES, "deprecated": DEPRECATED, "extra": EXTRA, "kimi": KIMI}

STREAM = [
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
    b'{"role":"assistant","content":""},"finish_reason":null}]}\n\n',
    'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
    '{"content":"Spring 春"},"finish_reason":null}]}\n\n'.encode(),
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}]}\n\n',
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":'
    b'{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n',
    b"data: [DONE]\n\n",
]


class Seen:
    """One request as it arrived."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def header(self, name):
        return [value for key, value in self.headers if key.lower() == name]


class Mock:
    """The server; ``seen`` has every request, ``open`` how many are being answered."""

    def __init__(self):
        self.seen: list[Seen] = []
        self.failures = 0
        self.open = 0
        self.broken = 0
        self.gate = threading.Event()
        self.port = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    async def handle(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def one(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, path, _ = first.split(" ")
        headers = [tuple(line.split(": ", 1)) for line in lines]
        length = int({name.lower(): value for name, value in headers}.get("content-length", 0))
        body = await reader.readexactly(length)
        seen = Seen(method, path, headers, body)
        self.seen.append(seen)
        self.open += 1
        try:
            return await self.answer(seen, reader, writer)
        except ConnectionError:
            self.broken += 1
            raise
        finally:
            self.open -= 1

    async def answer(self, seen, reader, writer):
        asked = seen.json
        vendor, _, behaviour = asked["model"].rpartition("/")
        behaviour = behaviour or vendor
        temperature = asked.get("temperature")
        if behaviour in REJECTING and temperature is not None:
            return await reply(writer, 400, REJECTING[behaviour])
        if behaviour == "rejecting-gzip" and temperature is not None:
            return await reply(writer, 400, OPENAI, packed=True)
        if behaviour == "dashscope" and temperature is not None and not 0 <= temperature < 2:
            return await reply(writer, 400, RANGE)
        if behaviour == "flaky" and self.failures:
            self.failures -= 1
            return await reply(writer, 503, {"error": {"message": "busy"}})
        if behaviour == "limited" and self.failures:
            self.failures -= 1
            return await reply(writer, 429, {"error": {"message": "slow down"}}, more="Retry-After: 0\r\n")
        if behaviour == "storm":
            return await reply(writer, 429, {"error": {"message": "slow down"}}, more="Retry-After: 3600\r\n")
        if behaviour == "dropping" and self.failures:
            self.failures -= 1
            writer.close()
            return False
        if behaviour == "broken":
            return await reply(writer, 500, {"error": {"message": "broken"}})
        if behaviour == "unauthorized":
            return await reply(writer, 401, {"error": {"message": "Incorrect API key provided: sk-secret"}})
        if behaviour == "echo-key":
            return await reply(writer, 400, {"error": {"message": f"bad: {seen.header('authorization')}"}})
        if behaviour == "redirect":
            return await raw(writer, b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        if behaviour == "html":
            return await raw(writer, b"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")
        if behaviour == "invalid":
            return await raw(
                writer, b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"choices'
            )
        if behaviour == "no-http":
            return await raw(writer, b"\x00\x01\x02 nonsense\r\n\r\n")
        if behaviour == "half":
            return await raw(
                writer,
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"choices',
                end=True,
            )
        if behaviour == "silent":
            await until_closed(reader)
            raise ConnectionResetError
        if behaviour == "headers":
            return await reply(writer, 200, completion(asked), more="Set-Cookie: a=b\r\nheatbath-policy: forged\r\n"
                "X-Request-Id: abc\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\n")  # fmt: skip
        if asked.get("stream"):
            return await self.stream(behaviour, reader, writer)
        return await reply(writer, 200, completion(asked), packed="gzip" in "".join(seen.header("accept-encoding")))

    async def stream(self, behaviour, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number, event in enumerate(STREAM):
            if number == 2 and behaviour == "half-stream":
                writer.write(b"%x\r\n%s" % (len(event), event[:20]))
                await writer.drain()
                writer.close()
                return False
            if number == 2 and behaviour == "stalling":
                await until_closed(reader)
                raise ConnectionResetError
            if number == 2 and behaviour == "gated":
                await asyncio.to_thread(self.gate.wait, 20)
            if number == 2 and behaviour == "wrong-events":
                writer.write(b"22\r\ndata: {broken\n\nthis is no event!\n\n\r\n")
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def completion(asked):
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": asked["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None,
            "message": {"role": "assistant", "content": "Spring, 春天", "tool_calls": asked.get("echo_tool_calls")}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
        "temperature_seen": asked.get("temperature"),
    }  # fmt: skip


async def until_closed(reader):
    while await reader.read(1000):
        pass


async def reply(writer, status, content, more="", packed=False):
    body = json.dumps(content, ensure_ascii=False).encode()
    if packed:
        body, more = gzip.compress(body), f"{more}Content-Encoding: gzip\r\n"
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n{more}Content-Length: {len(body)}"
    return await raw(writer, head.encode() + b"\r\n\r\n" + body)


async def raw(writer, answer, end=False):
    writer.write(answer)
    await writer.drain()
    return not end


@contextmanager
def upstream(port: int = 0) -> Iterator[Mock]:
    """The mock on a thread of its own."""
    mock = Mock()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    stop = None

    async def main():
        nonlocal stop
        stop = asyncio.Event()
        server = await asyncio.start_server(mock.handle, "127.0.0.1", port)
        mock.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    ready.wait()
    try:
        yield mock
    finally:
        mock.gate.set()
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
