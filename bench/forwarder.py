"""The bare forwarder: what the server and the HTTP client cost in Python with no feature at all.

It reads the body, posts it upstream, returns the answer. This is the limit that the gateway is
measured against. ``BENCH_UPSTREAM`` names the upstream's base URL.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pyreqwest.client import Client, ClientBuilder

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

URL = os.environ.get("BENCH_UPSTREAM", "http://127.0.0.1:9100/v1") + "/chat/completions"
JSON = [(b"content-type", b"application/json")]
EVENTS = [(b"content-type", b"text/event-stream")]

client: Client


async def application(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    body = await read(receive)
    if b'"stream":true' in body:
        await stream(body, send)
        return
    request = client.post(URL).body_bytes(body).header("content-type", "application/json").build()
    response = await request.send()
    start = {"type": "http.response.start", "status": response.status, "headers": JSON}
    await send(start)
    await send({"type": "http.response.body", "body": bytes(await response.bytes())})


async def stream(body: bytes, send: Send) -> None:
    request = client.post(URL).body_bytes(body).header("content-type", "application/json")
    request = request.streamed_read_buffer_limit(0)  # else it waits for 64 KiB
    async with request.build_streamed() as response:
        await send({"type": "http.response.start", "status": response.status, "headers": EVENTS})
        while chunk := await response.body_reader.read_chunk():
            await send({"type": "http.response.body", "body": bytes(chunk), "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def read(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def lifespan(receive: Receive, send: Send) -> None:
    global client
    await receive()
    client = ClientBuilder().pool_max_idle_per_host(1024).build()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await client.close()
    await send({"type": "lifespan.shutdown.complete"})
