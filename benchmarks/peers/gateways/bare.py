"""The bare pass-through: plain ASGI on uvicorn, one aiohttp session, nothing read, nothing decided, nothing written.

`python bare.py PORT UPSTREAM`
"""

import sys

import aiohttp
import uvicorn

SKIPPED = {b"host", b"content-length", b"connection", b"transfer-encoding", b"keep-alive"}
session = None


async def app(scope, receive, send):
    global session  # noqa: PLW0603  the one of this process
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if session is None:
        session = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0))
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"] if k not in SKIPPED]
    async with session.post(sys.argv[2] + scope["path"], data=b"".join(parts), headers=headers) as response:
        passed = [(k.lower(), v) for k, v in response.raw_headers if k.lower() not in SKIPPED]
        if response.content_length is not None:
            passed.append((b"content-length", b"%d" % response.content_length))
        await send({"type": "http.response.start", "status": response.status, "headers": passed})
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="critical", access_log=False)
