"""One API call while it runs: what the client sent, and what we have answered so far."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from gateway.errors import BodyTooLarge, ClientLeft, Headers, InvalidRequest

if TYPE_CHECKING:
    from gateway.meter import Meter

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 25 * 1024 * 1024
BODY_DEADLINE = 30.0  # seconds to receive a whole body
LISTEN_AFTER = 0.05  # most calls are over by then and never pay for watching their client
JSON: Headers = [(b"content-type", b"application/json")]
ANY_PAGE: Headers = [  # a key in a header is no cookie: whoever has it may use it anywhere
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
]
EVENT_STREAM: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class RequestIds:
    """Makes ``req_`` and 28 hexadecimal digits, of which the first 12 are the Unix milliseconds.

    Randomness is fetched for many ids at a time: a system call for each would cost more than
    the rest of the id.
    """

    AT_A_TIME, LENGTH = 256, 16

    def __init__(self) -> None:
        self._random = ""

    def __call__(self, now: float) -> str:
        if not self._random:
            self._random = os.urandom(self.AT_A_TIME * self.LENGTH // 2).hex()
        mine, self._random = self._random[: self.LENGTH], self._random[self.LENGTH :]
        return f"req_{int(now * 1000):012x}{mine}"


new_request_id = RequestIds()


class Call:
    """Speaks ASGI for the endpoints. ``headers`` are lower-case bytes; the last of a name wins."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.ip: str = scope["client"][0] if scope.get("client") else ""
        self.started_at = time.time()
        self.clock = time.perf_counter()
        self.request_id = new_request_id(self.started_at)
        self.response_headers: Headers = [(b"x-request-id", self.request_id.encode())]
        if b"origin" in self.headers:
            self.response_headers += ANY_PAGE
        self.meter: Meter | None = None  # from the moment we know who calls
        self.status: int | None = None  # None until the answer has begun
        self._receive = receive
        self._send = send

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    def elapsed_ms(self) -> int:
        return int((time.perf_counter() - self.clock) * 1000)

    async def body(self) -> bytes:
        """The whole body. Raises BodyTooLarge above ``MAX_BODY``, whatever the client declared."""
        header = self.headers.get(b"content-length", b"")
        declared = int(header) if header.isdigit() else -1
        if declared > MAX_BODY:
            raise too_large()
        message = await self._receive()
        body: bytes = message.get("body", b"")
        if len(body) == declared or (
            message["type"] == "http.request" and not message["more_body"]
        ):
            return body
        return await self._rest_of_body(message)

    async def _rest_of_body(self, message: MutableMapping[str, Any]) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_DEADLINE):
                while True:
                    if message["type"] == "http.disconnect":
                        raise ClientLeft
                    body += message.get("body", b"")
                    if len(body) > MAX_BODY:
                        raise too_large()
                    if not message.get("more_body"):
                        return bytes(body)
                    message = await self._receive()
        except TimeoutError:
            raise InvalidRequest(
                f"The request body did not arrive within {BODY_DEADLINE:.0f} seconds.",
                code="body_incomplete",
            ) from None

    async def start(self, status: int, headers: Headers) -> None:
        self.status = status
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": headers + self.response_headers,
            }
        )

    async def write(self, body: bytes, *, more: bool = True) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def answer(self, status: int, body: bytes, headers: Headers = JSON) -> None:
        """A whole answer at once."""
        await self.start(status, [*headers, (b"content-length", b"%d" % len(body))])
        await self.write(b"" if self.method == "HEAD" else body, more=False)

    def while_client_listens(self) -> Listening:
        """Break off with ClientLeft when the client hangs up. Enter after the body was read."""
        return Listening(self._receive)


class Listening:
    """``async with``: cancels its block when the client leaves, and turns that into ClientLeft.

    What is sent to a client that has left vanishes without an error, so somebody has to watch
    ``receive``; a block that is over within ``LISTEN_AFTER`` never starts to.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = False
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        block = asyncio.current_task()
        assert block is not None
        self._block = block
        self._timer = asyncio.get_running_loop().call_later(LISTEN_AFTER, self._begin)

    async def __aexit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self._timer.cancel()
        if self._watcher:
            self._watcher.cancel()
        ours = kind is asyncio.CancelledError and self._left  # else the server's shutdown
        if ours and self._block.uncancel() == 0:
            raise ClientLeft from None

    def _begin(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        self._block.cancel()


def too_large() -> BodyTooLarge:
    return BodyTooLarge(f"The request body is larger than {MAX_BODY // 1024 // 1024} MiB.")
