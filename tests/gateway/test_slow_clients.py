"""Hundreds who send a byte every few seconds are shown the door, and nobody else waits for them."""

import asyncio
import contextlib
import time
from collections import Counter

import httpx
import pytest

from tests.gateway.site import Site
from tests.gateway.test_bad_input import CHAT, HELLO
from tests.people import make_key

CROWD = 500
HEAD = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
BODY = HEAD + b"Content-Length: 1000\r\n\r\n"


async def drip(port: int, beginning: bytes, drop: bytes) -> tuple[bytes, float]:
    """Send ``drop`` every 5 seconds until the server hangs up; what it said, and when."""
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)
    said = b""
    with contextlib.suppress(ConnectionError):
        while True:
            try:
                async with asyncio.timeout(5):
                    said += (piece := await reader.read(65536))
                if not piece:
                    break
            except TimeoutError:
                writer.write(drop)
    writer.close()
    return said[9:12], time.monotonic() - begun


async def good_traffic(site: Site, headers: dict[str, str], seconds: float) -> list[float]:
    times, until = [], time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=10) as client:
        while time.monotonic() < until:
            begun = time.monotonic()
            assert (await client.post(CHAT, json=HELLO)).status_code == 200
            times.append(time.monotonic() - begun)
            await asyncio.sleep(0.02)
    return times


@pytest.mark.t2
def test_slow_clients_do_not_hold_up_good_ones(site: Site) -> None:
    headers = make_key().headers

    async def storm() -> tuple[list[float], list[tuple[bytes, float]]]:
        slow = [drip(site.port, HEAD, b"X") for _ in range(CROWD // 2)]
        slow += [drip(site.port, BODY, b"X") for _ in range(CROWD // 2)]
        ended = asyncio.gather(*slow)
        during = await good_traffic(site, headers, 12)
        return during, await ended

    during, ended = asyncio.run(storm())

    assert Counter(status for status, _ in ended) == {b"": CROWD // 2, b"400": CROWD // 2}
    assert max(seconds for _, seconds in ended) < 15
    assert max(during) < 2, "somebody had to wait for the slow ones"
