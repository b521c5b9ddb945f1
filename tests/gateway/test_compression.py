"""A body may come compressed; what counts, and what goes on to the provider, is the plain one."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from backports import zstd

from gateway.call import MAX_BODY
from tests.gateway.site import Site
from tests.gateway.test_bad_input import CHAT, HELLO, check
from tests.people import make_key

PLAIN = json.dumps(HELLO).encode()
WIDE = {zstd.CompressionParameter.window_log: 27}


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKED = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "zstd": zstd.compress,
    "ZSTD": zstd.compress,
    "identity": bytes,
    "": bytes,
}


def post(client: httpx.Client, encoding: str, body: bytes) -> httpx.Response:
    headers = {"Content-Encoding": encoding.encode("latin-1")}
    return client.post(CHAT, headers=headers, content=body)


@pytest.fixture
def client(client: httpx.Client) -> httpx.Client:
    client.headers.update(make_key().headers)
    return client


def test_a_compressed_body_is_understood(client: httpx.Client) -> None:
    for encoding, pack in PACKED.items():
        answer = post(client, encoding, pack(PLAIN))

        assert answer.status_code == 200, (encoding, answer.text)
        assert answer.json()["choices"][0]["message"]["content"] == "Hi"


def test_an_encoding_that_we_do_not_know_is_415(client: httpx.Client) -> None:
    for encoding in ["br", "compress", "gzip, zstd", "gzip, gzip", "é", "x" * 99]:
        answer = post(client, encoding, PLAIN)

        assert "gzip, deflate or zstd" in check(answer, 415, "unsupported_media_type"), encoding


BROKEN = {
    "not gzip": ("gzip", PLAIN),
    "nothing": ("gzip", b""),
    "half a gzip": ("gzip", gzip.compress(PLAIN)[:-9]),
    "a wrong checksum": ("gzip", gzip.compress(PLAIN)[:-8] + b"\0" * 8),
    "something behind": ("gzip", gzip.compress(PLAIN) + b"more"),
    "two in one": ("gzip", gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:])),
    "not deflate": ("deflate", PLAIN),
    "half a deflate": ("deflate", zlib.compress(PLAIN)[:-1]),
    "a dictionary": ("deflate", b"\x78\xbb\0\0\0\1" + raw_deflate(PLAIN)),
    "not zstd": ("zstd", PLAIN),
    "half a zstd": ("zstd", zstd.compress(PLAIN)[:-1]),
    "a window of 128 MiB": ("zstd", zstd.compress(PLAIN * 2_000_000, options=WIDE)[:999]),
    "zstd as gzip": ("gzip", zstd.compress(PLAIN)),
}


def test_a_broken_compression_is_400(client: httpx.Client) -> None:
    for name, (encoding, body) in BROKEN.items():
        assert encoding in check(post(client, encoding, body), 400, "invalid_encoding"), name


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstd.compress])
def test_a_bomb_is_413_and_leaves_no_crater(
    client: httpx.Client, site: Site, pack: Callable[[bytes], bytes]
) -> None:
    encoding = {gzip.compress: "gzip", zlib.compress: "deflate"}.get(pack, "zstd")
    bomb, over = pack(bytes(40 * MAX_BODY)), pack(b" " * (MAX_BODY - len(PLAIN)) + PLAIN + b" ")
    before = memory(site)

    for _ in range(10):
        check(post(client, encoding, bomb), 413, "body_too_large")
        check(post(client, encoding, over), 413, "body_too_large")

    assert memory(site) - before < 2 * (MAX_BODY // 1024 + 10_000)  # a body in each worker
    just = pack(b" " * (MAX_BODY - len(PLAIN)) + PLAIN)
    assert post(client, encoding, just).status_code == 200


def memory(site: Site) -> int:
    """Resident kilobytes of all workers."""
    status = [Path(f"/proc/{pid}/status").read_text() for pid in site.worker_pids()]
    return sum(int(text.partition("VmRSS:")[2].split()[0]) for text in status)
