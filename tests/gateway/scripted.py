"""A provider that says exactly what a test told it, byte for byte, and remembers what it heard."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from gateway.models import CatalogVersion, LanguageModel, ModelRoute, Provider

UPSTREAM = "upstream-name"
_numbers = count(1)
Reply = Callable[[str, dict[str, Any]], tuple[int, str, bytes]]


@dataclass
class Scripted:
    """What it will say next (the last entry again and again), and the requests that it got."""

    base_url: str = ""
    reply: Reply | None = None  # instead of a script
    script: list[tuple[int, str, bytes]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # beside those of the body
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)  # the headers of each

    def says(self, document: object, status: int = 200) -> None:
        """A JSON body; bytes are sent as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.script.append((status, "application/json", body))

    def streams(self, *events: object, done: bool = True) -> None:
        """Events; those that are bytes are sent as they are."""
        parts = [
            event if isinstance(event, bytes) else b"data: %b\n\n" % json.dumps(event).encode()
            for event in events
        ]
        end = b"data: [DONE]\n\n" if done else b""
        self.script.append((200, "text/event-stream", b"".join(parts) + end))

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def answers_for_all(self) -> None:
        """Stand in for every provider of the catalogue, each with its own rules."""
        others = Provider.objects.exclude(base_url__startswith="/")
        others.update(base_url=self.base_url, credential_env="")
        CatalogVersion.objects.update(number=time.time_ns())

    def serves(self, *, kind: str = "chat", rules: object = (), **fields: Any) -> str:
        """A model with a name of its own that is answered here."""
        row = self.row(rules=list(rules))  # type: ignore[call-overload]
        return make_model(Way(row), kind=kind, **fields)

    def row(self, **fields: Any) -> Provider:
        """This provider as the catalogue knows it, with a slug of its own."""
        slug = f"scripted-{next(_numbers)}"
        return Provider.objects.create(slug=slug, name="Scripted", base_url=self.base_url, **fields)


@dataclass(frozen=True)
class Way:
    """A route to be."""

    provider: Provider
    priority: int = 0
    weight: int = 1


def make_model(*ways: Way, kind: str = "chat", **fields: Any) -> str:
    """A model with a name of its own, and these routes to it."""
    name = f"scripted/{kind}-{next(_numbers)}-{time.time_ns()}"
    model = LanguageModel.objects.create(
        model_id=name, owned_by="tests", kind=kind, created_at="2026-01-01T00:00:00Z", **fields
    )
    for way in ways:
        ModelRoute.objects.create(
            model=model,
            provider=way.provider,
            upstream_model=UPSTREAM,
            priority=way.priority,
            weight=way.weight,
        )
    CatalogVersion.objects.update(number=time.time_ns())
    return name


def handler_for(scripted: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            scripted.paths.append(self.path)
            scripted.heads.append(dict(self.headers))
            scripted.bodies.append(self.rfile.read(length))
            script = scripted.script
            if scripted.reply:
                status, kind, body = scripted.reply(self.path, json.loads(scripted.bodies[-1]))
            else:
                status, kind, body = script.pop(0) if len(script) > 1 else script[0]
            self.send_response(status)
            self.send_header("content-type", kind)
            for name, value in scripted.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@contextmanager
def scripted_provider() -> Iterator[Scripted]:
    scripted = Scripted()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_for(scripted)) as server:
        server.daemon_threads = True
        server.block_on_close = False
        scripted.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield scripted
        server.shutdown()
        thread.join()
