"""The way to the providers: one pool of connections behind a small door.

pyreqwest (reqwest and hyper underneath) forwards several times as many requests a second as any
client written in Python; nothing outside this module knows of it.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError, RequestTimeoutError
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from gateway.catalog import Route

CONNECT_DEADLINE = timedelta(seconds=5)
READ_DEADLINE = timedelta(seconds=60)  # to the first byte, and from each chunk to the next
TOTAL_DEADLINE = timedelta(seconds=600)
MAX_ANSWER = 32 * 1024 * 1024


class UpstreamBroken(Exception):
    """The provider could not be reached, or stopped in the middle. ``reason`` is for our logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Answer:
    """A provider's answer whose headers have arrived."""

    def __init__(self, route: Route, response: Response) -> None:
        self.route = route
        self.status = response.status
        self._response = response

    def header(self, name: str) -> str:
        return self._response.get_header(name) or ""

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises UpstreamBroken."""
        reader = self._response.body_reader
        try:
            while (chunk := await reader.read_chunk()) is not None:
                yield bytes(chunk)
        except PyreqwestError as error:
            raise broken(error) from error

    async def body(self) -> bytes:
        """The whole body, at most ``MAX_ANSWER`` bytes. Raises UpstreamBroken."""
        length = self.header("content-length")
        if length.isdigit() and int(length) <= MAX_ANSWER:
            try:
                return bytes(await self._response.bytes())
            except PyreqwestError as error:
                raise broken(error) from error
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > MAX_ANSWER:
                raise UpstreamBroken("the answer is too large")
        return bytes(body)


class Exchange:
    """``async with``: one request on its way; leaving closes it, also when cancelled."""

    def __init__(self, route: Route, request: StreamRequest) -> None:
        self._route = route
        self._request = request

    async def __aenter__(self) -> Answer:
        try:
            return Answer(self._route, await self._request.__aenter__())
        except PyreqwestError as error:
            raise broken(error) from error

    async def __aexit__(self, *exc: object) -> None:
        await self._request.__aexit__(None, None, None)


class Upstream:
    """Posts to providers. Redirects are not followed, proxies of the environment are ignored."""

    def __init__(self) -> None:
        self._client: Client = (
            ClientBuilder()
            .user_agent("Keyplex")
            .connect_timeout(CONNECT_DEADLINE)
            .read_timeout(READ_DEADLINE)
            .timeout(TOTAL_DEADLINE)
            .follow_redirects(False)
            .no_proxy()
            .referer(False)
            .gzip(False)
            .brotli(False)
            .zstd(False)
            .deflate(False)
            .default_headers({"content-type": "application/json", "accept-encoding": "identity"})
            .build()
        )

    def post(self, route: Route, path: str, body: bytes, *, streamed: bool) -> Exchange:
        """Send ``body`` to a provider when entered. Entering raises UpstreamBroken."""
        request = self._client.post(f"{route.base_url}/{path}").body_bytes(body)
        if route.credential:
            request = request.bearer_auth(route.credential)
        if streamed:
            request = request.streamed_read_buffer_limit(0)  # else it waits for 64 KiB
        return Exchange(route, request.build_streamed())

    async def close(self) -> None:
        await self._client.close()


def broken(error: PyreqwestError) -> UpstreamBroken:
    """In a word, for the decision record; the client's own text may name hosts."""
    silent = isinstance(error, RequestTimeoutError)
    return UpstreamBroken("timeout" if silent else type(error).__name__)
