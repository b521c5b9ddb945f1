"""Whatever a body holds, the answer is ours: what is JSON passes as it is, what is not is a 400."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.clients.conftest import route_to
from tests.gateway.json_corpus import ACCEPTED, FREE, REFUSED, SURROGATES
from tests.gateway.site import Site
from tests.gateway.test_bad_input import CHAT, check
from tests.gateway.test_compression import memory
from tests.people import make_key

MODEL = "openai/gpt-4o-mini"
ANSWER = (
    b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}'
)


class Confidant(ThreadingHTTPServer):
    """A provider that says the same to everything and keeps the bytes that it was told."""

    daemon_threads = True
    told = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Listener)
        self.base_url = f"http://127.0.0.1:{self.server_port}/v1"


class Listener(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Confidant

    def do_POST(self) -> None:
        self.server.told = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def confidant(site: Site) -> Iterator[Confidant]:
    with Confidant() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        route_to(server, MODEL)
        site.see_catalog()
        yield server
        server.shutdown()


@pytest.fixture
def client(client: httpx.Client) -> httpx.Client:
    client.headers.update(make_key().headers)
    return client


def inside(value: bytes, beside: bytes | None = None) -> bytes:
    """A chat request with ``value`` within its messages and, unless told otherwise, beside them."""
    head = b'{"model":"%b","messages":[{"role":"user","content":"Hi","x":' % MODEL.encode()
    return head + value + b'}],"y":' + (value if beside is None else beside) + b"}"


def test_what_is_json_reaches_the_provider_byte_for_byte(
    client: httpx.Client, confidant: Confidant
) -> None:
    for name, value in ACCEPTED.items():
        answer = client.post(CHAT, content=inside(value))

        assert answer.status_code == 200, (name, answer.text)
        assert confidant.told.count(value.strip()) >= 2, (name, confidant.told)


def test_half_a_surrogate_pair_passes_as_the_sign_for_what_is_no_text(
    client: httpx.Client, confidant: Confidant
) -> None:
    for name, value in SURROGATES.items():
        answer = client.post(CHAT, content=inside(value))

        assert answer.status_code == 200, (name, answer.text)
        assert rb"\ufffd" in confidant.told, name


def test_what_is_not_json_is_400(client: httpx.Client, confidant: Confidant) -> None:
    for name, value in REFUSED.items():
        whole, within = (client.post(CHAT, content=body) for body in (value, inside(value)))

        assert whole.status_code == within.status_code == 400, name
        assert whole.json()["error"]["type"] == "invalid_request_error", name
        assert "not valid JSON" in check(within, 400, "invalid_json"), name

    assert confidant.told == b""


def test_json_that_is_no_request_is_400(client: httpx.Client) -> None:
    for name, value in (ACCEPTED | SURROGATES).items():
        answer = client.post(CHAT, content=value)

        assert answer.status_code == 400, name
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_what_is_free_is_taken_or_refused_and_never_our_fault(
    client: httpx.Client, confidant: Confidant, site: Site
) -> None:
    for _ in range(20):
        client.post(CHAT, content=inside(b"1"))
    before = memory(site)

    for name, value in FREE.items():
        for body in (value, inside(value, beside=b"1")):
            answer = client.post(CHAT, content=body)

            assert answer.status_code in {200, 400}, (name, answer.text)
            if answer.status_code == 400:
                assert answer.json()["error"]["type"] == "invalid_request_error"

    assert memory(site) - before < 2 * 30_000  # kilobytes, in two workers
