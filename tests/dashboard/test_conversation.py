"""What the playground sends, word for word, and programs that send the same."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.conversation import PlaygroundForm, Reply, remembered, reply, turns_in
from dashboard.snippets import snippets
from gateway.catalog import Offer
from tests.naughty_strings import NAUGHTY

PAST = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
RUN = {"curl": ("sh", ".sh"), "python": (sys.executable, ".py"), "javascript": ("node", ".mjs")}


def make_offer(name: str = "m", kind: str = "chat") -> Offer:
    return Offer(name, (name,), kind, "us", 0, None, 100, None, "", {}, ())


def body_of(stream: bool = False, **fields: Any) -> dict[str, Any]:
    form = PlaygroundForm({"model": "m", "message": "Hello"} | fields, offers=[make_offer()])
    assert form.is_valid(), form.errors
    model, past = form.columns[0]
    return form.body(model, past, stream=stream)


def test_what_is_left_empty_is_left_out() -> None:
    assert body_of() == {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def test_everything_that_is_said_is_sent() -> None:
    body = body_of(
        stream=True, system="Be brief.", temperature="0", top_p="0.5", max_tokens="9", keep="5",
        past=json.dumps(PAST),
    )  # fmt: skip

    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            *PAST,
            {"role": "user", "content": "Hello"},
        ],
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 9,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize(("keep", "sent"), [("0", 1), ("1", 2), ("2", 3), ("99", 3), ("", 1)])
def test_as_much_of_the_past_is_sent_as_is_wanted(keep: str, sent: int) -> None:
    assert len(body_of(keep=keep, past=json.dumps(PAST))["messages"]) == sent


def test_only_models_that_chat_can_be_chosen() -> None:
    form = PlaygroundForm(offers=[make_offer(), make_offer("e", "embedding")])

    assert form.fields["model"].choices == [("m", "m")]  # type: ignore[attr-defined]


def test_an_exchange_without_an_answer_is_not_remembered() -> None:
    past = turns_in(json.dumps(PAST))

    assert json.loads(remembered(past, "three", "")) == PAST
    assert len(turns_in(remembered(past, "three", "four"))) == 4


def test_what_is_left_is_read_from_the_headers() -> None:
    headers = {
        "x-ratelimit-limit-requests": "20",
        "x-ratelimit-remaining-requests": "19",
        "x-ratelimit-limit-tokens-day": "100",
        "x-ratelimit-remaining-tokens-day": "7",
    }
    answer: Reply = reply("m", 200, headers, b"{}", 1.0)

    assert answer.left == [("requests", "19", "20"), ("tokens-day", "7", "100")]
    assert (answer.text, answer.request_id, answer.cut_off) == ("", "", False)


class Listener(HTTPServer):
    """Takes requests, and keeps what they said."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[tuple[str, str | None, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append((self.path, self.headers["authorization"], json.loads(data)))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener(settings: Any) -> Iterator[Listener]:
    with Listener() as listener:
        settings.PUBLIC_URL = f"http://127.0.0.1:{listener.server_port}"
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_program_sends_exactly_what_the_page_sent(
    listener: Listener, tmp_path: Path, streamed: bool
) -> None:
    texts = [text for text in NAUGHTY if "\0" not in text]
    past = [{"role": "user", "content": text} for text in texts]
    body = body_of(stream=streamed, past=json.dumps(past), keep="200", temperature="0.7")
    assert len(body["messages"]) == len(texts) + 1

    for snippet in snippets("chat/completions", body):
        program, suffix = RUN[snippet.name]
        assert which(program), program
        path = tmp_path / f"program{suffix}"
        path.write_text(snippet.code, newline="")
        done = subprocess.run([program, path], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    expected = ("/api/v1/chat/completions", "Bearer YOUR_API_KEY", body)
    assert listener.heard == [expected] * 3


@settings(deadline=None)
@given(st.text(max_size=200))
def test_a_hidden_field_of_any_text_is_understood_or_refused(text: str) -> None:
    form = PlaygroundForm({"model": "m", "message": "x", "past": text}, offers=[make_offer()])

    assert form.is_valid() or "past" in form.errors
