"""What models answer under /v1. Each endpoint's story is read here, top to bottom."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from accounts.scopes import Scope
from gateway.call import Call
from gateway.completions import parse_completion
from gateway.embeddings import check_dimensions, parse_embeddings, relay_embeddings
from gateway.generation import Question, generate, worded
from gateway.rehearsal import is_rehearsal, rehearse
from gateway.requests import check_fits, json_body, parse_chat
from gateway.routing import Errand, first_answer
from gateway.shapes import Chat

if TYPE_CHECKING:
    from gateway.asgi import Gateway


async def chat_completions(gateway: Gateway, call: Call) -> None:
    """``POST chat/completions``, streamed or not."""
    meter = await gateway.authenticate(call, "chat/completions")
    meter.require(Scope.CHAT_WRITE)
    body = await json_body(call)
    request = parse_chat(body)
    offer = await gateway.catalog.find(request.model)
    prompt = request.prompt_tokens()
    meter.asked(
        offer, request.model, streamed=bool(request.stream), prompt=prompt, user=request.user
    )
    offer.require("chat")
    check_fits(prompt, offer.context_window)

    tokens = prompt + request.output_tokens(offer.max_output_tokens)
    if is_rehearsal(call):
        await rehearse(gateway, call, meter, offer, tokens)
        return
    await gateway.admit(meter, tokens)
    questions = [Question("chat/completions", body, Chat)]
    async with call.while_client_listens():
        await generate(gateway, call, meter, offer, questions, request.stream_options)


async def completions(gateway: Gateway, call: Call) -> None:
    """``POST completions``, streamed or not; a model that only chats is asked prompt by prompt."""
    meter = await gateway.authenticate(call, "completions")
    meter.require(Scope.COMPLETIONS_WRITE)
    body = await json_body(call)
    request = parse_completion(body)
    offer = await gateway.catalog.find(request.model)
    tokens = request.tokens()
    prompt = sum(tokens)
    meter.asked(
        offer, request.model, streamed=bool(request.stream), prompt=prompt, user=request.user
    )
    questions = request.questions(body, offer)
    meter.translated = offer.kind == "chat"
    check_fits(max(tokens), offer.context_window, "prompt")

    reserved = prompt + request.output_tokens()
    if is_rehearsal(call):
        await rehearse(gateway, call, meter, offer, reserved)
        return
    await gateway.admit(meter, reserved)
    async with call.while_client_listens():
        await generate(gateway, call, meter, offer, questions, request.stream_options)


async def embeddings(gateway: Gateway, call: Call) -> None:
    """``POST embeddings``: vectors for texts or token ids; only the prompt has tokens."""
    meter = await gateway.authenticate(call, "embeddings")
    meter.require(Scope.EMBEDDINGS_WRITE)
    body = await json_body(call)
    request = parse_embeddings(body)
    offer = await gateway.catalog.find(request.model)
    tokens = request.tokens()
    meter.asked(offer, request.model, streamed=False, prompt=sum(tokens), user=request.user)
    offer.require("embedding")
    check_fits(max(tokens), offer.context_window, "input")
    check_dimensions(request.dimensions, offer.dimensions)

    if is_rehearsal(call):
        await rehearse(gateway, call, meter, offer, sum(tokens))
        return
    await gateway.admit(meter, sum(tokens))
    errand = Errand(
        "embeddings",
        body_for=partial(worded, body, meter, offer),
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
