"""From the provider to the client: checked, renamed where it must be, counted as it passes."""

import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from gateway import sse
from gateway.call import EVENT_STREAM, Call
from gateway.errors import (
    APIError,
    InvalidRequest,
    ModelUnavailable,
    UpstreamFailed,
    UpstreamLimited,
)
from gateway.meter import Meter, Usage
from gateway.requests import with_fields
from gateway.upstream import Answer, UpstreamBroken

SECRETS = re.compile(r"\b(sk|kpx|rk|pk|key|whsec)[-_][A-Za-z0-9_-]{8,}|https?://\S+")
MAX_RETRY_AFTER = 60
NULL = Raw(b"null")


class Delta(Struct):
    content: Raw = NULL
    refusal: Raw = NULL
    reasoning_content: Raw = NULL
    reasoning: Raw = NULL
    tool_calls: Raw = NULL

    def bytes(self) -> int:
        """Length of what was generated, as JSON writes it, without the quotes of strings."""
        reasoning = self.reasoning if self.reasoning_content == NULL else self.reasoning_content
        parts = (self.content, self.refusal, reasoning)
        text = sum(len(bytes(part)) - 2 for part in parts if part != NULL)
        return text + (0 if self.tool_calls == NULL else len(bytes(self.tool_calls)))


class Choice(Struct):
    message: Delta | None = None
    delta: Delta | None = None
    finish_reason: str | None = None


class Completion(Struct):
    """What we look at in a completion or a chunk of one."""

    choices: list[Choice] | None = None
    model: str | None = None
    usage: Raw = NULL
    error: Raw = NULL


_decode = msgspec.json.Decoder(Completion).decode
_decode_usage = msgspec.json.Decoder(Usage | None).decode
_decode_error = msgspec.json.Decoder().decode


def parse(data: bytes) -> Completion:
    """Raises UpstreamFailed where the provider's answer is not what it should be."""
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UpstreamFailed("The model's answer could not be understood.") from error


def usage_of(reported: Raw) -> Usage | None:
    """The counts that the provider reports, unless they are missing or absurd."""
    try:
        usage = _decode_usage(reported)
    except msgspec.MsgspecError:
        return None
    sane = usage and 0 <= usage.prompt_tokens < 10**8 and 0 <= usage.completion_tokens < 10**8
    return usage if sane else None


async def relay_whole(call: Call, answer: Answer, meter: Meter) -> None:
    """Pass on one JSON body, under the name that the caller used."""
    body = await answer.body()
    completion = parse(body)
    if completion.error != NULL:
        raise refusal_in(bytes(completion.error))
    if not completion.choices:
        raise UpstreamFailed("The model's answer has no choices.")
    meter.usage = usage_of(completion.usage)
    meter.passes(sum(choice.message.bytes() for choice in completion.choices if choice.message))
    if completion.model != meter.requested_model:
        body = with_fields(body, model=meter.requested_model)
    meter.finish(200, "ok")
    await call.answer(200, body)


class Stream:
    """One stream on its way: which events to pass, and whether it came to a proper end."""

    def __init__(self, meter: Meter, *, wants_usage: bool) -> None:
        self._meter = meter
        self._wants_usage = wants_usage
        self._events = sse.Events()
        self.done = False
        self.complete = False
        self.trouble: APIError | None = None

    def feed(self, chunk: bytes) -> bytes:
        """What to send for these bytes: all that came before any ``trouble``."""
        passed: list[bytes] = []
        try:
            passed.extend(self._passed(chunk))
        except sse.TooLong:
            self.trouble = UpstreamFailed("The model sent an event without end.")
        except APIError as error:
            self.trouble = error
        return b"".join(passed)

    def _passed(self, chunk: bytes) -> Iterator[bytes]:
        for data in self._events.feed(chunk):
            if data.strip() == sse.DONE:
                self.done = True
                return
            completion = parse(data)
            if completion.error != NULL:
                raise refusal_in(bytes(completion.error))
            if self._note(completion):
                yield sse.event(self._renamed(data, completion))

    def _note(self, completion: Completion) -> bool:
        """Count what passes; False for an event that the client did not ask for."""
        self._meter.usage = usage_of(completion.usage) or self._meter.usage
        for choice in completion.choices or ():
            self._meter.passes(choice.delta.bytes() if choice.delta else 0)
            self.complete = self.complete or bool(choice.finish_reason)
        return bool(completion.choices) or self._wants_usage

    def _renamed(self, data: bytes, completion: Completion) -> bytes:
        if completion.model == self._meter.requested_model:
            return data
        return with_fields(data, model=self._meter.requested_model)


async def relay_stream(call: Call, answer: Answer, meter: Meter, *, wants_usage: bool) -> None:
    """Pass on a stream event by event; the status waits for the first one.

    Once the client has had a byte, trouble is one bare ``error`` event and no ``[DONE]``.
    """
    stream = Stream(meter, wants_usage=wants_usage)
    try:
        async for chunk in answer.chunks():
            if out := stream.feed(chunk):
                if call.status is None:
                    await call.start(200, EVENT_STREAM)
                await call.write(out)
                meter.progress()
            if stream.trouble:
                raise stream.trouble
            if stream.done:
                break
        if not stream.complete:
            raise UpstreamFailed("The model stopped before the end of its answer.")
    except (APIError, UpstreamBroken) as trouble:
        if call.status is None:
            raise
        await end_with(call, meter, as_error(trouble))
        return
    meter.finish(200, "ok")
    await call.write(sse.event(sse.DONE), more=False)


async def end_with(call: Call, meter: Meter, error: APIError) -> None:
    meter.finish(200, "upstream_error", error)
    await call.write(sse.event(error.body(call.request_id)), more=False)


def as_error(trouble: APIError | UpstreamBroken) -> APIError:
    if isinstance(trouble, APIError):
        return trouble
    return ModelUnavailable("The connection to the model broke.", code="upstream_interrupted")


async def refusal_of(answer: Answer) -> APIError:
    """A provider's refusal as ours: never its credentials' trouble as the client's."""
    body = (await answer.body())[:65536]
    status = answer.status
    if status == 429:
        after = answer.header("retry-after")
        seconds = int(after) if after.isdigit() else 5
        return UpstreamLimited(
            "The model's provider is limiting requests; this is not your own limit.",
            retry_after=max(1, min(seconds, MAX_RETRY_AFTER)),
        )
    if status in (400, 404, 413, 422):
        return InvalidRequest(said(body), code="rejected_by_model")
    if status >= 500 or status in (401, 402, 403):
        return ModelUnavailable("The model is temporarily unavailable.")
    return UpstreamFailed(f"The model answered with an unexpected status {status}.")


def refusal_in(error: bytes) -> APIError:
    """An error that came in the body of a 200."""
    return UpstreamFailed(said(b'{"error":' + error + b"}"), code="upstream_error")


def said(body: bytes) -> str:
    """The provider's words, without anything that looks like a secret or an address."""
    try:
        document = _decode_error(body)
        error = document.get("error", document)
        words = error.get("message") if isinstance(error, dict) else error
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError):
        words = None
    if not isinstance(words, str) or not words:
        return "The model refused the request."
    return "The model refused the request: " + SECRETS.sub("…", words)[:500]
