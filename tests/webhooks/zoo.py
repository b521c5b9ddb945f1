"""Receivers that hang, flood, lie and break off: what each does, and what is to come of it."""

import gzip
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.webhooks.peers import Behaviour, Peer
from webhooks.dialing import Trouble

OK = b"HTTP/1.1 200 OK\r\n"
LONG = OK + b"Content-Length: 10000000000\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HANDSHAKE = b"\x16\x03\x03\x40\x00"  # the beginning of a record of TLS of 16 KiB
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# By the moment at which a reset is noticed
NO_ANSWER = {Trouble.BROKEN, Trouble.NOT_HTTP}
NO_HEARING = NO_ANSWER | {Trouble.NOT_CONNECTED}
NO_TLS = {Trouble.NOT_SECURED, Trouble.NOT_CONNECTED}


@dataclass(frozen=True)
class Member:
    behaviour: Behaviour
    status: int | None
    errors: set[Trouble] | set[str]
    secure: bool = False  # we speak TLS to it
    tls: ssl.SSLContext | None = None  # so does it
    body: bytes = b"{}"


def says(answer: bytes, then: Callable[[Peer], None] = lambda peer: None) -> Behaviour:
    def behaviour(peer: Peer) -> None:
        peer.hear()
        peer.say(answer)
        then(peer)

    return behaviour


def drips(answer: bytes, drop: bytes = b"x") -> Behaviour:
    return says(answer, lambda peer: peer.drip(drop))


def floods(answer: bytes, block: bytes = b"x") -> Behaviour:
    return says(answer, lambda peer: peer.flood(block))


def resets_a_hello(peer: Peer) -> None:
    peer.socket.recv(1)
    peer.reset()


def drips_a_record(peer: Peer) -> None:
    peer.say(HANDSHAKE)
    peer.drip(b"x")


def resets(answer: bytes) -> Behaviour:
    return says(answer, Peer.reset)


def deaf(peer: Peer) -> None:
    peer.hear()
    peer.socket.shutdown(socket.SHUT_RD)
    peer.say(OK + b"\r\nok")


def answers(answer: bytes, status: int = 200, error: str = "") -> Member:
    return Member(says(answer), status, {error})


def refused(answer: bytes, status: int | None = None) -> Member:
    return Member(says(answer), status, {Trouble.NOT_HTTP})


def hangs(behaviour: Behaviour, status: int | None = None, **more: Any) -> Member:
    return Member(behaviour, status, {Trouble.TIMEOUT}, **more)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def bomb(size: int = 50_000_000) -> bytes:
    body = gzip.compress(bytes(size))
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


HANGING = {
    "accepts and hangs": hangs(Peer.until_left),
    "hears and hangs": hangs(says(b"", Peer.until_left)),
    "hears nothing of a long body": hangs(lambda peer: time.sleep(3), body=bytes(20_000_000)),
    "hangs before TLS": hangs(Peer.until_left, secure=True),
    "drips its part of TLS": hangs(drips_a_record, secure=True),
    "hangs in the status line": hangs(says(b"HTTP/1.1 20", Peer.until_left)),
    "drips the status line": hangs(drips(b"HTTP/1.1 200 ")),
    "drips headers": hangs(drips(OK + b"X: ")),
    "hangs after the headers": hangs(says(LONG, Peer.until_left), 200),
    "drips the body": hangs(drips(LONG), 200),
    "drips a body without a length": hangs(drips(OK + b"\r\n"), 200),
    "drips chunks": hangs(drips(CHUNKED, chunk(b"x")), 200),
    "drips one chunk": hangs(drips(CHUNKED + b"ffffff\r\n"), 200),
    "drips a refusal": hangs(drips(b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\n"), 500),
    "says 100 and hangs": hangs(says(CONTINUE, Peer.until_left)),
    "drips 100": hangs(drips(b"", CONTINUE)),
    "drips 103": hangs(drips(b"", EARLY)),
    "promises more than it sends": hangs(
        says(OK + b"Content-Length: 99\r\n\r\nok", Peer.until_left), 200
    ),
}

FLOODS = {
    "10 GB of body": Member(floods(LONG), 200, {""}),
    "a body without end": Member(floods(OK + b"\r\n"), 200, {""}),
    "chunks without end": Member(floods(CHUNKED, chunk(bytes(1000))), 200, {""}),
    "tiny chunks without end": Member(floods(CHUNKED, chunk(b"x")), 200, {Trouble.NOT_HTTP}),
    "a gzip bomb": Member(says(bomb()), 200, {""}),
    "headers without end": Member(floods(OK, b"X: y\r\n"), None, {Trouble.NOT_HTTP}),
    "a header of 1 MB": Member(
        says(OK + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n"), None, {Trouble.NOT_HTTP}
    ),
    "a header without end": Member(floods(OK + b"X: "), None, {Trouble.NOT_HTTP}),
    "a status without end": Member(floods(b"HTTP/1.1 200 "), None, {Trouble.NOT_HTTP}),
    "103 without end": Member(floods(b"", EARLY), None, {Trouble.NOT_HTTP}),
    "100 without end": Member(floods(b"", CONTINUE), None, {Trouble.NOT_HTTP}),
    "a chunk extension without end": Member(floods(CHUNKED + b"5;"), 200, {Trouble.NOT_HTTP}),
    "a size of zeros without end": Member(floods(CHUNKED, b"0"), 200, {Trouble.NOT_HTTP}),
    "trailers without end": Member(
        floods(CHUNKED + b"0\r\n", b"X: y\r\n"), 200, {Trouble.NOT_HTTP}
    ),
    "noise without end": Member(floods(b"", b"\xff"), None, {Trouble.NOT_HTTP}),
}

BROKEN = {
    "hangs up at once": Member(lambda peer: None, None, NO_HEARING),
    "hangs up when it has heard": refused(b""),
    "hangs up in the status line": refused(b"HTTP/1.1 20"),
    "hangs up in the headers": refused(OK + b"Content-Le"),
    "hangs up in the body": refused(OK + b"Content-Length: 99\r\n\r\nok", 200),
    "hangs up in a chunk": refused(CHUNKED + b"9\r\nok", 200),
    "hangs up before the last chunk": refused(CHUNKED + chunk(b"ok"), 200),
    "hangs up after 100": refused(CONTINUE),
    "resets at once": Member(Peer.reset, None, NO_HEARING),
    "resets when it has heard": Member(resets(b""), None, NO_ANSWER),
    "resets in the status line": Member(resets(b"HTTP/1.1 20"), None, NO_ANSWER),
    "resets in the headers": Member(resets(OK + b"Content-Le"), None, NO_ANSWER),
    "resets a long body that it has not heard": Member(
        Peer.reset, None, NO_HEARING, body=bytes(20_000_000)
    ),
    "hangs up before TLS": Member(lambda peer: None, None, NO_TLS, secure=True),
    "resets during TLS": Member(resets_a_hello, None, NO_TLS, secure=True),
    "knows no TLS": Member(
        lambda peer: peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        None,
        {Trouble.NOT_SECURED},
        secure=True,
    ),
    "HTTP/0.9": refused(b"<html>hello</html>"),
    "HTTP/2": refused(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18)),
    "the preface of HTTP/2": refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another protocol that nobody asked for": refused(
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello"
    ),
    "SSH": refused(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a request": refused(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a NUL in a header": refused(OK + b"X: a\0b\r\n\r\n"),
    "two lengths": refused(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!"),
    "a negative length": refused(OK + b"Content-Length: -2\r\n\r\nok"),
    "a length of letters": refused(OK + b"Content-Length: two\r\n\r\nok"),
    "another encoding": refused(OK + b"Transfer-Encoding: gzip\r\n\r\nok"),
    "a chunk of letters": refused(CHUNKED + b"zz\r\nok\r\n", 200),
    "a chunk longer than it says": refused(CHUNKED + b"1\r\nok\r\n0\r\n\r\n", 200),
    "a status below all": refused(b"HTTP/1.1 099 Hm\r\n\r\n"),
}

ODD = {
    "204 with a body": answers(b"HTTP/1.1 204 No Content\r\n\r\nbody", 204),
    "204 with a length": answers(b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nbody", 204),
    "more than it promised": answers(OK + b"Content-Length: 2\r\n\r\nok and so on"),
    "HTTP/1.0": answers(b"HTTP/1.0 200 OK\r\n\r\nok"),
    "no reason": answers(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
    "interim answers first": answers(CONTINUE + EARLY + OK + b"Content-Length: 2\r\n\r\nok"),
    "half a farewell": Member(
        says(OK + b"\r\nok", lambda peer: peer.socket.shutdown(socket.SHUT_WR)), 200, {""}
    ),
    "deaf after the request": Member(deaf, 200, {""}),
    "an answer before the body": Member(
        lambda peer: peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"),
        413,
        {"", *NO_ANSWER},
        body=b"x" * 1000,
    ),
    "invalid UTF-8": answers(OK + b"\r\n\xff\xfe\xc3(\x00"),
    "HTML": answers(OK + b"Content-Type: text/html\r\n\r\n<script>alert(1)</script>"),
    **{
        f"says {status}": answers(b"HTTP/1.1 %d Hm\r\nContent-Length: 2\r\n\r\nhm" % status, status)
        for status in (
            *(200, 201, 202, 299, 300, 301, 302, 303, 307, 308, 399, 400, 401, 403, 404, 405, 410),
            *(413, 418, 422, 429, 451, 500, 501, 502, 503, 504, 507, 520, 599),
        )
    },
}
