"""What is written down about a call, and how it lies in a journal: framed, with a checksum."""

import struct
import zlib
from collections.abc import Callable, Iterator

import msgspec

FRAME = struct.Struct("<II")  # length and CRC-32 of the payload
LONGEST = 1 << 24  # bytes; a longer payload can only be damage


class Intent(msgspec.Struct, array_like=True, tag="intent"):
    """Somebody is about to be served. Fields may be added at the end, with a default."""

    request_id: str
    started_at: float
    retention_class: str = "standard"
    account_id: int = 0
    api_key_id: int = 0
    endpoint: str = ""
    requested_model: str = ""
    model: str = ""
    streamed: bool = False
    prompt_tokens: int = 0  # an estimate
    lease: str = ""
    ip: str = ""
    end_user: str = ""


class Final(msgspec.Struct, array_like=True, tag="final"):
    """How a call ended. It says everything by itself, so it needs no intent beside it."""

    request_id: str
    started_at: float
    retention_class: str = "standard"
    account_id: int = 0
    api_key_id: int = 0
    endpoint: str = ""
    requested_model: str = ""
    model: str = ""
    provider: str = ""
    status_code: int = 200
    outcome: str = "ok"
    error_type: str = ""
    error_code: str = ""
    error_message: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usage_source: str = "counted"
    latency_ms: int = 0
    ttft_ms: int | None = None
    streamed: bool = False
    ip: str = ""
    user_agent: str = ""
    end_user: str = ""
    attempts: int = 0
    decision: bytes = b"{}"
    lease: str = ""


class Payload(msgspec.Struct, array_like=True, tag="payload"):
    """What was asked and answered, of a call whose key is captured; redacted before it is here."""

    request_id: str
    started_at: float
    account_id: int = 0
    api_key_id: int = 0
    days: int = 1  # for which it is kept
    request: str = ""
    response: str = ""
    request_bytes: int = 0  # as they were
    response_bytes: int = 0


Record = Intent | Final | Payload
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


def frame(record: Record) -> bytes:
    """The record as it is appended to a segment."""
    try:
        payload = _encode(record)
    except UnicodeEncodeError:  # a lone surrogate, which no encoding can carry
        payload = _encode(with_texts(record, lambda text: text.encode(errors="replace").decode()))
    return FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def with_texts(record: Record, change: Callable[[str], str]) -> Record:
    """A copy of ``record`` with ``change`` applied to every text in it."""
    changed = {
        name: change(value)
        for name, value in msgspec.structs.asdict(record).items()
        if isinstance(value, str)
    }
    return msgspec.structs.replace(record, **changed)


def records(data: bytes) -> Iterator[tuple[Record, int]]:
    """Every record up to the first frame that is not whole, each with the offset of its end."""
    start = 0
    while start + FRAME.size <= len(data):
        length, checksum = FRAME.unpack_from(data, start)
        end = start + FRAME.size + length
        payload = data[start + FRAME.size : end]
        if not 0 < length <= LONGEST or len(payload) < length or zlib.crc32(payload) != checksum:
            return
        try:
            yield _decode(payload), end
        except msgspec.DecodeError:
            return
        start = end


def is_cut_off(rest: bytes) -> bool:
    """Whether what follows the last whole record is the mere beginning of another one.

    This is what a process leaves that ends while it writes; anything else is damage.
    """
    if len(rest) < FRAME.size:
        return True
    length: int = FRAME.unpack_from(rest)[0]
    return 0 < length <= LONGEST and len(rest) < FRAME.size + length
