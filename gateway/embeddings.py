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
from gateway.prompts import prompts_in, tokens_of
from gateway.raw_json import NULL, valid, with_fields
from gateway.refusals import refusal_in
from gateway.relay import understood
from gateway.requests import Count, parsed
from gateway.upstream import Answer

MAX_INPUTS = 2048
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
        inputs = prompts_in(self.input, "input", most=MAX_INPUTS, empty=False)
        return [tokens_of(entry) for entry in inputs]


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


def check_dimensions(wanted: int | None, most: int | None) -> None:
    """Raise InvalidRequest where more numbers are wanted than the model's vectors have."""
    if wanted and most and wanted > most:
        raise InvalidRequest(
            f"This model's embeddings have at most {most} dimensions.",
            code="invalid_value",
            param="dimensions",
        )


def parse_embeddings(body: bytes) -> EmbeddingRequest:
    """Raises InvalidRequest with the field."""
    return parsed(_decode_request, body)


async def relay_embeddings(
    call: Call, answer: Answer, meter: Meter, *, encoding: Encoding, count: int
) -> None:
    """Pass on ``count`` vectors under the name that the caller used, as ``encoding`` says."""
    body = valid(await answer.body())
    found = understood(_decode_vectors, body)
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
    meter.reports(found.usage)
    prompt, _, source = meter.counts(ok=True)
    if source != "provider" or b"prompt_tokens" not in bytes(found.usage):
        changes["usage"] = {"prompt_tokens": prompt, "total_tokens": prompt}
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
