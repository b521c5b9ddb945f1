"""From the provider to the client: checked, brought into shape, counted as it passes."""

import time
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

import msgspec

from gateway import sse
from gateway.call import EVENT_STREAM, Call
from gateway.errors import APIError, UpstreamFailed
from gateway.meter import Meter
from gateway.raw_json import NULL, Fields, decode_fields, decode_list, encode, valid
from gateway.refusals import refusal_in
from gateway.shapes import Chat
from gateway.upstream import MAX_ANSWER, Answer, UpstreamBroken

P = ParamSpec("P")
T = TypeVar("T")


def understood(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Raises UpstreamFailed where the provider's answer is not what it should be."""
    try:
        return function(*args, **kwargs)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UpstreamFailed("The model's answer could not be understood.") from error


def document_in(data: bytes) -> Fields:
    """The members of a completion or a chunk of one. Raises UpstreamFailed."""
    document: Fields = understood(decode_fields, valid(data))
    error = document.pop("error", NULL)
    if error != NULL:
        raise refusal_in(bytes(error))
    return document


def choices_in(document: Fields) -> list[Fields]:
    given = document.pop("choices", NULL)
    return [] if given == NULL else understood(decode_list, given)


def head(call: Call, meter: Meter, shape: Chat, kind: str) -> Fields:
    """What an answer and each of its chunks begin with: an id of ours and the caller's name."""
    return {
        "id": shape.id_prefix + call.request_id.removeprefix("req_"),
        "object": kind,
        "created": int(call.started_at),
        "model": meter.requested_model,
    }


async def whole_answer(answer: Answer, meter: Meter, shape: Chat) -> Fields:
    """A JSON body with its choices in shape, their length and its usage counted."""
    document = document_in(await answer.body())
    given = choices_in(document)
    if not given:
        raise UpstreamFailed("The model's answer has no choices.")
    choices, lengths = zip(*understood(completed, given, shape), strict=True)
    meter.reports(document.pop("usage", NULL))
    meter.passes(sum(lengths))
    return document | {"choices": choices}


def completed(choices: list[Fields], shape: Chat) -> list[tuple[Fields, int]]:
    return [shape.whole(choice, position) for position, choice in enumerate(choices)]


async def answer_whole(call: Call, meter: Meter, shape: Chat, document: Fields) -> None:
    """Send what ``whole_answer`` gave, with the usage as it was counted."""
    first = head(call, meter, shape, shape.whole_object)
    usage = meter.shown_usage()
    meter.finish(200, "ok")
    await call.answer(200, encode({**first, **document, **first, "usage": usage}))


class Stream:
    """One answer on its way, event by event, and whether it came to a proper end."""

    def __init__(self, call: Call, meter: Meter, shape: Chat, *, wants_usage: bool) -> None:
        meter.usage = None  # an attempt before this one may have said something
        self._meter = meter
        self._shape = shape
        self._head = head(call, meter, shape, shape.chunk_object)
        self._usage = {"usage": None} if wants_usage else {}
        self._events = sse.Events()
        self._json: bytearray | None = None  # an answer that turned out not to be a stream
        self._began = False
        self._open: set[int] = set()  # choices without a finish_reason
        self.generated = 0  # bytes, since it was last set to 0
        self.done = False
        self.trouble: APIError | None = None

    @property
    def lines(self) -> int:
        """How many have come; of a body that is no stream every chunk counts as one."""
        return self._events.lines if self._json is None else len(self._json)

    def feed(self, chunk: bytes) -> bytes:
        """What to send for these bytes: all that came before any ``trouble``."""
        if not self._began:
            text = chunk.lstrip(b" \r\n" + sse.BOM)
            self._began = bool(text)
            self._json = bytearray() if text[:1] == b"{" else None
        if self._json is None:
            return self._sent(self._events.feed(chunk))
        self._json += chunk
        if len(self._json) > MAX_ANSWER:
            self.trouble = UpstreamFailed("The model's answer is too large.")
        return b""

    def close(self) -> bytes:
        """What to send when the provider has ended; ``trouble`` if it ended too early."""
        rest = self._events.close() if self._json is None else iter([bytes(self._json)])
        out = b"" if self.done else self._sent(rest)
        if self.done and self._open:
            ends = [self._shape.end(index) for index in sorted(self._open)]
            out += self._event({}, ends)
        elif not self.trouble and (self._open or not self._shape.begun):
            self.trouble = UpstreamFailed("The model stopped before the end of its answer.")
        return out

    def _sent(self, events: Iterator[bytes]) -> bytes:
        passed: list[bytes] = []
        try:
            for data in events:
                if data.strip() == sse.DONE:
                    self.done = True
                    break
                if data.strip():
                    passed.append(understood(self._passed, data))
        except sse.TooLong:
            self.trouble = UpstreamFailed("The model sent an event without end.")
        except APIError as error:
            self.trouble = error
        return b"".join(passed)

    def _passed(self, data: bytes) -> bytes:
        document = document_in(data)
        self._meter.reports(document.pop("usage", NULL))
        given = choices_in(document)
        if self._json is not None:
            given = [self._shape.as_chunk(choice) for choice in given]
        choices = []
        for position, choice in enumerate(given):
            completed, length = self._shape.chunk(choice, position)
            self.generated += length
            still_open = completed["finish_reason"] is None
            (self._open.add if still_open else self._open.discard)(completed["index"])
            choices.append(completed)
        return self._event(document, choices) if choices else b""

    def _event(self, document: Fields, choices: list[Fields]) -> bytes:
        head = self._head
        chunk = {**head, **document, **head, "choices": choices, **self._usage}
        return sse.event(encode(chunk))


async def relay_stream(call: Call, answer: Answer, meter: Meter, stream: Stream) -> None:
    """Pass on one answer; the status waits for its first event. The stream stays open.

    Raises UpstreamFailed, UpstreamBroken; events that came before are sent.
    """
    heard_at, lines = time.monotonic(), 0
    async for chunk in answer.chunks():
        await send(call, meter, stream, stream.feed(chunk))
        if stream.done:
            break
        if stream.lines > lines:
            heard_at, lines = time.monotonic(), stream.lines
        elif time.monotonic() - heard_at > answer.route.deadlines.idle:
            raise UpstreamBroken("timeout")  # bytes that never become a line are no sign of life
    await send(call, meter, stream, stream.close())


async def send(call: Call, meter: Meter, stream: Stream, out: bytes) -> None:
    if out:
        if call.status is None:
            await call.start(200, EVENT_STREAM)
        meter.passes(stream.generated)
        stream.generated = 0
        await call.write(out)
        meter.progress()
    if stream.trouble:
        raise stream.trouble


async def end_stream(call: Call, meter: Meter, shape: Chat, *, wants_usage: bool) -> None:
    """The usage if it was asked for, and the end; the books are closed before."""
    meter.finish(200, "ok")
    out = b""
    if wants_usage:
        last = head(call, meter, shape, shape.chunk_object)
        out = sse.event(encode(last | {"choices": [], "usage": meter.shown_usage()}))
    await call.write(out + sse.event(sse.DONE), more=False)
