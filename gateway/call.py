"""One API call while it runs: what the client sent, and what we have answered so far."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.origin import origin
from gateway.compression import decompressed
from gateway.errors import APIError, ClientLeft, Headers, InvalidRequest
from gateway.intake import intake

if TYPE_CHECKING:
    from gateway.meter import Meter

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 25 * 1024 * 1024
MOST_COPIED = 1 << 20  # bytes of an answer that is to be captured
VOUCHED = "keyplex.vouched"  # in a scope: the digest of the key as which a page of ours calls
LISTEN_AFTER = 0.05  # most calls are over by then and never pay for watching their client
JSON: Headers = [(b"content-type", b"application/json")]
ANY_PAGE: Headers = [  # a key in a header is no cookie: whoever has it may use it anywhere
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
]
EVENT_STREAM: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
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
    """Speaks ASGI for the endpoints. ``headers`` are lower-case bytes, repeated ones joined."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.root: str = scope["root_path"]
        self.query: bytes = scope["query_string"]
        self.headers = headers_of(scope)
        self.vouched: bytes | None = scope.get(VOUCHED)  # no server takes it from the wire
        self.ip: str = scope["client"][0] if scope.get("client") else ""
        if settings.TRUSTED_PROXIES and b"x-forwarded-for" in self.headers:
            forwarded = self.header(b"x-forwarded-for")
            self.ip = origin(self.ip, forwarded, settings.TRUSTED_PROXIES)
        self.started_at = time.time()
        self.clock = time.perf_counter()
        self.request_id = new_request_id(self.started_at)
        self.response_headers: Headers = [(b"x-request-id", self.request_id.encode())]
        if b"origin" in self.headers:
            self.response_headers += ANY_PAGE
        self.meter: Meter | None = None  # from the moment we know who calls
        self.status: int | None = None  # None until the answer has begun
        self.received = b""  # the body, once it is here
        self.answered: bytearray | None = None  # what we sent, where it is to be captured
        self.ended = False
        self.written_at = 0.0  # monotonic seconds
        self.writing = False
        self.cut_off: APIError | None = None  # why, if we break it off ourselves
        self.error: APIError | None = None  # what it was answered with, if that was a refusal
        self._receive = receive
        self._send = send

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    def elapsed_ms(self) -> int:
        return int((time.perf_counter() - self.clock) * 1000)

    async def body(self, most: int = MAX_BODY) -> bytes:
        """The whole body: UTF-8, and plain if it came compressed.

        Raises BodyTooLarge above ``most``, plain or not, WrongContentType, InvalidRequest.
        """
        body = await intake.receive(self._receive, self.headers, most)
        if b"content-encoding" in self.headers:
            encoding = self.header(b"content-encoding").strip().lower()
            body = await decompressed(body, encoding, most)
        if not body.isascii():
            check_utf8(body)
        self.received = body
        return body

    async def start(self, status: int, headers: Headers) -> None:
        self.status = status
        more = self.meter.headers() if self.meter else []
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": headers + self.response_headers + more,
            }
        )

    async def write(self, body: bytes, *, more: bool = True) -> None:
        self.ended, self.writing, self.written_at = not more, True, time.monotonic()
        if self.answered is not None and len(self.answered) <= MOST_COPIED:
            self.answered += body
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
        self.writing = False

    async def answer(self, status: int, body: bytes, headers: Headers = JSON) -> None:
        """A whole answer at once."""
        await self.start(status, [*headers, (b"content-length", b"%d" % len(body))])
        await self.write(b"" if self.method == "HEAD" else body, more=False)

    def while_client_listens(self) -> Listening:
        """Break off with ClientLeft when the client hangs up, or with the reason if we cut it off.

        Enter after the body was read.
        """
        return Listening(self, self._receive)


class Listening:
    """``async with``: cancels its block when the client leaves, and turns that into ClientLeft.

    What is sent to a client that has left vanishes without an error, so somebody has to watch
    ``receive``; a block that is over within ``LISTEN_AFTER`` never starts to.
    """

    def __init__(self, call: Call, receive: Receive) -> None:
        self._call = call
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
        reason = ClientLeft() if self._left else self._call.cut_off  # else the server's shutdown
        if kind is asyncio.CancelledError and reason and self._block.uncancel() == 0:
            raise reason from None

    def _begin(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._block.cancelling():
            self._left = True
            self._block.cancel()


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """By name; the values of a repeated one are joined by commas (RFC 9110, section 5.3)."""
    pairs: list[tuple[bytes, bytes]] = scope["headers"]
    headers = dict(pairs)
    if len(headers) == len(pairs):
        return headers
    return {name: b", ".join(value for other, value in pairs if other == name) for name in headers}


def check_utf8(body: bytes) -> None:
    """Raise InvalidRequest unless ``body`` is text: our parser skips strings without a look."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"The request body is not valid JSON: no UTF-8 at byte {error.start}.",
            code="invalid_json",
        ) from None
