"""Providers that refuse, or that break HTTP itself (rows 12, 18-24)."""

import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.upstream import answers
from tests.upstream.behaviours_content import ADDRESS, SECRET, error, wire
from tests.upstream.behaviours_silence import right_answer
from tests.upstream.exchange import EVENTS, JSON, Exchange, behaviour

REFUSAL = f"The field 'x' is wrong; key {SECRET} at {ADDRESS}"
WORDS = {
    "openai": {"error": {"message": REFUSAL, "type": "invalid_request_error", "code": 7}},
    "detail": {"detail": [{"msg": REFUSAL, "loc": ["body"]}]},
    "array": [{"error": {"message": REFUSAL, "status": "INVALID_ARGUMENT"}}],
    "flat": {"object": "error", "message": REFUSAL, "code": 40001},
    "text": REFUSAL,
    "nul": {"error": {"message": "four\0four"}},
    "surrogate": {"error": {"message": "four\ud83d"}},
    "empty": None,
}


@behaviour
async def status(x: Exchange) -> None:
    """Refuses; the argument is the status, and after a dash the shape of the words."""
    code, _, shape = x.argument.partition("-")
    words = WORDS[shape or "openai"]
    body = b"" if words is None else json.dumps(words).encode()
    await x.answer(body, int(code))


@behaviour
async def limited(x: Exchange) -> None:
    """429 with every way of saying when to come back."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    headers = {
        "seconds": {"retry_after": "7"},
        "date": {"retry_after": soon},
        "ms": {"retry_after_ms": "2500"},
        "none": {},
        "absurd": {"retry_after": "86400"},
        "negative": {"retry_after": "-5"},
        "words": {"retry_after": "soon"},
    }[x.argument]
    await x.answer(error("429"), 429, **headers, x_ratelimit_remaining_requests="0")


@behaviour
async def redirect(x: Exchange) -> None:
    place = f"http://127.0.0.1:{x.local_port}/v1/canary"
    await x.answer(b"", int(x.argument), location=place)


@behaviour
async def encoded(x: Exchange) -> None:
    """Compressed, though nobody asked for it; some only claim to be."""
    name, _, lie = x.argument.partition("-")
    body = json.dumps(answers.whole(x.kind)).encode()
    if x.streamed:
        body = wire(answers.stream(x.kind))
    if not lie:
        body = gzip.compress(body) if name == "gzip" else zlib.compress(body)
    label = EVENTS if x.streamed else JSON
    await x.answer(body, content_type=label, content_encoding=name)


@behaviour
async def gzip_bomb(x: Exchange) -> None:
    """512 MiB of nothing in half a MiB."""
    bomb = gzip.compress(bytes(1024 * 1024)) * 512
    await x.answer(bomb, content_type=EVENTS if x.streamed else JSON, content_encoding="gzip")


@behaviour
async def bad_framing(x: Exchange) -> None:
    """Says one thing about the length of its answer and does another."""
    body = (
        wire(answers.stream(x.kind)) if x.streamed else json.dumps(answers.whole(x.kind)).encode()
    )
    label = EVENTS if x.streamed else JSON
    length = len(body)
    top = f"HTTP/1.1 200 OK\r\ncontent-type: {label}\r\n".encode()
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (length, body)
    half = length // 2
    await x.send(
        top
        + {
            "too-small": b"content-length: %d\r\n\r\n" % half + body,
            "too-large": b"content-length: %d\r\n\r\n" % (length + 50) + body,
            "two-lengths": b"content-length: %d\r\ncontent-length: %d\r\n\r\n" % (length, half)
            + body,
            "bad-length": b"content-length: 12abc\r\n\r\n" + body,
            "both": b"content-length: %d\r\ntransfer-encoding: chunked\r\n\r\n" % half + chunked,
            "chunk-size": b"transfer-encoding: chunked\r\n\r\nzz\r\n" + body + b"\r\n0\r\n\r\n",
            "huge-chunk": b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + body,
            "nul": b"x-bad: a\0b\r\ncontent-length: %d\r\n\r\n" % length + body,
            "bare-lf": b"x-bad: a\nb\r\ncontent-length: %d\r\n\r\n" % length + body,
            "no-colon": b"this is no header\r\ncontent-length: %d\r\n\r\n" % length + body,
            "huge-header": b"x-bad: " + b"a" * 1_000_000 + b"\r\ncontent-length: 2\r\n\r\n{}",
        }[x.argument]
    )
    if x.argument in ("too-large", "huge-chunk"):
        x.close()


@behaviour
async def garbage(x: Exchange) -> None:
    """No HTTP at all."""
    await x.send(b"\x15\x03\x01\x00\x02\x02\x28 SSH-2.0-OpenSSH_9.6\r\n\r\n")
    x.close()


@behaviour
async def informed(x: Exchange) -> None:
    """Interim answers before the real one."""
    if x.argument == "100":
        await x.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    else:
        await x.send(b"HTTP/1.1 103 Early Hints\r\nlink: </x.css>; rel=preload\r\n\r\n")
    await right_answer(x)
