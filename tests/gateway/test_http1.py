"""An answer means the same however it is cut, and what is no answer ends its connection."""

import asyncio
import socket
from collections.abc import Iterable
from itertools import pairwise

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.http1 import MAX_HEAD, Connection, UpstreamBroken

TOP = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = TOP + b"Transfer-Encoding: chunked\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n"
BODY = b"data: four\n\ndata: [DONE]\n\n"
SIZED = b"Content-Length: %d\r\n\r\n" % len(BODY)
ANSWERS = {
    "a length": (TOP + SIZED + BODY, True),
    "chunks": (CHUNKED + b"5\r\ndata:\r\n15\r\n" + BODY[5:] + b"\r\n0\r\n\r\n", True),
    "extensions and trailers": (
        CHUNKED + b'005;a="b";c\r\ndata:\r\n15;d\r\n' + BODY[5:] + b"\r\n0;e\r\nf: g\r\nh:\r\n\r\n",
        True,
    ),
    "interim answers": (INTERIM + TOP + SIZED + BODY, True),
    "no length": (TOP + b"\r\n" + BODY, False),
    "connection: close": (TOP + b"Connection: close\r\n" + SIZED + BODY, False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n" + SIZED + BODY, False),
    "more than was asked for": (TOP + SIZED + BODY + b"HTTP/1.1", False),
}
REFUSED = {
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\n\r\n",
    "an unknown version": b"HTTP/7.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "a short status": b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
    "a small status": b"HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n",
    "another protocol next": b"HTTP/1.1 101 OK\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    "a length and chunks": TOP
    + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": TOP
    + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": TOP + b"content-length: 5\r\ncontent-length: 4\r\n\r\nhello",
    "a list of lengths": TOP + b"content-length: 5, 4\r\n\r\nhello",
    "a negative length": TOP + b"content-length: -5\r\n\r\nhello",
    "a length with a sign": TOP + b"content-length: +5\r\n\r\nhello",
    "a length beyond measure": TOP + b"content-length: 99999999999999999999\r\n\r\nhello",
    "letters for a length": TOP + b"content-length: 5a\r\n\r\nhello",
    "an empty length": TOP + b"content-length:\r\n\r\nhello",
    "another encoding": TOP + b"transfer-encoding: gzip\r\n\r\nhello",
    "chunks of another encoding": TOP + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks within chunks": TOP + b"transfer-encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "nearly chunks": TOP + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a NUL": TOP + b"x: a\0b\r\ncontent-length: 0\r\n\r\n",
    "a lone line feed": TOP + b"x: a\nb: c\r\ncontent-length: 0\r\n\r\n",
    "a lone carriage return": TOP + b"x: a\rb\r\ncontent-length: 0\r\n\r\n",
    "line feeds alone": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "a folded line": TOP + b"x: a\r\n b\r\ncontent-length: 0\r\n\r\n",
    "a blank before the colon": TOP + b"content-length : 0\r\n\r\n",
    "no colon": TOP + b"this is no header\r\ncontent-length: 0\r\n\r\n",
    "no name": TOP + b": x\r\ncontent-length: 0\r\n\r\n",
    "a chunk without a size": CHUNKED + b"\r\nhello",
    "a chunk of letters": CHUNKED + b"zz\r\nhello\r\n",
    "a negative chunk": CHUNKED + b"-5\r\nhello\r\n",
    "a chunk as in a program": CHUNKED + b"0x5\r\nhello\r\n",
    "a chunk beyond measure": CHUNKED + b"fffffffffffffffff\r\nhello",
    "a chunk that is longer than it says": CHUNKED + b"4\r\nhello\r\n0\r\n\r\n",
    "chunks with line feeds alone": CHUNKED + b"5\nhello\n0\n\n",
    "a length after the chunks": CHUNKED + b"0\r\ncontent-length: 5\r\n\r\n",
    "an end within the headers": TOP,
    "an end within the body": TOP + b"content-length: 9\r\n\r\nhello",
    "an end within a chunk": CHUNKED + b"9\r\nhello",
    "an end before the last chunk": CHUNKED + b"5\r\nhello\r\n",
    "only an interim answer": INTERIM,
    "headers without end": TOP + b"a: b\r\n" * 20_000,
    "a header without end": TOP + b"a: " + b"b" * 2 * MAX_HEAD,
    "a name without end": TOP + b"a" * 2 * MAX_HEAD,
    "a status without end": b"HTTP/1.1 200 " + b"b" * 2 * MAX_HEAD,
    "interim answers without end": b"HTTP/1.1 103 Hm\r\nlink: <x>\r\n\r\n" * 20_000,
    "a chunk extension without end": CHUNKED + b"5;" + b"a" * 2 * MAX_HEAD,
    "a size of zeros without end": CHUNKED + b"0" * 2 * MAX_HEAD,
    "trailers without end": CHUNKED + b"0\r\n" + b"a: b\r\n" * 20_000,
    "a trailer without end": CHUNKED + b"0\r\na: " + b"b" * 2 * MAX_HEAD,
}


class Line:
    """``async with``: a connection whose other end is in our hands."""

    async def __aenter__(self) -> "Line":
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        _, self.connection = await loop.create_connection(Connection, sock=ours)
        self.reader, self.writer = await asyncio.open_connection(sock=theirs)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.connection.abort()
        self.writer.close()
        await asyncio.sleep(0)

    async def ask(
        self, *, first_byte: float = 20, idle: float = 20, total: float = 20
    ) -> tuple[int, bytes]:
        until = asyncio.get_running_loop().time() + total
        await self.connection.ask([b"?"], first_byte=first_byte, idle=idle, until=until)
        body = b""
        while chunk := await self.connection.read():
            body += chunk
        return self.connection.status, body

    async def hear(self, pieces: Iterable[bytes]) -> tuple[int, bytes]:
        """What the connection makes of these reads and an end after them."""
        asked = asyncio.create_task(self.ask())
        await asyncio.sleep(0)
        for piece in pieces:
            if not self.connection.transport.is_closing():
                self.connection.data_received(piece)
        if not self.connection.usable:
            self.writer.write_eof()
        return await asked

    async def head(self, said: bytes) -> None:
        """Ask, and hear so much of an answer."""
        asked = asyncio.create_task(
            self.connection.ask([b"?"], first_byte=20, idle=20, until=1_000_000)
        )
        assert await self.reader.read(1) == b"?"
        self.writer.write(said)
        await asked


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[low:high] for low, high in pairwise(edges) if low < high]


async def check(data: bytes, cuts: Iterable[Iterable[int]], *, kept: bool) -> None:
    for places in cuts:
        async with Line() as line:
            assert await line.hear(cut(data, places)) == (200, BODY)
            assert line.connection.headers.get(b"content-type") in (None, b"text/event-stream")
            assert line.connection.usable is kept


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_the_same_wherever_it_is_cut(name: str) -> None:
    data, kept = ANSWERS[name]
    everywhere = [[place] for place in range(len(data))]

    uvloop.run(check(data, [*everywhere, range(len(data))], kept=kept))


@given(st.sampled_from(sorted(ANSWERS)), st.sets(st.integers(0, 200), max_size=8))
@settings(max_examples=200, deadline=None)
def test_an_answer_is_the_same_in_any_pieces(name: str, places: set[int]) -> None:
    data, kept = ANSWERS[name]

    uvloop.run(check(data, [places], kept=kept))


@pytest.mark.parametrize("size", [1, 1000, 10_000_000], ids=["bytes", "pieces", "whole"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_answer_is_refused_and_its_connection_closed(name: str, size: int) -> None:
    data = REFUSED[name]
    size = max(size, len(data) // 1000)

    async def run() -> None:
        async with Line() as line:
            with pytest.raises(UpstreamBroken):
                await line.hear(cut(data, range(size, len(data), size)))
            assert not line.connection.usable
            assert await line.reader.read(100) in (b"?", b"")

    uvloop.run(run())


@given(st.binary(max_size=300), st.integers(1, 50))
@settings(max_examples=300, deadline=None)
def test_noise_is_never_more_than_an_error(noise: bytes, size: int) -> None:
    async def run() -> None:
        async with Line() as line:
            data = TOP + noise
            try:
                await line.hear(cut(data, range(size, len(data), size)))
            except UpstreamBroken:
                assert not line.connection.usable

    uvloop.run(run())


def test_headers_of_64_kib_are_heard_and_one_byte_more_is_not() -> None:
    async def hear(size: int) -> int:
        async with Line() as line:
            value = b"a" * (size - len(b"x" + b"content-length" + b"0"))
            top = b"HTTP/1.1 200 OK\r\nx: " + value + b"\r\ncontent-length: 0\r\n\r\n"
            status, _ = await line.hear(cut(top, [100, 40_000]))
            return status

    assert uvloop.run(hear(MAX_HEAD - 100)) == 200
    with pytest.raises(UpstreamBroken):
        uvloop.run(hear(MAX_HEAD + 1))


def test_what_came_before_the_trouble_is_heard_first() -> None:
    async def run() -> bytes:
        async with Line() as line:
            await line.head(CHUNKED + b"5\r\nhello\r\nzz\r\n")
            first = await line.connection.read()
            with pytest.raises(UpstreamBroken):
                await line.connection.read()
            return first

    assert uvloop.run(run()) == b"hello"


@pytest.mark.parametrize(
    ("said", "deadlines"),
    [
        (b"", {"first_byte": 0.05}),
        (b"", {"total": 0.05}),
        (b"HTTP/1.1 103 Hm\r\n\r\n" + TOP, {"first_byte": 0.05}),
        (CHUNKED + b"5\r\nhello\r\n", {"idle": 0.05}),
        (CHUNKED + b"5\r\nhello\r\n", {"first_byte": 0.01, "idle": 0.05}),
        (CHUNKED + b"5\r\nhello\r\n", {"total": 0.05}),
    ],
)
def test_silence_has_an_end(said: bytes, deadlines: dict[str, float]) -> None:
    async def run() -> None:
        async with Line() as line:
            asked = asyncio.create_task(line.ask(**deadlines))
            assert await line.reader.read(1) == b"?"
            line.writer.write(said)
            with pytest.raises(UpstreamBroken, match="timeout"):
                await asked
            assert not line.connection.usable

    uvloop.run(run())


def test_every_byte_of_the_body_begins_another_pause() -> None:
    async def run() -> tuple[int, bytes]:
        async with Line() as line:
            asked = asyncio.create_task(line.ask(idle=0.5, first_byte=0.5))
            assert await line.reader.read(1) == b"?"
            line.writer.write(TOP + b"content-length: 8\r\n\r\n")
            for _ in range(8):
                await asyncio.sleep(0.1)
                line.writer.write(b"x")
            return await asked

    assert uvloop.run(run()) == (200, b"x" * 8)


def test_what_nobody_reads_is_not_taken() -> None:
    async def run() -> int:
        async with Line() as line:
            await line.head(TOP + b"content-length: 10000000\r\n\r\n" + b"x" * 10_000_000)
            most, size = 0, 0
            while size < 10_000_000:
                await asyncio.sleep(0.002)
                chunk = await line.connection.read()
                most, size = max(most, len(chunk)), size + len(chunk)
            assert await line.connection.read() == b""
            assert line.connection.usable
            return most

    assert uvloop.run(run()) <= 256 * 1024
