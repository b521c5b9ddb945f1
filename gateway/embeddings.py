"""``POST embeddings``: what is asked, and the vectors in the format that was asked for.

Seed: keyplex, lines 200-219. OpenAI's clients ask for base64 unless told otherwise, and not every
provider heeds it: then we write the other format ourselves, float32 in little-endian order.
"""

import base64
import binascii
import struct
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from gateway.call import Call
from gateway.errors import InvalidRequest, UpstreamFailed
from gateway.meter import Meter
from gateway.relay import refusal_in, usage_of
from gateway.requests import Count, parsed, with_fields
from gateway.tokens import tokens_in
from gateway.upstream import Answer

MAX_INPUTS = 2048
NULL = Raw(b"null")
Encoding = Literal["float", "base64"]


class EmbeddingRequest(Struct):
    """The checked fields. ``input`` is a text, texts, token ids, or lists of token ids."""

    model: str
    input: Raw
    encoding_format: Encoding | None = None
    dimensions: Count | None = None
    user: str | None = None

    def tokens(self) -> list[int]:
        """How many each input has: exactly for token ids, estimated for texts.

        Raises InvalidRequest for an input that is empty, of another kind, or one of too many.
        """
        inputs = _decode_any(self.input)
        if isinstance(inputs, str) or is_token_ids(inputs):
            inputs = [inputs]
        if not isinstance(inputs, list) or not inputs or not all(map(is_input, inputs)):
            raise wrong("must be a text, a list of texts, or token ids, and nothing in it empty")
        if len(inputs) > MAX_INPUTS:
            raise wrong(f"has {len(inputs):,} entries, more than the {MAX_INPUTS:,} allowed")
        return [
            tokens_in(len(entry.encode(errors="replace"))) if isinstance(entry, str) else len(entry)
            for entry in inputs
        ]


class Vector(Struct):
    embedding: Raw
    index: int = 0


class Vectors(Struct):
    """What we look at in a provider's answer."""

    data: list[Vector] | None = None
    model: str | None = None
    usage: Raw = NULL
    error: Raw = NULL


_decode_request = msgspec.json.Decoder(EmbeddingRequest).decode
_decode_vectors = msgspec.json.Decoder(Vectors).decode
_decode_any = msgspec.json.Decoder().decode


def parse_embeddings(body: bytes, content_type: str) -> EmbeddingRequest:
    """Raises InvalidRequest with the field, WrongContentType."""
    return parsed(_decode_request, body, content_type)


def is_token_ids(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(entry) is int for entry in value)


def is_input(value: Any) -> bool:
    return (isinstance(value, str) and bool(value)) or is_token_ids(value)


def wrong(what: str) -> InvalidRequest:
    return InvalidRequest(f"'input' {what}.", code="invalid_value", param="input")


async def relay_embeddings(
    call: Call, answer: Answer, meter: Meter, *, encoding: Encoding, count: int
) -> None:
    """Pass on ``count`` vectors under the name that the caller used, as ``encoding`` says."""
    body = await answer.body()
    try:
        found = _decode_vectors(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UpstreamFailed("The model's answer could not be understood.") from error
    if found.error != NULL:
        raise refusal_in(bytes(found.error))
    vectors = found.data or []
    if len(vectors) != count:
        raise UpstreamFailed(
            f"The model's answer has {len(vectors)} embeddings instead of {count}."
        )
    changes: dict[str, Any] = {}
    if found.model != meter.requested_model:
        changes["model"] = meter.requested_model
    if any(encoding_of(vector) != encoding for vector in vectors):
        changes["data"] = [
            {"object": "embedding", "index": vector.index, "embedding": written(vector, encoding)}
            for vector in vectors
        ]
    meter.usage = usage_of(found.usage)
    meter.finish(200, "ok")
    await call.answer(200, with_fields(body, **changes) if changes else body)


def encoding_of(vector: Vector) -> Encoding:
    return "base64" if bytes(vector.embedding)[:1] == b'"' else "float"


def written(vector: Vector, encoding: Encoding) -> str | list[float] | Raw:
    """The numbers in this format. Raises UpstreamFailed where they are none."""
    if encoding_of(vector) == encoding:
        return vector.embedding
    try:
        given = _decode_any(vector.embedding)
        if encoding == "base64":
            return base64.b64encode(struct.pack(f"<{len(given)}f", *given)).decode()
        packed = base64.b64decode(given, validate=True)
        return list(struct.unpack(f"<{len(packed) // 4}f", packed))
    except (TypeError, ValueError, OverflowError, binascii.Error, struct.error) as error:
        raise UpstreamFailed("The model's answer has an embedding without numbers.") from error
