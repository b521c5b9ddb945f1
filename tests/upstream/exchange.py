"""One request of the gateway as a provider sees it, with every means to answer it badly."""

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass
class Trace:
    """What the provider remembers of a request. ``left_at`` is when the gateway hung up on it."""

    behaviour: str
    case: str
    connection: int
    accepted_at: float
    request_bytes: int
    request: dict[str, Any] = field(default_factory=dict)
    tokens: int = 0
    left_at: float | None = None
    over: bool = False


class Left(Exception):
    """The gateway hung up while we were still at it."""


class Exchange:
    """Writes the answer. Raises Left as soon as writing shows that nobody reads any more."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        trace: Trace,
        path: str,
        earlier: int,
    ) -> None:
        self.trace = trace
        self.path = path
        self.earlier = earlier  # requests that this connection has had before
        self.keep = True  # whether the connection may serve another request
        self._reader = reader
        self._writer = writer

    @property
    def kind(self) -> str:
        """``chat``, ``completions`` or ``embeddings``."""
        return self.path.partition("/v1/")[2].partition("/")[0]

    @property
    def streamed(self) -> bool:
        return bool(self.trace.request.get("stream"))

    @property
    def local_port(self) -> int:
        port: int = self._writer.get_extra_info("sockname")[1]
        return port

    @property
    def argument(self) -> str:
        """What follows the colon in the name of the model."""
        return self.trace.behaviour.partition(":")[2]

    async def send(self, data: bytes) -> None:
        """These bytes, now."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError:
            raise Left from None

    async def head(self, status: int = 200, **headers: str | int) -> None:
        shown = {"server": "zoo-origin", "set_cookie": "zoo=1"} | headers
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in shown.items()]
        await self.send("\r\n".join([f"HTTP/1.1 {status} Yes", *lines, "", ""]).encode())

    async def answer(self, body: bytes | dict[str, Any], status: int = 200, **headers: str) -> None:
        """A whole answer, as it should be."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.head(status, **{"content_type": JSON, **headers}, content_length=len(content))
        await self.send(content)

    async def open_stream(self, content_type: str = EVENTS) -> None:
        await self.head(content_type=content_type, transfer_encoding="chunked")

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def event(self, data: dict[str, Any] | bytes) -> None:
        """One event in one chunk."""
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        await self.chunk(b"data: " + content + b"\n\n")

    async def close_stream(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def stream(self, *events: dict[str, Any] | bytes) -> None:
        """A whole stream of these events; ``[DONE]`` is not added."""
        await self.open_stream()
        for event in events:
            await self.event(event)
        await self.close_stream()

    async def until_left(self) -> None:
        """Say nothing more, and wait until the gateway hangs up."""
        try:
            while await self._reader.read(65536):
                pass
        except OSError:
            pass
        raise Left

    async def until_left_or(self, seconds: float) -> None:
        """Say nothing for so long, unless the gateway hangs up meanwhile."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.until_left()

    def close(self) -> None:
        """End the connection as if that were all."""
        self.keep = False
        self._writer.close()

    def reset(self) -> None:
        """Break the connection off (RST)."""
        self.keep = False
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger
        )
        self._writer.transport.abort()

    def left(self) -> None:
        self.trace.left_at = time.monotonic()


Behaviour = Callable[[Exchange], Awaitable[None]]
BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(act: Behaviour) -> Behaviour:
    """What a provider does when asked for the model of this name."""
    BEHAVIOURS[act.__name__.replace("_", "-")] = act  # type: ignore[attr-defined]
    return act
