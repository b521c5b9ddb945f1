"""The way to the providers: what is asked and answered there, through connections of our own.

What is cancelled ends at once: a provider does not go on generating for somebody who has left
(docs/adr/0005, 0007). Redirects are not followed, proxies of the environment are ignored, there
are no cookies.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import lru_cache
from urllib.parse import quote, urlsplit

from gateway.catalog import Route
from gateway.connections import Connections, Origin
from gateway.http1 import Connection, UpstreamBroken

__all__ = ["MAX_ANSWER", "SHUT", "Answer", "Exchange", "Upstream", "UpstreamBroken"]

MAX_ANSWER = 32 * 1024 * 1024
SHUT = "provider switched off"  # the reason of what is broken off for it
LINGER = 0.1  # seconds; without it every stream would cost its provider's connection
HEAD = (
    "POST {target} HTTP/1.1\r\n"
    "host: {host}\r\n"
    "{authorization}"
    "content-type: application/json\r\n"
    "accept: */*\r\n"
    "accept-encoding: identity\r\n"
    "user-agent: Keyplex\r\n"
    "content-length: "
)


class Answer:
    """A provider's answer whose headers have arrived."""

    def __init__(self, route: Route, connection: Connection) -> None:
        self.route = route
        self.status = connection.status
        self._connection = connection

    def header(self, name: str) -> str:
        return self._connection.headers.get(name.encode(), b"").decode("latin-1")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises UpstreamBroken."""
        while chunk := await self._connection.read():
            yield chunk

    async def body(self) -> bytes:
        """The whole body, at most ``MAX_ANSWER`` bytes. Raises UpstreamBroken."""
        parts, size = [], 0
        while chunk := await self._connection.read():
            parts.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER:
                raise UpstreamBroken("the answer is too large")
        return b"".join(parts)


class Exchange:
    """``async with``: one request on its way; leaving closes what has not come to its end.

    At once where an exception, or the client, leaves; else in a moment.
    """

    def __init__(
        self, upstream: "Upstream", route: Route, path: str, body: bytes, within: float
    ) -> None:
        self._upstream = upstream
        self._connections = upstream.connections
        self._route = route
        self._path = path
        self._body = body
        self._within = within

    async def __aenter__(self) -> Answer:
        route, now = self._route, asyncio.get_running_loop().time()
        deadlines, until = route.deadlines, now + self._within
        self._origin, head = head_of(f"{route.base_url}/{self._path}", route.credential)
        due = min(now + deadlines.connect, until)
        self._connection = await self._connections.take(self._origin, due)
        self._upstream.running[self._connection] = route
        try:
            if route.provider in self._upstream.shut_off:
                raise UpstreamBroken(SHUT)
            await self._connection.ask(
                (head, b"%d\r\n\r\n" % len(self._body), self._body),
                first_byte=deadlines.first_byte,
                idle=deadlines.idle,
                until=until,
            )
        except BaseException as trouble:
            del self._upstream.running[self._connection]
            self._connection.abort()
            if isinstance(trouble, UpstreamBroken) and trouble.stale:
                self._connections.close(self._origin)  # so that another try gets a new one
            raise
        return Answer(route, self._connection)

    async def __aexit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        back, connection = self._connections.give_back, self._connection
        del self._upstream.running[connection]
        if kind or connection.over:
            back(self._origin, connection)
        else:  # all was heard, as after [DONE], but the end of the HTTP answer is still on its way
            asyncio.get_running_loop().call_later(LINGER, back, self._origin, connection)


class Upstream:
    """Posts to providers, and knows what runs."""

    def __init__(self) -> None:
        self.connections = Connections()
        self.running: dict[Connection, Route] = {}
        self.shut_off: frozenset[str] = frozenset()

    def shut(self, providers: frozenset[str]) -> None:
        """Ask none of these from now on, and break off what they are answering."""
        self.shut_off = providers
        if providers:
            for connection, route in list(self.running.items()):
                if route.provider in providers:
                    connection.break_off(SHUT)

    def post(
        self, route: Route, path: str, body: bytes, *, within: float | None = None
    ) -> Exchange:
        """Send ``body`` to a provider when entered. Entering raises UpstreamBroken.

        ``within`` seconds it must be over, where that is less than the provider's own deadline.
        """
        total = route.deadlines.total
        within = total if within is None else min(within, total)
        return Exchange(self, route, path, body, within)

    async def close(self) -> None:
        self.connections.close()


@lru_cache(maxsize=1024)
def head_of(address: str, credential: str | None) -> tuple[Origin, bytes]:
    """Where a request goes, and its head up to the length of its body. Raises UpstreamBroken."""
    try:
        url = urlsplit(address)
        host = (url.hostname or "").encode("idna").decode()
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        named = f"[{host}]" if ":" in host else host
        head = HEAD.format(
            target=quote(url.path, safe="/%:@!$&'()*+,;=~"),
            host=f"{named}:{url.port}" if url.port else named,
            authorization=f"authorization: Bearer {credential}\r\n" if credential else "",
        ).encode("ascii")
    except ValueError as error:
        raise UpstreamBroken("an address or a key that makes no sense") from error
    if url.scheme not in ("http", "https") or not host or not (credential or "x").isprintable():
        raise UpstreamBroken("an address or a key that makes no sense")
    return Origin(secure, host, port), head
