"""Incidents and maintenance: what can be said of them, and what cannot any more."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.audit import SYSTEM, AuditEntry
from dashboard.models import Incident, Maintenance
from dashboard.status import banner, watch
from tests.dashboard.conftest import browser_of, text_of
from tests.people import make_account, make_user
from tests.status.conftest import make_incident, make_maintenance


def sayings(told: Incident | Maintenance) -> list[str]:
    return [update.saying for update in told.updates.order_by("pk")]


def test_an_incident_goes_from_its_beginning_to_its_end() -> None:
    incident = Incident.objects.open("Calls fail", "We look.", by=SYSTEM, impact="major")

    incident.update("identified", "We know.", by=SYSTEM, impact="minor")
    incident.resolve("Over.", by=SYSTEM)

    incident.refresh_from_db()
    assert sayings(incident) == ["investigating", "identified", "resolved"]
    assert (incident.state, incident.impact) == ("resolved", "minor")
    assert incident.resolved_at is not None


def test_of_what_is_resolved_nothing_more_is_said() -> None:
    incident = make_incident()
    incident.resolve("Over.", by=SYSTEM)

    for again in (
        lambda: incident.resolve("Over.", by=SYSTEM),
        lambda: incident.update("identified", "We know.", by=SYSTEM),
    ):
        with pytest.raises(ValidationError, match="resolved already"):
            again()

    assert sayings(incident) == ["resolved"]
    assert AuditEntry.objects.filter(action="incident.resolved").count() == 1


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"begun_at": timezone.now() + timedelta(days=1)}, "begun_at"),
        ({"state": "resolved"}, "state"),
    ],
)
def test_an_incident_that_cannot_be_is_not_published(fields: dict[str, object], where: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Incident.objects.open("Calls fail", "We look.", by=SYSTEM, **fields)

    assert list(refusal.value.message_dict) == [where]
    assert not Incident.objects.exists()


@pytest.mark.parametrize(("begins", "ends", "where"), [(-5, 5, "starts_at"), (10, 10, "ends_at")])
def test_maintenance_is_planned_ahead_and_takes_some_time(
    begins: int, ends: int, where: str
) -> None:
    now = timezone.now()
    times = {
        "starts_at": now + timedelta(minutes=begins),
        "ends_at": now + timedelta(minutes=ends),
    }

    with pytest.raises(ValidationError) as refusal:
        Maintenance.objects.plan("New", "It will be.", by=SYSTEM, **times)

    assert list(refusal.value.message_dict) == [where]


def test_maintenance_begins_and_ends_by_the_clock_once() -> None:
    to_come = make_maintenance(begins=10, ends=20)
    due = make_maintenance(begins=-10, ends=20)
    over = make_maintenance(begins=-10, ends=-5, begun_at=timezone.now())

    watch.look()
    watch.look()

    assert [sayings(one) for one in (to_come, due, over)] == [[], ["begun"], ["ended"]]


def test_maintenance_whose_end_was_moved_goes_on() -> None:
    late = make_maintenance(begins=-10, ends=1, begun_at=timezone.now())

    late.update("It takes longer.", by=SYSTEM, ends_at=timezone.now() + timedelta(hours=1))

    with pytest.raises(ValidationError):
        late.update("It is over.", by=SYSTEM, ends_at=timezone.now() - timedelta(minutes=1))
    Maintenance.objects.by_the_clock()
    late.refresh_from_db()
    assert late.ended_at is None
    assert sayings(late) == ["begun"]


def test_maintenance_can_be_called_off_and_then_it_is_over(visitor: Client) -> None:
    maintenance = make_maintenance(begins=10, ends=20)

    maintenance.end("It does not take place.", by=SYSTEM)

    with pytest.raises(ValidationError, match="over already"):
        maintenance.begin("Now.", by=SYSTEM)
    assert b"STATUS:CANCELLED" in visitor.get("/status/maintenance.ics").content


@pytest.mark.parametrize(
    ("impact", "resolved", "shown"),
    [
        ("minor", False, False),
        ("major", False, True),
        ("critical", False, True),
        ("major", True, False),
    ],
)
def test_members_read_of_what_is_major_wherever_they_are(
    impact: str, resolved: bool, shown: bool
) -> None:
    owner = make_user()
    make_account(owner)
    make_incident(
        title="Calls fail", impact=impact, resolved_at=timezone.now() if resolved else None
    )

    banner.renew()

    page = text_of(browser_of(owner).get("/keys"))

    assert ("Calls fail. We are at work on it." in page.replace(" .", ".")) == shown


def test_members_read_of_maintenance_while_it_is_under_way() -> None:
    owner = make_user()
    make_account(owner)
    make_maintenance(begins=60, ends=90, title="Not yet")
    make_maintenance(begins=-5, ends=5, title="Just now", begun_at=timezone.now())

    watch.look()

    page = text_of(browser_of(owner).get("/overview"))

    assert "Maintenance: Just now." in page
    assert "Not yet" not in page
