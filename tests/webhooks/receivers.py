"""A receiver of webhooks: a real HTTP server that keeps what it was sent and answers as told."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


@dataclass(frozen=True)
class Received:
    """One request: ``headers`` by their names in small letters."""

    headers: dict[str, str]
    body: bytes
    status: int = 200  # that it was answered with

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = msgspec.json.decode(self.body)
        return document

    @property
    def type(self) -> str:
        return str(self.document["type"])


@dataclass
class Receiver:
    """Answers with the statuses that were set, one after the other, the last one for ever.

    One that is ``silent`` takes a request and says nothing while it lives; one that fails does so
    by chance.
    """

    statuses: list[int] = field(default_factory=lambda: [200])
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"thank you"
    received: list[Received] = field(default_factory=list)
    url: str = ""
    silent: bool = False
    fails_one_in: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def next_status(self) -> int:
        if self.fails_one_in and random.randrange(self.fails_one_in) == 0:
            return 500
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    receiver = Receiver(list(statuses) or [200])
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(receiver))
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def handler_of(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            named = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.next_status()
            receiver.received.append(Received(named, body, status))
            if receiver.silent:
                receiver.ended.wait()
                return
            self.send_response(status)
            for name, value in receiver.answer_headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
