"""Providers whose HTTP is right and whose answers are not (rows 8-16, 27, 28)."""

import json
from typing import Any

from tests.provider import PIECE
from tests.upstream import answers
from tests.upstream.answers import Document
from tests.upstream.exchange import EVENTS, Exchange, behaviour

SECRET = "sk-zoo-0123456789abcdefghij"
ADDRESS = "https://internal.zoo.example/v1/engines"
USAGES: dict[str, Any] = {
    "null": None,
    "negative": {"prompt_tokens": -7, "completion_tokens": -5, "total_tokens": -12},
    "float": {"prompt_tokens": 7.5, "completion_tokens": 5.5, "total_tokens": 13.0},
    "string": {"prompt_tokens": "7", "completion_tokens": "5", "total_tokens": "12"},
    "huge": {"prompt_tokens": 10**12, "completion_tokens": 10**12, "total_tokens": 2 * 10**12},
    "above-max": {"prompt_tokens": 7, "completion_tokens": 90_000, "total_tokens": 90_007},
    "above-context": {"prompt_tokens": 90_000, "completion_tokens": 5, "total_tokens": 90_005},
    "list": [7, 5, 12],
}
ODD_BODIES = {
    "truncated": b'{"id": "cmpl-1", "object": "chat.completion", "choices": [{"ind',
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "string": b'"four"',
    "number": b"4",
    "no-choices": b'{"id": "cmpl-1", "object": "chat.completion", "created": 1, "model": "m"}',
    "empty-choices": b'{"id": "cmpl-1", "choices": [], "data": [], "model": "m"}',
}
TEXTS = {  # bytes within a JSON string, as a provider sends them
    "invalid-utf8": b"f\xffur\xc3(four\xe2\x82",
    "surrogate": b"four\\ud83d four",
    "nul": b"four\\u0000four",
    "raw-surrogate": b"four\xed\xa0\xbdfour",
}


@behaviour
async def usage(x: Exchange) -> None:
    """Reports counts that are missing or absurd."""
    reported = USAGES[x.argument]
    if not x.streamed:
        await x.answer(answers.whole(x.kind) | {"usage": reported})
        return
    last = answers.document(x.kind, choices=[], usage=reported)
    finish = answers.chunk(x.kind, finish="stop")
    await x.stream(*answers.pieces(x.kind), finish, last, b"[DONE]")


@behaviour
async def no_usage(x: Exchange) -> None:
    document = answers.whole(x.kind)
    del document["usage"]
    if x.streamed:
        await x.stream(*answers.pieces(x.kind), answers.chunk(x.kind, finish="stop"), b"[DONE]")
    else:
        await x.answer(document)


@behaviour
async def usage_twice(x: Exchange) -> None:
    last = answers.closing(x.kind)
    await x.stream(*answers.pieces(x.kind), *last, last[-1], b"[DONE]")


@behaviour
async def usage_first(x: Exchange) -> None:
    finish, usage = answers.closing(x.kind)
    await x.stream(usage, *answers.pieces(x.kind), finish, b"[DONE]")


def error(code: str) -> Document:
    """What gateways of gateways put into a 200."""
    said = f"Upstream {ADDRESS} rejected key {SECRET}"
    if code == "string":
        return {"error": said}
    return {"error": {"message": said, "code": int(code or 502), "metadata": {"raw": SECRET}}}


@behaviour
async def error_in_200(x: Exchange) -> None:
    if x.streamed:
        await x.stream(error(x.argument), b"[DONE]")
    else:
        await x.answer(error(x.argument))


@behaviour
async def error_later(x: Exchange) -> None:
    """Two tokens, then an error beside ``choices`` as OpenRouter sends it, then ``[DONE]``."""
    last = answers.chunk(x.kind, finish="error") | error("502")
    x.trace.tokens = 2
    await x.stream(*answers.pieces(x.kind, 2), last, b"[DONE]")


@behaviour
async def odd_body(x: Exchange) -> None:
    body = ODD_BODIES[x.argument]
    if not x.streamed:
        await x.answer(body)
    elif body:
        await x.stream(body, b"[DONE]")
    else:
        await x.stream()


@behaviour
async def odd_event_later(x: Exchange) -> None:
    x.trace.tokens = 2
    await x.stream(*answers.pieces(x.kind, 2), ODD_BODIES["truncated"], b"[DONE]")


@behaviour
async def text(x: Exchange) -> None:
    """Says something in bytes that are hardly text."""
    said, mark = TEXTS[x.argument], b"@@@"
    if not x.streamed:
        await x.answer(as_sent(answers.whole(x.kind, text=mark.decode()), said))
        return
    content = answers.chunk(x.kind, mark.decode())
    events = [*answers.opening(x.kind), content, *answers.closing(x.kind)]
    await x.stream(*[as_sent(event, said) for event in events], b"[DONE]")


def as_sent(event: Document, said: bytes) -> bytes:
    return json.dumps(event).encode().replace(b"@@@", said)


@behaviour
async def byte_order_mark(x: Exchange) -> None:
    mark = b"\xef\xbb\xbf"
    if not x.streamed:
        await x.answer(mark + json.dumps(answers.whole(x.kind)).encode())
        return
    await x.open_stream()
    await x.chunk(mark)
    for event in answers.stream(x.kind):
        await x.event(event)
    await x.event(b"[DONE]")
    await x.close_stream()


@behaviour
async def one_byte_chunks(x: Exchange) -> None:
    if x.streamed:
        await x.open_stream()
        body = wire(answers.stream(x.kind))
    else:
        await x.head(content_type="application/json", transfer_encoding="chunked")
        body = json.dumps(answers.whole(x.kind)).encode()
    for at in range(len(body)):
        await x.chunk(body[at : at + 1])
    await x.close_stream()


def wire(events: list[Document], begin: bytes = b"data: ", end: bytes = b"\n") -> bytes:
    """Events as bytes, ``[DONE]`` included."""
    lines = [json.dumps(event).encode() for event in events] + [b"[DONE]"]
    return b"".join(begin + line + end + end for line in lines)


def in_two_lines(events: list[Document]) -> bytes:
    """Every event as two ``data`` lines, parted where JSON allows white space."""
    halves = [json.dumps(event).encode().split(b", ", 1) for event in events]
    lines = [b"data: " + a + b",\ndata: " + b + b"\n\n" for a, b in halves]
    return b"".join(lines) + b"data: [DONE]\n\n"


def mixed(events: list[Document]) -> bytes:
    ends = [b"\n", b"\r\n", b"\r"]
    lines = [json.dumps(event).encode() for event in events] + [b"[DONE]"]
    return b"".join(b"data: " + line + ends[n % 3] * 2 for n, line in enumerate(lines))


DIALECTS = {
    "crlf": lambda events: wire(events, end=b"\r\n"),
    "cr": lambda events: wire(events, end=b"\r"),
    "mixed": mixed,
    "comments": lambda events: b": PROCESSING\n\n" + wire(events, begin=b": x\ndata: "),
    "fields": lambda events: (
        b"retry: 3000\n\nevent: ping\n\n" + wire(events, begin=b"id: 7\nevent: message\ndata: ")
    ),
    "two-lines": in_two_lines,
    "no-space": lambda events: wire(events, begin=b"data:"),
    "empty-data": lambda events: b"data:\n\ndata: \n\n" + wire(events),
}


@behaviour
async def dialect(x: Exchange) -> None:
    """The same events in another way of writing them."""
    await x.open_stream()
    await x.chunk(DIALECTS[x.argument](answers.stream(x.kind)))
    await x.close_stream()


@behaviour
async def giant_line(x: Exchange) -> None:
    """So many tokens, then a line of 2 MiB; no more than a large answer where none is streamed."""
    tokens = int(x.argument or 0)
    giant = json.dumps(answers.chunk(x.kind, "four" * 524_288)).encode()
    x.trace.tokens = tokens
    events = answers.pieces(x.kind, tokens) if tokens else []
    await x.stream(*events, giant, *answers.closing(x.kind), b"[DONE]")


@behaviour
async def giant_body(x: Exchange) -> None:
    """A valid answer of so many MiB."""
    await x.answer(answers.whole(x.kind, text="four" * (int(x.argument) * 262_144)))


@behaviour
async def several_choices(x: Exchange) -> None:
    """Three choices, interleaved and not in order."""
    order = [2, 0, 1, 1, 2, 0]
    if x.streamed:
        events = answers.opening(x.kind)
        events += [answers.chunk(x.kind, PIECE, index=index) for index in order]
        events += [answers.chunk(x.kind, finish="stop", index=index) for index in (1, 0, 2)]
        end = answers.document(x.kind, choices=[], usage=answers.usage(x.kind, 6))
        await x.stream(*events, end, b"[DONE]")
        return
    document = answers.whole(x.kind, 2)
    choices = [document["choices"][0] | {"index": index} for index in (2, 0, 1)]
    await x.answer(document | {"choices": choices, "usage": answers.usage(x.kind, 6)})


@behaviour
async def huge_logprobs(x: Exchange) -> None:
    """Half a MiB of ``logprobs`` beside each token."""
    logprobs = {"content": [{"token": PIECE, "logprob": -0.5, "bytes": [102] * 100_000}]}
    events = answers.stream(x.kind)
    for event in events:
        for choice in event["choices"]:
            choice["logprobs"] = logprobs
    document = answers.whole(x.kind)
    document["choices"][0]["logprobs"] = logprobs
    await (x.stream(*events, b"[DONE]") if x.streamed else x.answer(document))


@behaviour
async def other_names(x: Exchange) -> None:
    """Another model and another id in every event, and fields that nobody knows."""
    document = answers.whole(x.kind) | {"model": "secret-internal", "x_extra": {"a": 1}}
    if not x.streamed:
        await x.answer(document)
        return
    events = answers.stream(x.kind)
    for number, event in enumerate(events):
        event |= {"id": f"gen-{number}", "created": number, "x_extra": {"a": 1}}
        event["model"] = f"secret-internal-{number}"
    await x.stream(*events, b"[DONE]")


@behaviour
async def html(x: Exchange) -> None:
    await x.answer(b"<html><h1>Welcome to nginx</h1></html>", content_type="text/html")


@behaviour
async def other_form(x: Exchange) -> None:
    """Events where JSON was asked for, and JSON where events were."""
    if x.streamed:
        await x.answer(answers.whole(x.kind))
    else:
        await x.stream(*answers.stream(x.kind), b"[DONE]")


@behaviour
async def other_label(x: Exchange) -> None:
    """The right answer, labelled as the other form."""
    if x.streamed:
        await x.open_stream("application/json")
        await x.chunk(wire(answers.stream(x.kind)))
        await x.close_stream()
    else:
        await x.answer(answers.whole(x.kind), content_type=EVENTS)


@behaviour
async def golden(x: Exchange) -> None:
    """Says just what the case put into ``x_wire``; ``x_cut`` is how it ends, and after how much."""
    body = x.trace.request["x_wire"].encode("latin-1")
    how, at = x.trace.request.get("x_cut", ["", len(body)])
    await (x.open_stream() if how == "reset" else x.head(content_type=EVENTS, connection="close"))
    if at:
        await (x.chunk(body[:at]) if how == "reset" else x.send(body[:at]))
    if how == "reset":
        x.reset()
    else:
        x.close()
