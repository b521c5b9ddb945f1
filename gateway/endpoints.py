"""What models answer under /v1. Each endpoint's story is read here, top to bottom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from accounts.scopes import Scope
from gateway.call import Call
from gateway.catalog import Offer
from gateway.embeddings import parse_embeddings, relay_embeddings
from gateway.errors import APIError, ModelUnavailable
from gateway.meter import Meter
from gateway.relay import as_error, refusal_of, relay_stream, relay_whole
from gateway.requests import ChatRequest, check_fits, parse_chat, with_fields
from gateway.upstream import Answer, UpstreamBroken

if TYPE_CHECKING:
    from gateway.asgi import Gateway


async def chat_completions(gateway: Gateway, call: Call) -> None:
    """``POST chat/completions``, streamed or not."""
    meter = await gateway.authenticate(call, "chat/completions")
    meter.caller.require(Scope.CHAT_WRITE)
    body = await call.body()
    request = parse_chat(body, call.header(b"content-type"))
    offer = await gateway.catalog.find(request.model)
    prompt = request.prompt_tokens()
    meter.asked(
        offer,
        request.model,
        streamed=bool(request.stream),
        prompt=prompt,
        user=request.user or "",
    )
    offer.require("chat")
    check_fits(prompt, offer.context_window)

    await gateway.admit(meter, prompt + request.output_tokens(offer.max_output_tokens))
    errand = Errand(
        "chat/completions",
        streamed=bool(request.stream),
        body_for=partial(for_upstream, body, request),
        relay=partial(relay, call, meter, request),
    )
    async with call.while_client_listens():
        await first_answer(gateway, call, meter, offer, errand)


async def embeddings(gateway: Gateway, call: Call) -> None:
    """``POST embeddings``: vectors for texts or token ids; only the prompt has tokens."""
    meter = await gateway.authenticate(call, "embeddings")
    meter.caller.require(Scope.EMBEDDINGS_WRITE)
    body = await call.body()
    request = parse_embeddings(body, call.header(b"content-type"))
    offer = await gateway.catalog.find(request.model)
    tokens = request.tokens()
    meter.asked(offer, request.model, streamed=False, prompt=sum(tokens), user=request.user or "")
    offer.require("embedding")
    check_fits(max(tokens), offer.context_window, "input")

    await gateway.admit(meter, sum(tokens))
    errand = Errand(
        "embeddings",
        streamed=False,
        body_for=lambda name: renamed(body, request.model, name),
        relay=lambda answer: relay_embeddings(
            call,
            answer,
            meter,
            encoding=request.encoding_format or "float",
            count=len(tokens),
        ),
    )
    async with call.while_client_listens():
        await first_answer(gateway, call, meter, offer, errand)


@dataclass(frozen=True, slots=True)
class Errand:
    """What is sent to whichever provider is asked, and what becomes of its answer."""

    path: str
    streamed: bool
    body_for: Callable[[str], bytes]  # under the provider's own name of the model
    relay: Callable[[Answer], Awaitable[None]]


async def first_answer(
    gateway: Gateway, call: Call, meter: Meter, offer: Offer, errand: Errand
) -> None:
    """Route by route until one answers; raise what the last one said if none does."""
    error: APIError = ModelUnavailable(
        f"No provider of '{offer.model_id}' is configured on this server.",
        code="provider_not_configured",
        should_retry=False,
    )
    for route in offer.routes:
        if route.credential is None:
            meter.tried(route, "not configured")
            continue
        try:
            sent = errand.body_for(route.upstream_model)
            exchange = gateway.upstream.post(route, errand.path, sent, streamed=errand.streamed)
            async with exchange as answer:
                if answer.status != 200:
                    raise await refusal_of(answer)
                meter.tried(route, "answered")
                await errand.relay(answer)
                return
        except (APIError, UpstreamBroken) as trouble:
            error = as_error(trouble)
            meter.tried(route, str(getattr(trouble, "reason", error.code)))
            if call.status is not None or error.status in (400, 404):
                break
    raise error


async def relay(call: Call, meter: Meter, request: ChatRequest, answer: Answer) -> None:
    if request.stream:
        wants_usage = request.stream_options and request.stream_options.include_usage
        await relay_stream(call, answer, meter, wants_usage=bool(wants_usage))
    else:
        await relay_whole(call, answer, meter)


def for_upstream(body: bytes, request: ChatRequest, upstream_model: str) -> bytes:
    """The client's bytes under the provider's name; streams always tell their usage."""
    if request.stream:
        return with_fields(body, model=upstream_model, stream_options={"include_usage": True})
    return renamed(body, request.model, upstream_model)


def renamed(body: bytes, name: str, upstream_model: str) -> bytes:
    return with_fields(body, model=upstream_model) if name != upstream_model else body
