"""Calls of our own: what they make of a part or a model, and that they are on nobody's bill."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import redis
from django.conf import settings as ours
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard import tasks
from dashboard.models import Probe
from dashboard.status import kept, model_probes, site_probes, watch
from dashboard.status.parts import Kind, Part, State
from dashboard.status.probes import Found
from gateway.models import ModelRoute, Provider
from gateway.pulse import KEYS, MINUTE
from tests.dashboard.conftest import text_of
from tests.status.conftest import MODEL, fared, status_of
from tests.webhooks.receivers import Receiver as Program
from tests.webhooks.receivers import receiving
from usage.models import ModelHour, RequestLog

WELL = Found(State.WORKS, "It answered a probe as it should.")
DOWN = Found(State.DOWN, "It did not answer a probe.")
OK = json.dumps({"choices": [{"message": {"content": "OK."}}]}).encode()
REFUSAL = json.dumps({"error": {"code": "missing_key", "message": "No key."}}).encode()
MODELS = f"{ours.PRODUCT.base_path}/models"
Answers = dict[str, tuple[int, bytes]]
FINE: Answers = {
    MODELS: (401, REFUSAL),
    "/readyz": (200, b"{}"),
    "/login/": (200, b"<html>"),
}


def noted(kind: Kind, name: str, *several: Found) -> None:
    for found in several:
        Probe.objects.note(kind, name, found)


@contextmanager
def site(answers: Answers) -> Iterator[str]:
    """Something that answers where we think that our site is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def provider() -> Iterator[Program]:
    """That of the model, with nothing in Redis about who called it."""
    with receiving() as program, redis.Redis.from_url(ours.REDIS_URL) as known:
        program.answer = OK
        Provider.objects.filter(slug=MODEL).update(base_url=program.url)
        for name in known.scan_iter("{pulse}:*"):
            known.delete(name)
        yield program
        for name in known.scan_iter("{pulse}:*"):
            known.delete(name)


def called(times: int = 1) -> None:
    """As the gateway counts it."""
    route = ModelRoute.objects.get(model__model_id=MODEL)
    with redis.Redis.from_url(ours.REDIS_URL) as known:
        known.hincrby(KEYS[MINUTE] % (time.time() // MINUTE), f"{route.pk}:calls", times)


def long_ago(span: timedelta) -> None:
    for probe in Probe.objects.all():
        Probe.objects.filter(pk=probe.pk).update(asked_at=probe.asked_at - span)


@pytest.mark.parametrize("part", [Part.API, Part.DASHBOARD])
def test_two_failures_in_a_row_are_trouble_and_one_success_ends_it(
    visitor: Client, part: Part
) -> None:
    states = []
    for found in (WELL, DOWN, DOWN, DOWN, WELL):
        noted(Kind.PART, part, found)
        states.append(status_of(visitor, part))

    assert states == ["operational", "operational", "down", "down", "operational"]


def test_the_page_says_what_a_state_rests_on(visitor: Client) -> None:
    noted(Kind.PART, Part.API, WELL)
    long_ago(timedelta(minutes=4))
    assert "· from a probe, 4 min ago" in text_of(visitor.get("/status"))

    fared(50, 0)
    told = visitor.get("/status.json").json()

    assert told["components"][0]["rests_on"] == "from traffic"
    assert told["models"][0]["rests_on"] == "from traffic"


def test_a_probe_that_fails_counts_more_than_calls_that_went_well(visitor: Client) -> None:
    fared(50, 0)
    noted(Kind.PART, Part.API, WELL, DOWN, DOWN)

    assert status_of(visitor, "api") == "down"


def test_a_probe_that_succeeds_does_not_hide_calls_that_fail(visitor: Client) -> None:
    fared(10, 40)
    noted(Kind.PART, Part.API, WELL)

    assert status_of(visitor, "api") == "down"


def test_a_part_that_never_answered_may_be_elsewhere(visitor: Client) -> None:
    noted(Kind.PART, Part.API, DOWN, DOWN, DOWN)

    assert status_of(visitor, "api") == "operational"


def test_an_old_probe_tells_nothing(visitor: Client) -> None:
    noted(Kind.PART, Part.DASHBOARD, WELL, DOWN, DOWN)
    long_ago(timedelta(minutes=6))

    assert status_of(visitor, "dashboard") == "operational"
    long_ago(timedelta(days=1))
    watch.forget()
    assert not Probe.objects.exists()


@pytest.mark.parametrize(
    ("changed", "api", "dashboard"),
    [
        ({}, State.WORKS, State.WORKS),
        ({"/readyz": (503, b"")}, State.DEGRADED, State.WORKS),
        ({MODELS: (500, b"")}, State.DOWN, State.WORKS),
        ({MODELS: (200, b"{}")}, State.DOWN, State.WORKS),
        ({MODELS: (401, b"Who are you?")}, State.DOWN, State.WORKS),
        ({"/login/": (503, b"")}, State.WORKS, State.DOWN),
    ],
)
def test_our_site_is_asked_as_anybody_would(
    settings: Settings, changed: Answers, api: State, dashboard: State
) -> None:
    with site(FINE | changed) as settings.SELF_URL:
        found = site_probes.api(), site_probes.dashboard()

    assert (found[0].state, found[1].state) == (api, dashboard)


def test_a_site_that_is_not_there_is_down(settings: Settings) -> None:
    with site({}) as address:
        pass
    settings.SELF_URL = address

    assert site_probes.api() == site_probes.dashboard() == Found(State.DOWN, site_probes.SILENT)


def test_models_are_asked_only_where_the_operator_wants_that(
    settings: Settings, provider: Program
) -> None:
    tasks.probe_models()
    assert provider.received == []

    settings.PROBE_MODELS = True
    tasks.probe_models()
    assert len(provider.received) == 1


def test_a_model_is_asked_with_a_few_tokens_and_on_nobodys_bill(
    visitor: Client, provider: Program
) -> None:
    model_probes.ask_quiet()

    [question] = provider.received
    assert question.document["max_tokens"] <= 5
    assert status_of(visitor, MODEL) == "operational"
    assert "· from a probe, " in text_of(visitor.get("/status"))
    assert not RequestLog.objects.exists()
    assert not ModelHour.objects.exists()


def test_a_model_that_was_called_lately_is_not_asked(provider: Program) -> None:
    called()

    model_probes.ask_quiet()

    assert provider.received == []


def test_a_quiet_model_is_asked_four_times_an_hour_and_a_failing_one_again_at_once(
    provider: Program,
) -> None:
    model_probes.ask_quiet()
    model_probes.ask_quiet()
    assert len(provider.received) == 1

    long_ago(timedelta(minutes=15))
    provider.statuses = [500]
    model_probes.ask_quiet()
    model_probes.ask_quiet()

    assert len(provider.received) == 3


@pytest.mark.parametrize(
    ("status", "answer", "state"),
    [
        (200, OK, "operational"),
        (400, b"{}", "operational"),
        (429, b"{}", "degraded"),
        (500, b"", "down"),
        (401, b"{}", "down"),
        (200, b"<html>", "down"),
    ],
)
def test_a_model_is_as_it_answers(
    visitor: Client, provider: Program, status: int, answer: bytes, state: str
) -> None:
    provider.statuses, provider.answer = [status], answer

    for _ in range(2):
        model_probes.ask_quiet()

    assert status_of(visitor, MODEL) == state


def test_calls_that_come_after_a_probe_decide_again(visitor: Client, provider: Program) -> None:
    fared(0, 5)
    noted(Kind.MODEL, MODEL, WELL)
    assert status_of(visitor, MODEL) == "operational"

    called(5)
    kept.forget()  # of Redis no more than this: the gateway's counts are there as well

    [model] = visitor.get("/status.json").json()["models"]
    assert model["status"] == "down"


def test_another_route_that_answers_is_enough(visitor: Client, provider: Program) -> None:
    dead = Provider.objects.create(slug="dead", name="D", base_url="http://127.0.0.1:9")
    model = ModelRoute.objects.get(model__model_id=MODEL).model
    ModelRoute.objects.filter(model=model).update(priority=1)
    ModelRoute.objects.create(model=model, provider=dead, upstream_model="m", priority=0)

    for _ in range(2):
        model_probes.ask_quiet()
        long_ago(timedelta(minutes=15))

    assert len(provider.received) == 2
    assert status_of(visitor, MODEL) == "operational"


def test_a_model_that_is_switched_off_is_not_asked(visitor: Client, provider: Program) -> None:
    ModelRoute.objects.filter(model__model_id=MODEL).update(disabled_at=timezone.now())

    model_probes.ask_quiet()

    assert provider.received == []
    assert status_of(visitor, MODEL) == "switched_off"
