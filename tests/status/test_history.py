"""Ninety days: what was counted, minute by minute and call by call, and what was said."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.models import StatusDay
from dashboard.status import days, watch
from dashboard.status.history import Histories, History
from dashboard.status.parts import Kind, State
from tests.dashboard.conftest import text_of
from tests.status.conftest import MODEL, fared, make_incident, make_maintenance
from usage.models import ModelHour


def history(kind: Kind = Kind.PART, name: str = "api", **incident: object) -> History:
    told = [make_incident(**incident)] if incident else []
    return Histories(timezone.now(), told).of(kind, name)


def counted(ok: int, failed: int, *, days_ago: int = 0, name: str = "api") -> None:
    day = timezone.now().date() - timedelta(days=days_ago)
    StatusDay.objects.create(day=day, kind=Kind.PART, name=name, ok=ok, failed=failed)


def test_every_look_counts_a_minute_of_each_part() -> None:
    make_incident(impact="major", parts=["webhooks"])

    watch.look()
    watch.look()

    rows = StatusDay.objects.filter(kind="part").values_list("name", "ok", "failed")
    assert set(rows) == {
        *[("api", 2, 0), ("dashboard", 2, 0), ("log", 2, 0)],
        ("webhooks", 0, 2),
    }


def test_maintenance_that_was_announced_counts_as_nothing() -> None:
    make_maintenance(begins=-5, ends=5, parts=["api"], begun_at=timezone.now())

    watch.look()

    assert not StatusDay.objects.filter(name="api").exists()


def test_the_calls_of_a_day_are_summed_and_never_twice() -> None:
    midnight = datetime(2026, 11, 26, tzinfo=UTC)
    for hour, ok in ((-1, 5), (0, 7), (23, 11)):
        ModelHour.objects.create(
            hour=midnight + timedelta(hours=hour), model=MODEL, ok=ok, failed=1
        )

    for _ in range(2):
        days.sum_models(midnight + timedelta(hours=23, minutes=59))

    rows = StatusDay.objects.filter(kind="model", name=MODEL).values_list("day", "ok", "failed")
    assert [(str(day), ok, failed) for day, ok, failed in rows] == [
        ("2026-11-25", 5, 1),
        ("2026-11-26", 18, 2),
    ]


@pytest.mark.parametrize(
    ("ok", "failed", "state"),
    [
        (1440, 0, State.WORKS),
        (1430, 10, State.WORKS),
        (1400, 40, State.DEGRADED),
        (9, 2, State.DOWN),
    ],
)
def test_a_day_is_as_good_as_the_share_that_worked(ok: int, failed: int, state: State) -> None:
    counted(ok, failed, days_ago=3)

    found = history()

    assert len(found.days) == 90
    assert found.days[-4].state == state
    assert {day.state for day in found.days if day is not found.days[-4]} == {None}


@pytest.mark.parametrize(
    ("impact", "state"),
    [("none", State.WORKS), ("minor", State.DEGRADED), ("major", State.DOWN)],
)
def test_an_incident_makes_each_of_its_days_as_bad_as_it_was(impact: str, state: State) -> None:
    now = timezone.now()
    counted(1440, 0, days_ago=2)
    times = {"begun_at": now - timedelta(days=2), "resolved_at": now - timedelta(days=1)}

    found = history(impact=impact, parts=["api"], **times)

    assert found.days[-3].state == state
    assert found.days[-3].incidents == found.days[-2].incidents == ("Calls fail",)
    assert found.days[-1].incidents == found.days[-4].incidents == ()


def test_an_incident_of_something_else_changes_nothing() -> None:
    found = history(impact="critical", parts=["webhooks"])

    assert {day.state for day in found.days} == {None}


def test_the_bars_are_said_in_words_and_stand_in_a_table(visitor: Client) -> None:
    counted(1440, 0, days_ago=2)
    counted(1000, 440, days_ago=1)

    page = visitor.get("/status").content.decode()
    table = text_of(visitor.get("/status/days/part/api"))

    assert "85 % over 2 days, 1 day with trouble" in page
    assert 'aria-hidden="true"' in page
    assert '<i class="b" title=' in page
    assert table.count("not watched") == 88
    assert "69 % of the time" in table


def test_a_share_that_was_not_all_never_reads_as_if_it_were(visitor: Client) -> None:
    counted(999_999, 1)

    assert "99.99 % over 1 day" in visitor.get("/status").content.decode()


@pytest.mark.parametrize(
    "path", ["part/nothing", "model/keyplex/echo", "model/nothing", "other/api", "part/api%00"]
)
def test_what_is_not_watched_has_no_days(visitor: Client, path: str) -> None:
    assert visitor.get(f"/status/days/{path}").status_code == 404


def test_a_model_has_days_too(visitor: Client) -> None:
    fared(99, 1)
    days.sum_models(timezone.now())

    assert "99 % of the calls answered" in text_of(visitor.get(f"/status/days/model/{MODEL}"))


def test_what_is_older_than_is_shown_is_forgotten() -> None:
    counted(1, 0, days_ago=89)
    counted(1, 0, days_ago=90)

    watch.forget()

    assert StatusDay.objects.count() == 1
