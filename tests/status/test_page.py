"""The status page says how everything is, to anybody, and nothing about anybody."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit import SYSTEM
from dashboard.models import Incident
from gateway.models import ModelRoute
from tests.dashboard.conftest import text_of
from tests.status.conftest import (
    MODEL,
    OURS,
    fared,
    make_incident,
    make_maintenance,
    overall,
    status_of,
)
from tests.webhooks.things import later, make_delivery, tell
from webhooks.claims import claim


def test_everything_works_where_nothing_is_wrong(visitor: Client) -> None:
    page = visitor.get("/status")

    assert page.status_code == 200
    assert "Everything works." in text_of(page)
    assert overall(visitor) == ("operational", "Everything works.")
    assert {status_of(visitor, name) for name in ("api", "dashboard", "webhooks", "log")} == {
        "operational"
    }


def test_a_model_without_traffic_says_so(visitor: Client) -> None:
    assert status_of(visitor, MODEL) == "no_traffic"
    assert f"{MODEL} no traffic lately" in text_of(visitor.get("/status"))


@pytest.mark.parametrize(
    ("ok", "failed", "state"),
    [
        (50, 0, "operational"),
        (0, 2, "operational"),
        (0, 3, "down"),
        (10, 1, "operational"),
        (90, 10, "degraded"),
    ],
)
def test_the_state_of_a_model_is_that_of_its_calls(
    visitor: Client, ok: int, failed: int, state: str
) -> None:
    fared(ok, failed)

    assert status_of(visitor, MODEL) == state


def test_a_model_that_is_switched_off_says_so(visitor: Client) -> None:
    for route in ModelRoute.objects.filter(model__model_id=MODEL):
        route.switch_off(by=SYSTEM)

    assert status_of(visitor, MODEL) == "switched_off"
    assert overall(visitor)[0] == "operational"


def test_our_own_test_models_are_not_judged(visitor: Client) -> None:
    fared(0, 50, model=OURS)

    told = visitor.get("/status.json").json()

    assert [model["id"] for model in told["models"]] == [MODEL]
    assert told["status"] == "operational"


def test_the_api_is_in_trouble_when_most_calls_fail(visitor: Client) -> None:
    fared(10, 40)

    assert status_of(visitor, "api") == "down"
    assert overall(visitor) == ("down", "There is trouble with: API.")


@pytest.mark.parametrize(("late", "state"), [(1, "operational"), (5, "degraded"), (20, "down")])
def test_webhooks_are_as_late_as_what_is_due_for_longest(
    visitor: Client, late: int, state: str
) -> None:
    make_delivery()
    later(timedelta(minutes=late))

    assert status_of(visitor, "webhooks") == state


def test_a_receiver_that_is_slow_makes_nothing_late_but_its_own(visitor: Client) -> None:
    endpoint = make_delivery().endpoint
    tell(endpoint.account)
    later(timedelta(minutes=20))

    assert claim(endpoint.pk)

    assert endpoint.deliveries.due().count() == 1
    assert status_of(visitor, "webhooks") == "operational"


def test_a_journal_that_nobody_reads_shows(visitor: Client) -> None:
    segment = Path(settings.JOURNAL_DIR) / "0a1b.1"
    segment.parent.mkdir()
    segment.write_bytes(b"")
    assert status_of(visitor, "log") == "operational"

    long_ago = timezone.now().timestamp() - 120
    os.utime(segment, (long_ago, long_ago))

    assert status_of(visitor, "log") == "degraded"


def test_incidents_come_before_what_is_seen(visitor: Client) -> None:
    fared(50, 0)
    make_incident(impact="minor", parts=["webhooks"], model_ids=[MODEL])

    assert status_of(visitor, MODEL) == status_of(visitor, "webhooks") == "degraded"
    assert status_of(visitor, "api") == "operational"
    assert overall(visitor) == ("degraded", "We are at work on an incident: Calls fail.")


def test_maintenance_that_is_under_way_is_no_trouble(visitor: Client) -> None:
    make_maintenance(begins=-5, ends=5, parts=["dashboard"], begun_at=timezone.now())

    assert status_of(visitor, "dashboard") == "maintenance"
    assert overall(visitor) == ("maintenance", "Maintenance is under way: A new version.")


def test_what_was_said_is_on_the_page_and_escaped(visitor: Client) -> None:
    Incident.objects.open("<b>Calls</b> fail", "We <i>look</i>.", by=SYSTEM, parts=["api"])
    make_maintenance(begins=60, ends=90)
    over = make_incident(title="Was late", begun_at=timezone.now() - timedelta(days=3))
    over.resolve("All well.", by=SYSTEM)

    page = visitor.get("/status").content.decode()

    assert "&lt;b&gt;Calls&lt;/b&gt; fail" in page
    assert "We &lt;i&gt;look&lt;/i&gt;." in page
    assert "A new version" in page
    assert re.search(r"What there was.*Was late.*All well\.", page, re.DOTALL)


def test_nothing_tells_of_providers_accounts_or_how_much_is_called(visitor: Client) -> None:
    fared(123457, 7654)
    make_delivery(url="https://hooks.example.com/secret")

    said = visitor.get("/status").content + visitor.get("/status.json").content

    secrets = (b"123457", b"123,457", b"7654", b"OPENROUTER", b"sk-of", b"hooks.", b"openrouter.")
    assert MODEL.encode() in said
    assert not [secret for secret in secrets if secret in said]


def test_the_page_asks_few_questions_and_none_while_it_is_fresh(visitor: Client) -> None:
    for number in range(5):
        make_incident(title=f"Number {number}")

    with CaptureQueriesContext(connection) as first:
        visitor.get("/status")
    with CaptureQueriesContext(connection) as second:
        visitor.get("/status")

    assert len(first) <= 12
    assert len(second) == 0


def test_whoever_looks_after_something_was_published_sees_it(
    visitor: Client, django_capture_on_commit_callbacks: object
) -> None:
    visitor.get("/status")

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        Incident.objects.open("Calls fail", "We look.", by=SYSTEM)

    assert "Calls fail" in text_of(visitor.get("/status"))
    assert cache.get("status:board")
