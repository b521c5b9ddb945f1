"""A call to our own gateway from a page: the very path of every call, without a socket between."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, MutableMapping
from typing import Any

from django.http import HttpRequest

from dashboard.guard import Received
from gateway.asgi import Gateway
from gateway.call import VOUCHED, Scope
from gateway.errors import ClientLeft

GATEWAY = "keyplex.gateway"  # in the scope of a page
CHAT = "/v1/chat/completions"
FROM_BROWSER = {b"user-agent", b"forwarded", b"x-forwarded-for"}
PATIENCE = 60.0  # seconds that a reader may take for the next piece
WAITING = 8  # pieces that may wait for it


class Answer:
    """What the gateway answers, piece by piece. Whoever stops reading hangs up."""

    def __init__(self, gateway: Gateway, scope: Scope, body: bytes) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._sent: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(WAITING)
        receive = Received(body, still_here)
        self._call = asyncio.create_task(gateway(scope, receive, self._take))

    async def begin(self) -> None:
        """Wait for the status and the headers."""
        try:
            start = await self._sent.get()
        except asyncio.CancelledError:
            await self._hang_up()
            raise
        self.status = start["status"]
        self.headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        more = True
        try:
            while more:
                message = await self._sent.get()
                more = message["more_body"]
                yield message["body"]
            await self._call
        finally:
            await self._hang_up()

    async def body(self) -> bytes:
        """All of it."""
        return b"".join([piece async for piece in self.pieces()])

    async def _take(self, message: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._sent.put(message)
        except TimeoutError:
            raise ClientLeft from None

    async def _hang_up(self) -> None:
        """As a client does that is not interested any more; nothing where all was said."""
        self._call.cancel()
        await asyncio.wait([self._call])


async def still_here() -> MutableMapping[str, Any]:
    """A client that never leaves: to hang up is to cancel the call."""
    never: asyncio.Future[MutableMapping[str, Any]] = asyncio.get_running_loop().create_future()
    return await never


async def ask(
    request: HttpRequest, vouched: bytes, body: Mapping[str, Any], *, dry_run: bool = False
) -> Answer:
    """Post ``body`` as the key of this digest; the answer has begun."""
    page: Scope = request.scope  # type: ignore[attr-defined]  # as every request to a running site
    gateway: Gateway = page[GATEWAY]
    data = json.dumps(body).encode()
    answer = Answer(gateway, scope_of(page, vouched, len(data), dry_run=dry_run), data)
    await answer.begin()
    return answer


def scope_of(page: Scope, vouched: bytes, length: int, *, dry_run: bool) -> Scope:
    """A chat request as it comes from the visitor's place, but by our word."""
    headers = [pair for pair in page["headers"] if pair[0] in FROM_BROWSER]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % length)]
    if dry_run:
        headers.append((b"x-keyplex-dry-run", b"true"))
    return {
        "type": "http",
        "method": "POST",
        "path": CHAT,
        "raw_path": CHAT.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": page.get("client"),
        VOUCHED: vouched,
    }
