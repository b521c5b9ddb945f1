"""What programs read: JSON, an Atom feed, a calendar; and the copy for bad times."""

import json
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from accounts.audit import SYSTEM
from dashboard.models import Incident, Maintenance
from dashboard.status import watch
from tests.status.conftest import make_incident

ATOM = "{http://www.w3.org/2005/Atom}"


def plan() -> Maintenance:
    starts_at = timezone.now() + timedelta(days=1)
    times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    text = "Pages; calls, too. " * 9
    return Maintenance.objects.plan("A new, better version", text, by=SYSTEM, **times)


def test_the_json_says_what_the_page_says(visitor: Client) -> None:
    Incident.objects.open("Calls fail", "We look.", by=SYSTEM, impact="major", parts=["api"])
    plan()

    answer = visitor.get("/status.json")
    told = answer.json()

    assert answer["Access-Control-Allow-Origin"] == "*"
    assert (told["status"], told["description"]) == (
        "down",
        "We are at work on an incident: Calls fail.",
    )
    assert [update["text"] for update in told["incidents"][0]["updates"]] == ["We look."]
    assert told["maintenance"][0]["state"] == "planned"
    assert {part["id"] for part in told["components"]} == {"api", "dashboard", "webhooks", "log"}


def test_the_feed_has_an_entry_for_each_thing_said(visitor: Client) -> None:
    incident = Incident.objects.open("Calls <fail>", "We look.", by=SYSTEM)
    incident.resolve("Over & out.", by=SYSTEM)
    plan()

    answer = visitor.get("/status/feed.atom")
    feed = ElementTree.fromstring(answer.content)

    assert answer["Content-Type"].startswith("application/atom+xml")
    assert [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")] == [
        *("Planned: A new, better version", "Resolved: Calls <fail>"),
        "Investigating: Calls <fail>",
    ]
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
    assert len(set(ids)) == 3
    assert all(str(one).startswith(settings.PUBLIC_URL) for one in ids)


def test_the_calendar_has_the_maintenance_as_it_is_planned(visitor: Client) -> None:
    maintenance = plan()

    answer = visitor.get("/status/maintenance.ics")
    [event] = Calendar.from_ical(answer.content).walk("VEVENT")

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert event["SUMMARY"].endswith("A new, better version")
    assert event["DESCRIPTION"] == maintenance.updates.get().text
    assert event["DTSTART"].dt == maintenance.starts_at.replace(microsecond=0)
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(hours=1)
    assert max(len(line) for line in answer.content.split(b"\r\n")) <= 75


@pytest.mark.parametrize("path", ["/status", "/status.json", "/status/feed.atom"])
def test_nobody_posts_to_what_is_only_read(visitor: Client, path: str) -> None:
    assert visitor.post(path).status_code == 405


def test_a_copy_is_kept_for_when_there_is_nobody_to_make_the_page() -> None:
    make_incident(title="Calls fail")

    watch.look()

    folder = Path(settings.STATUS_COPY)
    page = (folder / "index.html").read_text()
    assert "This is a copy, made at" in page
    assert "Calls fail" in page
    assert "<form" not in page
    assert json.loads((folder / "status.json").read_text())["status"] == "degraded"
    assert not list(folder.glob(".*"))
