"""A client that speaks by hand, so that it can hang up at any moment and in any way."""

import asyncio
import contextlib
import socket
import struct
from typing import Any

from tests.gateway.burst import request
from tests.provider import PIECE

SPOKEN = f'"{PIECE}"'.encode()


class Conversation:
    """One request on a connection of its own. ``received`` is everything that has come so far."""

    def __init__(self, port: int, key: str, path: str, body: dict[str, Any]) -> None:
        self._port = port
        self._message = request(key, body, path)
        self.received = b""

    async def connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, part: float = 1) -> None:
        """Send the request, or just a part of it."""
        self._writer.write(self._message[: int(len(self._message) * part)])
        await self._writer.drain()

    async def hear(self, tokens: int = 0) -> None:
        """Read until the headers are there, and so many tokens; or until the end."""
        while b"\r\n\r\n" not in self.received or self.tokens < tokens:
            if not await self.hear_more():
                break

    async def hear_more(self) -> bool:
        """Read what comes next; False at the end."""
        chunk = await self._reader.read(65536)
        self.received += chunk
        return bool(chunk)

    async def hear_all(self) -> None:
        """Read to the end, and hang up."""
        more = bytearray()
        while chunk := await self._reader.read(65536):
            more += chunk
        self.received += more
        await self.leave()

    async def leave(self, *, rudely: bool = False) -> None:
        """Hang up; rudely is with a reset. Leaving twice is leaving once."""
        if rudely:
            linger = struct.pack("ii", 1, 0)
            sock = self._writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._writer.transport.abort()
        else:
            self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    @property
    def status(self) -> int | None:
        head, found, _ = self.received.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]) if found else None

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name; empty until all are there."""
        head, found, _ = self.received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[1:] if found else []
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def tokens(self) -> int:
        """How often the one word that the provider knows has arrived as a token of its own."""
        return self.received.count(SPOKEN)

    @property
    def done(self) -> bool:
        return b"data: [DONE]\n\n" in self.received
