"""A request body that came compressed, made plain within the cap.

Codex sends large conversations as zstd. What goes on to a provider is the plain body.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from gateway.errors import InvalidRequest, WrongContentType
from gateway.intake import too_large

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ONE_AT_A_TIME = ThreadPoolExecutor(1, "decompress")
LARGEST_WINDOW = 23  # as a power of two: 8 MiB, what RFC 9659 lets a sender of zstd assume


class Decoder(Protocol):
    """What zlib and zstd have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def gzip(_: bytes) -> Decoder:
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def deflate(body: bytes) -> Decoder:
    """With the header of RFC 1950 or, as some senders have it, without."""
    framed = len(body) > 1 and body[0] & 15 == zlib.DEFLATED and not (body[0] << 8 | body[1]) % 31
    return zlib.decompressobj(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)


def zstandard(_: bytes) -> Decoder:
    return zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW}
    )


DECODERS: dict[str, Callable[[bytes], Decoder]] = {
    "gzip": gzip,
    "x-gzip": gzip,
    "deflate": deflate,
    "zstd": zstandard,
}


async def decompressed(body: bytes, encoding: str, cap: int) -> bytes:
    """The plain body. Raises WrongContentType, InvalidRequest, BodyTooLarge above ``cap`` bytes.

    Never decodes more than ``cap`` and one byte, however much there would be, and one body at a
    time: many at once would take the memory of as many.
    """
    if encoding in {"", "identity"}:
        return body
    if encoding not in DECODERS:
        raise WrongContentType("Content-Encoding may be gzip, deflate or zstd, or be left out.")
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(ONE_AT_A_TIME, decompress, body, encoding, cap)


def decompress(body: bytes, encoding: str, cap: int) -> bytes:
    """One stream of a known encoding: whatever follows it is an error."""
    decoder = DECODERS[encoding](body)
    try:
        plain = decoder.decompress(body, cap + 1)
    except (zlib.error, zstd.ZstdError):
        raise broken(encoding) from None
    if len(plain) > cap:
        raise too_large(cap)
    if not decoder.eof or decoder.unused_data:
        raise broken(encoding)
    return plain


def broken(encoding: str) -> InvalidRequest:
    return InvalidRequest(f"The request body is not valid {encoding}.", code="invalid_encoding")
