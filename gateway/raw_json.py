"""JSON that is looked at in places only: all other values keep their bytes."""

import re
from typing import Any

import msgspec
from msgspec import Raw

from gateway.sse import BOM

Fields = dict[str, Any]  # an object; values that we did not set are still Raw
NULL = Raw(b"null")
EMPTY = Raw(b"{}")
HEX = rb"[0-9a-fA-F]{2}"
ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB]%b\\u[dD][c-fC-F]%b|\\u[dD][89a-fA-F]%b" % (HEX, HEX, HEX)
)  # a backslash, a pair of surrogates, a lone one

decode_list = msgspec.json.Decoder(list[dict[str, Raw]]).decode
encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode


def decode_fields(data: bytes | Raw) -> Fields:
    """The members of an object, of which the last counts where a name stands twice."""
    return _decode_fields(data)


def with_fields(body: bytes, **changes: Any) -> bytes:
    """The same JSON object with some top-level fields set."""
    return encode(decode_fields(body) | changes)


def paired(data: bytes) -> bytes:
    """``data`` with lone surrogates as U+FFFD: JSON may escape them, no text can hold them."""
    if b"\\ud" not in data and b"\\uD" not in data:
        return data
    return ESCAPES.sub(lambda match: b"\\ufffd" if len(match[0]) == 6 else match[0], data)


def valid(data: bytes) -> bytes:
    """Whatever a provider sent as UTF-8, with U+FFFD for what is none."""
    if not data.isascii():
        data = data.removeprefix(BOM).decode(errors="replace").encode()
    return paired(data)
