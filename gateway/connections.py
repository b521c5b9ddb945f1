"""Connections to providers: opened to whichever address answers, kept while they are idle."""

import asyncio
import ssl
from collections import defaultdict, deque
from functools import cached_property
from typing import NamedTuple

import certifi

from gateway.dialing import Addresses, connected_socket
from gateway.http1 import Connection, UpstreamBroken

KEPT_IDLE = 30.0  # seconds; most providers keep a connection for longer


class Origin(NamedTuple):
    """Where a connection leads to."""

    secure: bool
    host: str
    port: int


class Connections:
    """Lends a connection to one caller at a time; as many as there are callers."""

    def __init__(self) -> None:
        self._idle: defaultdict[Origin, deque[tuple[float, Connection]]] = defaultdict(deque)
        self._addresses = Addresses()
        self._sweeping: asyncio.TimerHandle | None = None

    async def take(self, origin: Origin, due: float) -> Connection:
        """The one last used, or a new one before ``due``, a time of the loop.

        Raises UpstreamBroken.
        """
        idle = self._idle[origin]
        while idle:
            _, connection = idle.pop()
            if connection.usable:
                return connection
        try:
            async with asyncio.timeout_at(due):
                return await self._open(origin)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise UpstreamBroken("no connection") from error

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep it for the next request if it is fit for one, else close it at once."""
        if not connection.usable:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        self._idle[origin].append((loop.time() + KEPT_IDLE, connection))
        if self._sweeping is None:
            self._sweeping = loop.call_later(KEPT_IDLE, self._sweep)

    def close(self, origin: Origin | None = None) -> None:
        """Close what is idle: all of it, or that to one provider."""
        for idle in [self._idle[origin]] if origin else self._idle.values():
            while idle:
                idle.pop()[1].abort()

    def _sweep(self) -> None:
        """Close what has been idle for too long; come again when the next one will have."""
        loop, next_at = asyncio.get_running_loop(), float("inf")
        for idle in self._idle.values():
            while idle and idle[0][0] <= loop.time():
                idle.popleft()[1].abort()
            next_at = min(next_at, idle[0][0] if idle else next_at)
        more = next_at < float("inf")
        self._sweeping = loop.call_at(next_at, self._sweep) if more else None

    async def _open(self, origin: Origin) -> Connection:
        loop = asyncio.get_running_loop()
        socket = await connected_socket(await self._addresses.of(origin.host, origin.port))
        tls = self._tls if origin.secure else None
        try:
            _, connection = await loop.create_connection(
                Connection,
                sock=socket,
                ssl=tls,
                server_hostname=origin.host if origin.secure else None,
            )
        except BaseException:
            socket.close()
            raise
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        trusted = ssl.create_default_context()
        trusted.load_verify_locations(certifi.where())  # a bare machine has none of its own
        trusted.set_alpn_protocols(["http/1.1"])
        return trusted
