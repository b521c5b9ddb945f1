"""What Prometheus is told: the truth, and no word about anybody."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families as parse

from accounts import notices
from accounts.audit import SYSTEM
from accounts.models import Notice
from billing.models import Drift, StripeEvent
from dashboard import signs_of_life
from dashboard.metrics.of_routes import STATES
from dashboard.metrics.page import Page
from gateway import breakers
from gateway.heartbeat import Heartbeat
from gateway.models import ModelRoute
from tests.dashboard.scraping import failed, loaded, read
from tests.gateway.conftest import load_catalog
from tests.people import make_account, make_key
from tests.usage.calls import make_final
from tests.webhooks.things import make_delivery
from usage import model_hours, posting
from usage.journal import Journal
from usage.recorder import LOCK, Recorder

LABELS = {
    *("hour", "outcome", "kind", "reason", "model", "state", "status", "queue", "provider"),
    *("retention", "source", "le", "pid", "result", "version"),
}


def record(recorder: Recorder) -> None:
    try:
        recorder.run()
    finally:
        connection.close()


def test_calls_are_told_as_the_rollups_have_them(transactional_db: None) -> None:
    key = make_key()
    whose = {"account_id": key.account.pk, "api_key_id": key.api_key.pk}
    answered = {"prompt_tokens": 10, "completion_tokens": 3, "latency_ms": 3, "outcome": "ok"}
    refused = {"outcome": "refused", "error_code": "rate_limit_exceeded", "status_code": 429}
    finals = [make_final(**whose, **answered, ttft_ms=1, streamed=True) for _ in range(3)]
    posting.post([*finals, make_final(**whose, **refused, latency_ms=100)])
    model_hours.sum_up(timezone.now())

    values = read()

    latency = "keyplex_hour_latency_seconds_bucket"
    assert values["keyplex_hour_requests", "this", "ok"] == 3
    assert values["keyplex_hour_requests", "this", "refused"] == 1
    assert values["keyplex_hour_requests", "last", "ok"] == 0
    assert values["keyplex_hour_tokens", "this", "completion"] == 9
    assert values["keyplex_hour_refusals", "this", "rate_limit_exceeded"] == 1
    assert values["keyplex_hour_model_answered", "this", "keyplex/echo"] == 3
    assert [values[latency, "this", le] for le in ("0.002", "0.004", "+Inf")] == [0, 3, 3]
    assert values["keyplex_hour_first_token_seconds_bucket", "this", "+Inf"] == 3
    assert failed(values) == set()


def test_what_waits_and_what_failed_is_told(transactional_db: None) -> None:
    account = make_account()
    account.suspend(by=SYSTEM)
    make_delivery(account=account)
    waiting = Notice.objects.filter(sent_at=None).count()
    notices.tell(account, "thawed")
    Drift.objects.create(account=account, stripe_id="sub_1", what="status")
    event = {"type": "invoice.paid", "mode": "test", "happened_at": timezone.now()}
    StripeEvent.objects.create(stripe_id="evt_1", failures=2, **event)
    StripeEvent.objects.create(stripe_id="evt_2", processed_at=timezone.now(), **event)

    values = read()

    assert values["keyplex_accounts", "open"] == values["keyplex_accounts", "suspended"] == 1
    assert values["keyplex_subscriptions", "active"] == 1
    assert values["keyplex_subscriptions", "past_due"] == 0
    assert values["keyplex_webhook_deliveries", "due"] == 1
    assert values["keyplex_notices_waiting",] == waiting + 1
    assert values["keyplex_stripe_drifts_open",] == 1
    assert values["keyplex_stripe_events_waiting",] == values["keyplex_stripe_events_failing",] == 1


def test_each_provider_tells_how_its_routes_stand(transactional_db: None) -> None:
    load_catalog()
    open_one, tried_one, off = ModelRoute.objects.filter(provider__slug="sandbox")[:3]
    off.switch_off(by=SYSTEM)
    now = time.time()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.hset(breakers.KEY, mapping={str(open_one.pk): now + 60, str(tried_one.pk): now - 1})
    number = ModelRoute.objects.filter(provider__slug="sandbox").count()

    values = read(loaded())

    states = {state: values["keyplex_provider_routes", "sandbox", state] for state in STATES}
    assert states == {"closed": number - 3, "open": 1, "trial": 1, "off": 1, "unconfigured": 0}
    assert values["keyplex_models",] == len({o.model_id for o in loaded().offers.values()})
    assert values["keyplex_models_unreachable",] >= 2


def test_queues_and_the_sign_of_life_are_told(transactional_db: None) -> None:
    before = read()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.rpush("webhooks-failing", "one", "two")
    signs_of_life.leave()

    values = read()

    assert ("keyplex_beat_seen_seconds",) not in before
    assert values["keyplex_beat_seen_seconds",] >= 0
    assert values["keyplex_queue_tasks", "webhooks-failing"] == 2
    assert values["keyplex_queue_tasks", "celery"] == 0


def test_the_recorder_shows_whether_it_runs_and_how_far_it_is(
    transactional_db: None, tmp_path: Path, settings: Any
) -> None:
    settings.JOURNAL_DIR = tmp_path / "journal"
    before = read()
    journal = Journal(settings.JOURNAL_DIR)
    journal.finish(make_final())
    journal.close()
    backlog = read()
    recorder = Recorder(settings.JOURNAL_DIR)
    recorder.run_once()
    os.utime(settings.JOURNAL_DIR / LOCK, (0, 0))
    late = read()
    thread = threading.Thread(target=record, args=[recorder])
    thread.start()
    while not read()["keyplex_recorder_running",]:
        time.sleep(0.05)
    while (values := read())["keyplex_recorder_lag_seconds",] > 60:
        time.sleep(0.05)
    recorder.stop()
    thread.join()

    assert before["keyplex_recorder_running",] == before["keyplex_journal_segments",] == 0
    assert ("keyplex_recorder_lag_seconds",) not in before
    assert backlog["keyplex_journal_segments",] == 1
    assert backlog["keyplex_journal_bytes",] > 0
    assert late["keyplex_recorder_lag_seconds",] > 10**9
    assert values["keyplex_journal_segments",] == 0
    assert read()["keyplex_recorder_running",] == 0


def test_no_word_is_about_anybody(transactional_db: None) -> None:
    key = make_key()
    account = key.account
    account.rename("Honeycomb & Sons", by=SYSTEM)
    whose = {"account_id": account.pk, "api_key_id": key.api_key.pk, "end_user": "melissa"}
    posting.post(
        [make_final(**whose, outcome="refused", error_code="rate_limit_exceeded", status_code=429)]
    )
    posting.post(
        [
            make_final(
                **whose, outcome="upstream_error", error_code="said-by-a-provider", status_code=500
            )
        ]
    )
    make_delivery(account=account, url="https://bees.example.com/hook")
    page = anyio.run(Page(loaded(), Heartbeat()).body).decode()

    names = {name for family in parse(page) for sample in family.samples for name in sample.labels}

    assert names <= LABELS
    for word in ("Honeycomb", "melissa", key.api_key.hint, "example.com", "said-by", "@"):
        assert word not in page
