"""HTTP by hand over a raw socket, for what no decent client would send."""

import contextlib
import json
import socket
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Exchange:
    """What came back, whether the server then hung up, and after how many seconds."""

    received: bytes
    closed: bool
    seconds: float

    @property
    def statuses(self) -> list[int]:
        """Of every answer; bodies in these tests never hold a status line."""
        return [int(rest[:3]) for rest in self.received.split(b"HTTP/1.1 ")[1:]]

    @property
    def body(self) -> bytes:
        return self.received.rpartition(b"\r\n\r\n")[2]

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = json.loads(self.body)["error"]
        return error


def exchange(
    port: int, parts: Iterable[bytes], *, pause: float = 0.0, patience: float = 5.0
) -> Exchange:
    """Send ``parts`` with pauses in between, then listen until nothing came for ``patience``."""
    begun, received, closed = time.monotonic(), bytearray(), False
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        with contextlib.suppress(OSError):  # the server may have had enough
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        try:
            while piece := connection.recv(65536):
                received += piece
                if ended(bytes(received)):
                    connection.settimeout(min(patience, 0.3))
            closed = True
        except TimeoutError:
            pass
        except ConnectionError:
            closed = True
    return Exchange(bytes(received), closed, time.monotonic() - begun)


def exchanges(port: int, requests: Mapping[str, bytes]) -> dict[str, Exchange]:
    """By name, all at once."""
    with ThreadPoolExecutor(16) as pool:
        done = {name: pool.submit(exchange, port, [sent]) for name, sent in requests.items()}
        return {name: future.result() for name, future in done.items()}


def ended(received: bytes) -> bool:
    """Whether the last answer is here with its whole body."""
    head, _, body = received.rpartition(b"\r\n\r\n")
    declared = head.lower().rpartition(b"content-length: ")[2].partition(b"\r\n")[0]
    return declared.isdigit() and len(body) >= int(declared)


def request(
    path: str, *headers: str, body: bytes = b"", method: str = "POST", length: int | None = None
) -> bytes:
    """A request with these header lines; ``length`` may lie about the body."""
    length = len(body) if length is None else length
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    lines += [f"Content-Length: {length}"] if length >= 0 else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(pieces: Iterable[bytes]) -> Iterable[bytes]:
    for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
