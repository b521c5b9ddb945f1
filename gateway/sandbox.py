"""The sandbox provider: an upstream of our own, with models that misbehave to order.

Reached over real HTTP like any provider, so a first call works without any provider account, and
users can rehearse every kind of trouble. A token here is four bytes of text, always.
"""

import asyncio
import hashlib
import math
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from django.conf import settings

from gateway.call import EVENT_STREAM, JSON, Call, Receive, Scope, Send
from gateway.errors import APIError
from gateway.sse import DONE, event
from gateway.tokens import BYTES_PER_TOKEN, tokens_in

CHAT, EMBEDDINGS = "/sandbox/v1/chat/completions", "/sandbox/v1/embeddings"
PACE = {"slow": 0.05}  # seconds from one token to the next
TROUBLE = {"429": 429, "503": 503}
MIDSTREAM_TOKENS = 3  # what midstream-error says before it fails
NO_LIMIT = 4096
DIMENSIONS = 256

_encode = msgspec.json.Encoder().encode


class Message(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None


class Request(msgspec.Struct):
    model: str
    messages: list[Message]
    stream: bool | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None


class EmbeddingRequest(msgspec.Struct):
    model: str
    input: str | list[Any]
    dimensions: int | None = None


async def sandbox(scope: Scope, receive: Receive, send: Send) -> None:
    """Chat completions and embeddings; only for whoever knows this instance's token."""
    call = Call(scope, receive, send)
    if call.header(b"authorization") != f"Bearer {settings.SANDBOX_TOKEN}":
        return await refuse(call, 401, "This provider serves its own gateway only.")
    if call.method != "POST" or call.path not in (CHAT, EMBEDDINGS):
        return await refuse(call, 404, "There is nothing at this address.")
    try:
        body = await call.body()
        if call.path == EMBEDDINGS:
            return await embed(call, msgspec.json.decode(body, type=EmbeddingRequest))
        request = msgspec.json.decode(body, type=Request)
    except (msgspec.MsgspecError, APIError) as error:
        return await refuse(call, 400, str(error))
    if request.model in TROUBLE:
        return await refuse(call, TROUBLE[request.model], "Rehearsed trouble.")
    if request.model == "bad-json":
        return await call.answer(200, b'{"id": "chatcmpl-sandbox", "choices": [')
    if request.stream:
        return await stream(call, request)
    return await whole(call, request)


async def refuse(call: Call, status: int, message: str) -> None:
    headers = [*JSON, (b"retry-after", b"2")] if status == 429 else JSON
    await call.answer(status, _encode({"error": {"message": message, "code": status}}), headers)


def reply_to(request: Request) -> tuple[str, str]:
    """The last message back, cut at the wanted number of tokens, with its finish_reason."""
    content = request.messages[-1].content or ""
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content)
    wanted = request.max_completion_tokens or request.max_tokens or NO_LIMIT
    cut = content.encode()[: wanted * BYTES_PER_TOKEN].decode(errors="ignore")
    return cut, "stop" if cut == content else "length"


def usage_of(request: Request, text: str) -> dict[str, int]:
    prompt = sum(len(str(message.content or "").encode()) for message in request.messages)
    counts = tokens_in(prompt), tokens_in(len(text.encode()))
    return {
        "prompt_tokens": counts[0],
        "completion_tokens": counts[1],
        "total_tokens": sum(counts),
    }


async def whole(call: Call, request: Request) -> None:
    text, reason = reply_to(request)
    await asyncio.sleep(PACE.get(request.model, 0) * tokens_in(len(text.encode())))
    if request.model == "midstream-error":
        return await refuse(call, 500, "Rehearsed trouble.")
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None},
        "logprobs": None,
        "finish_reason": reason,
    }
    body = document(request, "chat.completion", [choice]) | {"usage": usage_of(request, text)}
    return await call.answer(200, _encode(body))


def document(request: Request, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-sandbox",
        "object": kind,
        "created": int(time.time()),
        "model": request.model,
        "choices": choices,
    }


async def stream(call: Call, request: Request) -> None:
    await call.start(200, EVENT_STREAM)
    async for chunk in chunks(request):
        await call.write(event(_encode(chunk)))
    if request.model == "midstream-error":
        trouble = {"error": {"message": "Rehearsed trouble.", "code": 500}}
        return await call.write(event(_encode(trouble)), more=False)
    return await call.write(event(DONE), more=False)


async def chunks(request: Request) -> AsyncIterator[dict[str, Any]]:
    """A role, the text token by token, the reason for the end, the usage."""

    def chunk(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return document(request, "chat.completion.chunk", [choice])

    text, reason = reply_to(request)
    yield chunk({"role": "assistant", "content": ""})
    pieces = [text[at : at + BYTES_PER_TOKEN] for at in range(0, len(text), BYTES_PER_TOKEN)]
    for number, piece in enumerate(pieces):
        if request.model == "midstream-error" and number == MIDSTREAM_TOKENS:
            return
        yield chunk({"content": piece})
        await asyncio.sleep(PACE.get(request.model, 0))
    yield chunk({}, reason)
    yield document(request, "chat.completion.chunk", []) | {"usage": usage_of(request, text)}


async def embed(call: Call, request: EmbeddingRequest) -> None:
    """Vectors that depend on the text alone, as numbers, whatever format was asked for."""
    given = request.input
    inputs = [given] if isinstance(given, str) or isinstance(given[0], int) else given
    dimensions = min(request.dimensions or DIMENSIONS, NO_LIMIT)
    tokens = sum(
        tokens_in(len(entry.encode())) if isinstance(entry, str) else len(entry) for entry in inputs
    )
    vectors = [
        {"object": "embedding", "index": index, "embedding": vector(entry, dimensions)}
        for index, entry in enumerate(inputs)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    body = {"object": "list", "data": vectors, "model": request.model, "usage": usage}
    return await call.answer(200, _encode(body))


def vector(entry: str | list[int], dimensions: int) -> list[float]:
    """Of length 1, the same for the same input."""
    noise = hashlib.shake_256(repr(entry).encode()).digest(dimensions)
    numbers = [byte - 127.5 for byte in noise]
    length = math.hypot(*numbers)
    return [round(number / length, 6) for number in numbers]
