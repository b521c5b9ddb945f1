"""Asking a model to generate: one question after the other, whole or streamed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.call import Call
from gateway.catalog import Offer, Route
from gateway.dialects import spoken
from gateway.meter import Meter
from gateway.raw_json import NULL, Fields, decode_fields, encode
from gateway.relay import Stream, answer_whole, end_stream, relay_stream, whole_answer
from gateway.requests import StreamOptions
from gateway.routing import Errand, first_answer
from gateway.shapes import Chat
from gateway.upstream import Answer

if TYPE_CHECKING:
    from gateway.asgi import Gateway


@dataclass(frozen=True, slots=True)
class Question:
    """What one call to a provider asks, and what makes the shape that its answer must have."""

    path: str
    body: bytes
    shape: Callable[[], Chat]


async def generate(
    gateway: Gateway,
    call: Call,
    meter: Meter,
    offer: Offer,
    questions: list[Question],
    options: StreamOptions | None,
) -> None:
    """The answers to all questions as one, with the choices in the order of the questions.

    In one JSON body, or event by event with the usage at the end where ``options`` ask for it.
    """
    wants_usage = bool(options and options.include_usage)
    answers: list[Fields] = []

    async def relay(shape: Callable[[], Chat], answer: Answer) -> None:
        if meter.streamed:
            stream = Stream(call, meter, shape(), wants_usage=wants_usage)
            await relay_stream(call, answer, meter, stream)
        else:
            answers.append(await whole_answer(answer, meter, shape()))

    for question in questions:
        meter.next_answer()
        body_for = partial(worded, question.body, meter, offer)
        relay_one = partial(relay, question.shape)
        errand = Errand(question.path, body_for, relay_one)
        with gateway.heartbeat.watching(call):
            await first_answer(gateway, call, meter, offer, errand)
    shape = questions[0].shape()
    if meter.streamed:
        await end_stream(call, meter, shape, wants_usage=wants_usage)
    else:
        choices = [choice for answer in answers for choice in answer["choices"]]
        await answer_whole(call, meter, shape, answers[-1] | {"choices": choices})


def worded(body: bytes, meter: Meter, offer: Offer, route: Route) -> bytes:
    """A request as a provider wants it; what need not change keeps its bytes.

    A stream is always asked for its usage. Raises InvalidRequest for what the provider refuses.
    """
    same_name = meter.requested_model == route.upstream_model
    if same_name and not (meter.streamed or route.rules or offer.parameters):
        return body
    request: Fields = decode_fields(body)
    request["model"] = route.upstream_model
    options = request.pop("stream_options", NULL)
    if meter.streamed:
        given = {} if options == NULL else decode_fields(options)
        request["stream_options"] = given | {"include_usage": True}
    meter.left_out = spoken(request, route.rules, offer.parameters)
    return encode(request)
