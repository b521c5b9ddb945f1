"""What a client asks for: a typed view of the fields we check; the bytes themselves are kept.

Unknown fields are nobody's business here and always pass. ``null`` means absent.
"""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.call import Call
from gateway.errors import ContextTooLong, InvalidRequest, WrongContentType
from gateway.raw_json import NULL, paired
from gateway.tokens import IMAGE_TOKENS, tokens_in

PLACE = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)
T = TypeVar("T")
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Count = Annotated[int, Meta(ge=1)]


class Part(Struct):
    type: str
    text: Raw = NULL


class Message(Struct):
    role: str
    content: Raw = NULL


class StreamOptions(Struct):
    include_usage: bool | None = None


class ChatRequest(Struct):
    """The checked fields of ``POST chat/completions`` (seed: keyplex, lines 120–151)."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop: str | list[str] | None = None
    user: str | None = None

    def prompt_tokens(self) -> int:
        """An estimate from the length of every message (``tokens_in``). Raises InvalidRequest."""
        return sum(
            tokens_of(message.content, f"messages[{number}].content") + 4
            for number, message in enumerate(self.messages)
        )

    def output_tokens(self, default: int) -> int:
        """The most that may be generated, over all choices."""
        return (self.max_completion_tokens or self.max_tokens or default) * (self.n or 1)


_decode_chat = msgspec.json.Decoder(ChatRequest).decode
_decode_parts = msgspec.json.Decoder(list[Part]).decode


async def json_body(call: Call) -> bytes:
    """Raises WrongContentType, BodyTooLarge; whether it is JSON will show."""
    if call.header(b"content-type").lower().startswith("multipart/"):
        raise WrongContentType("Send the request as application/json.")
    return paired(await call.body())


def parse_chat(body: bytes) -> ChatRequest:
    """The view of a chat request. Raises InvalidRequest with the field."""
    return parsed(_decode_chat, body)


def parsed(decode: Callable[[bytes], T], body: bytes) -> T:
    """What ``decode`` sees in a body. Raises InvalidRequest with the field."""
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise invalid_field(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(
            f"The request body is not valid JSON: {error}.", code="invalid_json"
        ) from None


def invalid_field(problem: str, *, within: str = "") -> InvalidRequest:
    """A validation message with its place, somewhere ``within`` a field, turned into ``param``."""
    match = PLACE.match(problem)
    assert match is not None
    what, place = match[1], within + (match[2] or "")
    missing = re.search(r"required field `(.+?)`", what)
    if missing:
        place = f"{place}.{missing[1]}" if place else missing[1]
        return InvalidRequest(f"'{place}' is required.", code="missing_field", param=place)
    if not place:
        return InvalidRequest(f"The request body is not right: {what}.")
    return InvalidRequest(f"'{place}' is not right: {what}.", code="invalid_value", param=place)


def check_fits(prompt: int, context_window: int | None, param: str = "messages") -> None:
    """Raise ContextTooLong if a prompt of so many tokens is longer than the model's window."""
    if context_window and prompt > context_window:
        raise ContextTooLong(
            f"This model's maximum context length is {context_window} tokens. "
            f"However, '{param}' comes to about {prompt} tokens.",
            param=param,
        )


def tokens_of(content: Raw, place: str) -> int:
    """Estimated tokens of a message's ``content``: a string, null, or a list of parts.

    Raises InvalidRequest for anything else, with ``place`` as the field.
    """
    raw = bytes(content)
    if raw[:1] == b'"':
        return tokens_in(len(raw) - 2)
    if content == NULL:
        return 0
    try:
        parts = _decode_parts(raw)
    except msgspec.ValidationError as error:
        raise invalid_field(str(error), within=place) from None
    texts = [bytes(part.text) for part in parts]
    return sum(IMAGE_TOKENS if text == NULL else tokens_in(len(text) - 2) for text in texts)
