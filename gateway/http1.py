"""One HTTP/1.1 connection to a provider: a request at a time, and its answer as it comes.

The grammar is llhttp's, which is strict unless told otherwise. What it leaves to us is how much we
hold, where an answer without a length ends, and whether a connection may carry another request.
"""

import asyncio
from collections.abc import Sequence
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_HEAD = 64 * 1024  # bytes: interim answers, headers and trailers together, and any one line
FRAMING = {b"content-length", b"transfer-encoding"}
ENOUGH = 4 * 1024  # unread bytes; with the loop's largest read, 250 KiB, we hold less than 256 KiB


class UpstreamBroken(Exception):
    """The provider could not be reached, or stopped in the middle. ``reason`` is for our logs.

    ``stale`` is a connection that ended without a byte of an answer: the provider may just have
    closed it while it was idle.
    """

    def __init__(self, reason: str, *, stale: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.stale = stale


class Connection(asyncio.Protocol):
    """``ask``, ``read`` to the end, and again as long as it is ``usable``; trouble closes it.

    Whoever leaves before the end must ``abort`` it: the rest of an answer is nobody else's.
    """

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.over = self._keeps = True  # no answer is on its way; it may carry another
        self._paused = False
        self._clear()

    def _clear(self) -> None:
        self.status = 0  # until the headers have come
        self.headers: dict[bytes, bytes] = {}
        self._head_size = 0
        self._silent = 0  # bytes since the parser last made something of them
        self._heard = False
        self._trouble, self._stale = "", False
        self._unread: list[bytes] = []
        self._held = 0

    @property
    def usable(self) -> bool:
        """Whether it may carry another request: question and answer came to a clean end."""
        clean = self.over and self._keeps and not self.transport.is_closing()
        return clean and not self.transport.get_write_buffer_size()

    async def ask(
        self, request: Sequence[bytes], *, first_byte: float, idle: float, until: float
    ) -> None:
        """Send ``request`` and wait for the headers of its answer. Raises UpstreamBroken.

        ``first_byte`` and ``idle`` are seconds; ``until`` is when, by the loop, all must be over.
        """
        self._clear()
        self.over, self._idle, self._until = False, idle, until
        if self.transport.is_closing():  # as soon as it was open
            raise UpstreamBroken("connection broken", stale=True)
        self.transport.writelines(request)
        due = min(self._loop.time() + first_byte, until)
        while not self.status:
            await self._more(due)

    async def read(self) -> bytes:
        """The next bytes of the body, none at its end. Raises UpstreamBroken."""
        if not (self._unread or self.over):
            due = min(self._loop.time() + self._idle, self._until)
            while not (self._unread or self.over):
                await self._more(due)
        chunk = b"".join(self._unread)
        self._unread.clear()
        self._held = 0
        if self._paused and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()
        return chunk

    def abort(self) -> None:
        self.transport.abort()

    def break_off(self, reason: str) -> None:
        """Close it at once; who waits for an answer hears why."""
        self._break(reason)

    async def _more(self, due: float) -> None:
        """Wait for bytes. The timer outlives many waits, since to set one costs more than to look.

        Raises UpstreamBroken.
        """
        if not self._trouble:
            self._waiter, self._due = self._loop.create_future(), due
            if self._timer is None or due < self._timer.when():
                self._set_timer()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._trouble and not self._unread:
            raise UpstreamBroken(self._trouble, stale=self._stale)

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._waiter and self._loop.time() < self._due:
            self._set_timer()
        elif self._waiter:
            self._break("timeout")

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def _break(self, reason: str, *, stale: bool = False) -> None:
        if not (self.over or self._trouble):
            self._trouble, self._stale = reason, stale
        self.transport.abort()
        self._wake()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit it
        self._parser = HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        self._heard = True
        self._silent += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._break("not HTTP")
        else:
            if self._silent > MAX_HEAD:
                self._break("a line without end")
            elif self._held > ENOUGH and not (self.over or self._paused):
                self._paused = True
                self.transport.pause_reading()
            self._wake()

    def eof_received(self) -> None:
        """Closes the connection; an answer without a length is over."""
        if self.status and not FRAMING & self.headers.keys():
            self.over, self._keeps = True, False

    def connection_lost(self, error: Exception | None) -> None:
        self._break("connection broken", stale=not self._heard)
        if self._timer:
            self._timer.cancel()
        del self._parser  # it refers to us: nothing is left to the garbage collector

    def on_message_begin(self) -> None:
        if self.over:
            raise HttpParserError("more than was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._silent = 0
        self._head_size += len(name) + len(value)
        if self._head_size > MAX_HEAD:
            raise HttpParserError("too many headers")
        if self.status:
            return  # a trailer
        name = name.lower()
        if name == b"transfer-encoding" and (name in self.headers or value.lower() != b"chunked"):
            raise HttpParserError("an encoding that nobody asked for")
        self.headers[name] = value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 100 or status == 101:
            raise HttpParserError("a status that nobody asked for")
        if status >= 200:
            self._silent, self.status = 0, status

    def on_body(self, body: bytes) -> None:
        self._silent = 0
        self._unread.append(body)
        self._held += len(body)

    def on_message_complete(self) -> None:
        if self.status:
            self.over, self._keeps = True, self._parser.should_keep_alive()
        else:
            self.headers.clear()  # an interim answer's
