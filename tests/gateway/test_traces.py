"""An operator's collector hears of every call and attempt, and nothing of what was said in them."""

import base64
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gateway import checks, tracing
from tests.gateway.conftest import load_catalog
from tests.gateway.scripted import UPSTREAM, Scripted, Way, make_model, scripted_provider
from tests.gateway.site import Site
from tests.people import Issued, make_key

ANSWER = {
    "choices": [{"index": 0, "message": {"content": "a-secret-answer"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
}
ASKED = "a-secret-question"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Span = dict[str, Any]


@dataclass
class Collector:
    """Takes OTLP over HTTP, as those of others do."""

    bodies: list[bytes] = field(default_factory=list)
    address: str = ""
    takes: threading.Event = field(default_factory=threading.Event)  # else it lets everybody wait

    def spans_of(self, request_id: str) -> list[Span]:
        """The call and its attempts, once they have come; the call first."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            spans = [span for body in list(self.bodies) for span in spans_in(body)]
            for call in spans:
                if call["said"].get("keyplex.request_id") == request_id:
                    below = [span for span in spans if span.get("parentSpanId") == call["spanId"]]
                    return [call, *below]
            time.sleep(0.05)
        raise AssertionError("nothing came")


def spans_in(body: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        named = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                said = {pair.key: value_of(pair.value) for pair in span.attributes}
                yield MessageToDict(span) | {"said": said, "service": named["service.name"]}


def value_of(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    collector = Collector()
    collector.takes.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.takes.wait(30)
            if self.path == "/v1/traces":
                collector.bodies.append(body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        collector.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield collector
        server.shutdown()


@pytest.fixture(scope="module")
def traced_site(
    collector: Collector, django_db_setup: None, django_db_blocker: object
) -> Iterator[Site]:
    address = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    site = Site(workers=1, settings=address)
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture
def traced(traced_site: Site, transactional_db: None) -> Site:
    load_catalog()
    return traced_site


@pytest.fixture
def provider() -> Iterator[Scripted]:
    with scripted_provider() as provider:
        yield provider


def ask(site: Site, key: Issued, model: str, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{site.url}/v1/chat/completions",
        headers=key.headers | headers,
        json={"model": model, "messages": [{"role": "user", "content": ASKED}]},
    )


def test_a_call_is_a_span_in_its_callers_trace_with_one_below_for_each_attempt(
    traced: Site, collector: Collector, provider: Scripted
) -> None:
    with scripted_provider() as failing:
        failing.says({"error": {"message": "no"}}, status=500)
        provider.says(ANSWER)
        ways = Way(failing.row()), Way(provider.row(), priority=1)
        model, key = make_model(*ways), make_key()
        answer = ask(traced, key, model, traceparent=PARENT)

    call, failed, answered = collector.spans_of(answer.headers["x-request-id"])
    assert (call["name"], call["kind"]) == ("POST /v1/chat/completions", "SPAN_KIND_SERVER")
    assert call["service"] == "keyplex"
    assert call["said"] == {
        "http.request.method": "POST",
        "http.route": "/v1/chat/completions",
        "http.response.status_code": 200,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.request.stream": False,
        "gen_ai.provider.name": ways[1].provider.slug,
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "keyplex.usage_source": "provider",
        "keyplex.request_id": answer.headers["x-request-id"],
        "keyplex.outcome": "ok",
        "keyplex.account_id": key.account.pk,
        "keyplex.attempts": 2,
    }
    assert (failed["name"], failed["kind"]) == (f"chat {UPSTREAM}", "SPAN_KIND_CLIENT")
    assert failed["said"] == {
        "gen_ai.provider.name": ways[0].provider.slug,
        "gen_ai.request.model": UPSTREAM,
        "http.response.status_code": 500,
        "error.type": "model_unavailable",
    }
    assert (answered["said"]["gen_ai.usage.output_tokens"], answered.get("status")) == (7, {})
    assert failed["status"] == {"code": "STATUS_CODE_ERROR"}
    began, ended = (int(call[f"{end}TimeUnixNano"]) for end in ("start", "end"))
    for span in (failed, answered):
        assert span["traceId"] == call["traceId"]
        assert began <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) <= ended
    assert PARENT.split("-")[1:3] == [
        hexadecimal(call["traceId"]),
        hexadecimal(call["parentSpanId"]),
    ]


def hexadecimal(text: str) -> str:
    """Bytes as protobuf writes them in JSON, in hexadecimal digits."""
    return base64.b64decode(text).hex()


def test_nothing_of_prompts_answers_keys_or_credentials_leaves(
    traced: Site, collector: Collector, provider: Scripted
) -> None:
    provider.says(ANSWER)
    key = make_key()
    answer = ask(traced, key, make_model(Way(provider.row())))
    collector.spans_of(answer.headers["x-request-id"])

    told = b"".join(collector.bodies)

    for secret in (ASKED, "a-secret-answer", key.plaintext, key.plaintext[-8:], "127.0.0.1"):
        assert secret.encode() not in told


def test_the_callers_trace_is_not_passed_on_to_a_provider(traced: Site, provider: Scripted) -> None:
    provider.says(ANSWER)

    ask(traced, make_key(), make_model(Way(provider.row())), traceparent=PARENT)

    [headers] = provider.heads
    assert not [name for name in headers if name.lower().startswith("trace")]


def test_who_says_that_it_is_not_sampled_is_not_told_of(
    traced: Site, collector: Collector, provider: Scripted
) -> None:
    provider.says(ANSWER)
    model = make_model(Way(provider.row()))
    unsampled = ask(traced, make_key(), model, traceparent=PARENT[:-2] + "00")
    sampled = ask(traced, make_key(), model, traceparent="nonsense")
    collector.spans_of(sampled.headers["x-request-id"])

    told = b"".join(collector.bodies)

    assert unsampled.status_code == 200
    assert unsampled.headers["x-request-id"].encode() not in told


def test_a_refusal_says_which_and_names_no_model_that_does_not_exist(
    traced: Site, collector: Collector
) -> None:
    unknown = ask(traced, make_key(), "no/such-model")
    stranger = httpx.get(f"{traced.url}/v1/models", headers={"Authorization": "Bearer nobody"})

    [span] = collector.spans_of(unknown.headers["x-request-id"])
    assert (span["said"]["error.type"], span["said"]["keyplex.outcome"]) == (
        "invalid_model",
        "client_error",
    )
    assert "gen_ai.request.model" not in span["said"]
    [span] = collector.spans_of(stranger.headers["x-request-id"])
    assert (span["name"], span["said"]["error.type"]) == ("GET", "invalid_api_key")
    assert "http.route" not in span["said"]


def test_a_collector_that_hangs_holds_up_no_call_and_hears_of_it_later(
    traced: Site, collector: Collector, provider: Scripted
) -> None:
    provider.says(ANSWER)
    collector.takes.clear()

    answers = [ask(traced, make_key(), make_model(Way(provider.row()))) for _ in range(3)]
    collector.takes.set()

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    for answer in answers:
        assert len(collector.spans_of(answer.headers["x-request-id"])) == 2


@pytest.mark.t2
def test_a_collector_that_is_away_costs_no_call_and_no_orderly_end(
    provider: Scripted, transactional_db: None
) -> None:
    load_catalog()
    provider.says(ANSWER)
    nobody = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY": "10"}
    site = Site(workers=1, settings=nobody)
    site.start()
    try:
        answers = [ask(site, make_key(), make_model(Way(provider.row()))) for _ in range(3)]
    finally:
        ended = site.stop()

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert ended == 0


def test_without_the_variable_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tracing.VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)

    assert tracing.missing() == []
    assert checks.traces() == []
    assert tracing.start() is None


def test_who_wants_traces_without_the_packages_is_told_in_the_check_and_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(tracing.VARIABLE, "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)

    [warning] = checks.traces()

    assert "opentelemetry-sdk" in warning.msg
    assert "exporter" not in warning.msg
    assert "pip install" in str(warning.hint)
    assert tracing.start() is None
    assert "opentelemetry-sdk" in caplog.text
