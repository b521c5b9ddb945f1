"""The mock upstream: a provider that answers at once, so that it is never what is measured.

It speaks just enough HTTP/1.1 for clients that send a Content-Length: keep-alive, pipelining, one
fixed chat completion, paced streams whose chunks carry their number and the time they left.
"""

import argparse
import asyncio
import json
import re
import time
from collections import deque
from typing import cast

import uvloop

MARKER = b"The quick answer of the mock upstream, always the same one."
COMPLETION = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": MARKER.decode()},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 24, "completion_tokens": 16, "total_tokens": 40},
        "system_fingerprint": "fp_bench",
    },
    separators=(",", ":"),
).encode()
MODELS = (
    b'{"object":"list","data":[{"id":"bench","object":"model","created":1,"owned_by":"bench"}]}'
)

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
STREAMED = re.compile(rb'"stream" *: *true')
WITH_USAGE = re.compile(rb'"include_usage" *: *true')
EVENT = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"bench","choices":[%s],"usage":%s}\n\n'
)
CONTENT = b'{"index":0,"delta":{"role":"assistant","content":"%d %d "},"finish_reason":null}'
STOP = EVENT % (b'{"index":0,"delta":{},"finish_reason":"stop"}', b"null")
USAGE = EVENT % (b"", b'{"prompt_tokens":24,"completion_tokens":64,"total_tokens":88}')
DONE = b"data: [DONE]\n\n"


def answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def framed(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


CHAT_ANSWER = answer(b"200 OK", COMPLETION)
MODELS_ANSWER = answer(b"200 OK", MODELS)
NOT_FOUND = answer(b"404 Not Found", b'{"error":{"message":"no such path"}}')
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


class Connection(asyncio.Protocol):
    """One client's connection: answers in the order of its requests, one stream at a time."""

    transport: asyncio.Transport

    def __init__(self, chunks: int, pace: float) -> None:
        self.chunks = chunks
        self.pace = pace
        self.received = b""
        self.waiting: deque[tuple[bytes, bytes]] = deque()  # requests behind a running stream
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit it

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.clear()
        if self.timer:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end]
            length = LENGTH.search(head)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self.received) < size:
                return
            body = self.received[end + 4 : size]
            self.received = self.received[size:]
            if self.timer:
                self.waiting.append((head, body))
            else:
                self.reply(head, body)

    def reply(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if path.endswith(b"/chat/completions"):
            if STREAMED.search(body):
                self.transport.write(STREAM_HEAD)
                self.say(0, asyncio.get_running_loop().time(), bool(WITH_USAGE.search(body)))
            else:
                self.transport.write(CHAT_ANSWER)
        else:
            self.transport.write(MODELS_ANSWER if path.endswith(b"/models") else NOT_FOUND)

    def say(self, number: int, began: float, with_usage: bool) -> None:
        """Send chunk ``number`` now, plan the next on a fixed grid: delays do not add up."""
        if number < self.chunks:
            self.transport.write(framed(EVENT % (CONTENT % (number, time.monotonic_ns()), b"null")))
            due = began + (number + 1) * self.pace
            loop = asyncio.get_running_loop()
            self.timer = loop.call_at(due, self.say, number + 1, began, with_usage)
            return
        tail = [STOP, USAGE, DONE] if with_usage else [STOP, DONE]
        self.transport.write(b"".join(framed(event) for event in tail) + b"0\r\n\r\n")
        self.timer = None
        while self.waiting and not self.timer:
            self.reply(*self.waiting.popleft())


async def serve(host: str, port: int, chunks: int, pace: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(chunks, pace), host, port, backlog=1024, reuse_port=True
    )
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--chunks", type=int, default=64, help="content chunks of a stream")
    parser.add_argument("--pace", type=float, default=0.02, help="seconds between chunks")
    options = parser.parse_args()
    try:
        uvloop.run(serve(options.host, options.port, options.chunks, options.pace))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
