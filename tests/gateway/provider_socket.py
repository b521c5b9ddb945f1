"""A provider of a test: it does on each connection what the test says, and counts what is open."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop

from gateway.catalog import Route
from gateway.dialects import Deadlines
from gateway.upstream import Upstream

OK = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b"
GONE = (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, RuntimeError)  # uvloop's last


@dataclass
class Peer:
    """One connection, as the provider sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    heads: list[bytes] = field(default_factory=list)

    async def question(self) -> bytes:
        """The body of the next request. Raises IncompleteReadError."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        return await self.reader.readexactly(int(head.split(b"content-length: ")[1]))

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    def answer(self, body: bytes) -> None:
        self.say(OK % (len(body), body))


@dataclass
class Provider:
    """What a test may look at."""

    port: int = 0
    peers: list[Peer] = field(default_factory=list)
    open: int = 0

    def route(self, host: str = "127.0.0.1", *, scheme: str = "http", **deadlines: float) -> Route:
        return route(f"{scheme}://{host}:{self.port}/v1", **deadlines)


def route(base_url: str, credential: str = "sk-test", **deadlines: float) -> Route:
    limits = Deadlines(**deadlines)
    return Route(1, "test", base_url, credential, "m", 0, 1, "", limits, ())


async def echo(peer: Peer) -> None:
    """Says whatever it is asked, as often as it is asked."""
    while True:
        peer.answer(await peer.question())


@asynccontextmanager
async def providing(
    behaviour: Callable[[Peer], Awaitable[None]],
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Provider]:
    provider = Provider()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer, len(provider.peers))
        provider.peers.append(peer)
        provider.open += 1
        try:
            await behaviour(peer)
        except GONE:
            pass
        finally:
            writer.close()
            provider.open -= 1

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()


async def until(look: Callable[[], bool]) -> None:
    """Wait for it, for five seconds at most."""
    end = time.monotonic() + 5
    while not look():
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.005)


async def post(upstream: Upstream, where: Route, body: bytes = b"{}") -> bytes:
    async with upstream.post(where, "chat/completions", body) as answer:
        return await answer.body()


def play(
    behaviour: Callable[[Peer], Awaitable[None]],
    story: Callable[[Upstream, Provider], Awaitable[None]],
    **options: Any,
) -> None:
    """A story with a provider; in the end nothing is open."""

    async def run() -> None:
        upstream = Upstream()
        async with providing(behaviour, **options) as provider:
            await story(upstream, provider)
            await upstream.close()
            await until(lambda: provider.open == 0)

    uvloop.run(run())
