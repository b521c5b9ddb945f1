"""The load driver: connections that each have one request on its way, for a while.

It prints one JSON document. Every answer is checked; what is not the mock upstream's counts as an
error and not as a request. Times are in milliseconds.
"""

import argparse
import asyncio
import gc
import json
import re
import time
from collections import Counter
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from bench.upstream import MARKER

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNK = re.compile(rb'"content": ?"(\d+) (\d+) "')  # its number, and when it left the upstream
NO_MORE_CHUNKS = b"0\r\n\r\n"
MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Write one short and friendly sentence about the sea, please."},
]


class Load:
    """What the connections share: the request, and what came of it while ``measuring``."""

    def __init__(self, request: bytes, chunks: int) -> None:
        self.request = request
        self.chunks = chunks  # content chunks of a stream; 0 for whole answers
        self.measuring = False
        self.over = False
        self.answered = 0  # answers or chunks, also those of the warm-up
        self.latencies: list[float] = []
        self.first_chunks: list[float] = []
        self.delays: list[float] = []
        self.gaps: list[float] = []
        self.errors: Counter[str] = Counter()

    def done(self, latency: float, error: str | None) -> None:
        if not self.measuring:
            return
        if error:
            self.errors[error] += 1
        else:
            self.latencies.append(latency)


class Connection(asyncio.Protocol):
    """Asks again as soon as it is answered."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.load.over:
            self.load.done(0, "connection lost")

    def ask(self) -> None:
        self.received = b""
        self.length = 0  # of the whole answer; -1 if it is chunked
        self.scanned = self.seen = 0
        self.asked_at = self.heard_at = time.perf_counter()
        self.transport.write(self.load.request)

    def data_received(self, data: bytes) -> None:
        self.received = received = self.received + data if self.received else data
        if not self.length:
            head = received.find(b"\r\n\r\n")
            if head < 0:
                return
            found = LENGTH.search(received, 0, head)
            self.length = head + 4 + int(found[1]) if found else -1
        if self.load.chunks:
            self.note_chunks()
        complete = (
            len(received) >= self.length if self.length > 0 else received.endswith(NO_MORE_CHUNKS)
        )
        if complete:
            self.load.answered += not self.load.chunks
            self.load.done((time.perf_counter() - self.asked_at) * 1000, self.defect())
            if not self.load.over:
                self.ask()

    def note_chunks(self) -> None:
        """How long every chunk took from the upstream to here, and since the one before it."""
        now, now_ns, load = time.perf_counter(), time.monotonic_ns(), self.load
        for match in CHUNK.finditer(self.received, self.scanned):
            self.scanned = match.end()
            if int(match[1]) != self.seen:
                load.done(0, "chunk lost")
            if load.measuring:
                load.delays.append((now_ns - int(match[2])) / 1e6)
                since = (now - self.heard_at) * 1000
                (load.gaps if self.seen else load.first_chunks).append(since)
            self.seen += 1
            load.answered += 1
            self.heard_at = now

    def defect(self) -> str | None:
        """What is wrong with the answer."""
        received = self.received
        if received[9:12] != b"200":
            return f"status {received[9:12].decode('latin-1')}"
        if self.load.chunks:
            whole = self.seen == self.load.chunks and b"[DONE]" in received
            return None if whole else "stream cut"
        return None if MARKER in received else "another answer"


async def connect(load: Load, host: str, port: int) -> Connection | None:
    loop = asyncio.get_running_loop()
    try:
        _, connection = await loop.create_connection(lambda: Connection(load), host, port)
    except OSError as error:
        load.errors[str(error)] += 1
        return None
    return connection


async def drive(load: Load, url: str, connections: int, warm_up: float, seconds: float) -> float:
    """Open the connections one after the other while warming up; then measure."""
    address = urlsplit(url)
    opened = []
    for _ in range(connections):
        opened.append(await connect(load, address.hostname or "", address.port or 80))
        await asyncio.sleep(warm_up / connections)
    gc.collect()
    gc.disable()
    load.measuring, began = True, time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    load.measuring, load.over = False, True
    for connection in opened:
        if connection:
            connection.transport.abort()
    return took


def request(url: str, headers: list[str], model: str, *, streamed: bool) -> bytes:
    address = urlsplit(url)
    document = {"model": model, "messages": MESSAGES, "temperature": 0.7, "max_tokens": 100}
    body = json.dumps(document | ({"stream": True} if streamed else {}), separators=(",", ":"))
    lines = [
        f"POST {address.path} HTTP/1.1",
        f"host: {address.netloc}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def spread(values: list[float]) -> dict[str, float]:
    """Percentiles; an empty document if nothing was measured."""
    if not values:
        return {}
    ordered, last = sorted(values), len(values) - 1
    parts = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(ordered[round(part * last)], 3) for name, part in parts.items()}


def report(load: Load, seconds: float) -> dict[str, Any]:
    return {
        "answered": load.answered,
        "requests": len(load.latencies),
        "requests_per_second": round(len(load.latencies) / seconds, 1),
        "chunks_per_second": round(len(load.delays) / seconds, 1),
        "latency_ms": spread(load.latencies),
        "ttft_ms": spread(load.first_chunks),
        "chunk_delay_ms": spread(load.delays),
        "chunk_gap_ms": spread(load.gaps),
        "errors": load.errors,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--header", action="append", default=[], help="'name: value'")
    parser.add_argument("--model", default="bench")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--warm-up", type=float, default=0.5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--chunks", type=int, default=0, help="streams of so many content chunks")
    options = parser.parse_args()
    sent = request(options.url, options.header, options.model, streamed=bool(options.chunks))
    load = Load(sent, options.chunks)
    took = uvloop.run(
        drive(load, options.url, options.connections, options.warm_up, options.seconds)
    )
    print(json.dumps(report(load, took)))


if __name__ == "__main__":
    main()
