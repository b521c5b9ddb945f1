"""Operators tell of incidents and maintenance with one form, and others cannot."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEntry
from accounts.models import User
from dashboard.models import Incident, Maintenance
from dashboard.status import banner
from dashboard.status.wording import CHANGE, INCIDENT, PLAN, UPDATE
from tests.dashboard.conftest import text_of
from tests.operators import as_operator
from tests.status.conftest import MODEL, make_incident, make_maintenance

OPEN, PLANNED = "/ops/dashboard/incident/open/", "/ops/dashboard/maintenance/plan/"
SAID = {"title": "Calls fail", "impact": "major", "state": "investigating", "text": "We look."}


def in_hours(hours: int) -> str:
    return f"{timezone.now() + timedelta(hours=hours):%Y-%m-%dT%H:%M}"


def test_one_form_publishes_an_incident(operator: Client) -> None:
    answer = operator.post(OPEN, {**SAID, "parts": ["api"], "model_ids": [MODEL]}, follow=True)

    incident = Incident.objects.get()
    assert "Published: Calls fail." in text_of(answer)
    assert (incident.impact, incident.parts, incident.model_ids) == ("major", ["api"], [MODEL])
    entry = AuditEntry.objects.get(action="incident.opened")
    assert entry.actor == "operator operator@example.com"
    assert "Calls fail." in banner.banner()


def test_another_one_says_how_far_it_is_until_it_is_over(operator: Client) -> None:
    incident = make_incident()
    form = f"/ops/dashboard/incident/{incident.pk}/update/"

    operator.post(form, {"state": "monitoring", "impact": "none", "text": "Better."})
    operator.post(form, {"state": "resolved", "impact": "none", "text": "Over."})
    again = operator.post(form, {"state": "resolved", "impact": "none", "text": "Over."})

    incident.refresh_from_db()
    assert incident.resolved_at
    assert [update.text for update in incident.updates.all()] == ["Over.", "Better."]
    assert again.status_code == 422
    assert "It is resolved already." in text_of(again)


def test_maintenance_is_planned_and_changed(operator: Client) -> None:
    times = {"starts_at": in_hours(1), "ends_at": in_hours(2)}
    operator.post(PLANNED, {"title": "New", "text": "It will be.", **times})
    maintenance = Maintenance.objects.get()
    form = f"/ops/dashboard/maintenance/{maintenance.pk}/update/"

    operator.post(form, {"do": "say", "text": "Longer.", "ends_at": in_hours(3)})
    operator.post(form, {"do": "begin", "text": "Now.", "ends_at": in_hours(3)})
    operator.post(form, {"do": "end", "text": "Done.", "ends_at": in_hours(3)})

    moved = maintenance.ends_at + timedelta(hours=1)
    maintenance.refresh_from_db()
    sayings = [update.saying for update in maintenance.updates.order_by("pk")]
    assert sayings == ["planned", "changed", "begun", "ended"]
    assert maintenance.ends_at == moved


@pytest.mark.parametrize(
    ("form", "said", "complaint"),
    [
        (OPEN, {"title": "", "text": ""}, "Give it a title."),
        (OPEN, {"parts": ["nothing"]}, "Select a valid choice."),
        (OPEN, {"begun_at": "2999-01-01T00:00"}, "That is still to come."),
        (PLANNED, {"starts_at": "2001-01-01T00:00"}, "Choose a moment that is still to come."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    operator: Client, form: str, said: dict[str, object], complaint: str
) -> None:
    times = {"starts_at": in_hours(1), "ends_at": in_hours(2)}

    answer = operator.post(form, {**SAID, **times, **said})

    assert answer.status_code == 422
    assert complaint in text_of(answer)
    assert not Incident.objects.exists()
    assert not Maintenance.objects.exists()


def test_every_wording_fills_its_form_and_could_be_published(operator: Client) -> None:
    incident, maintenance = make_incident(), make_maintenance(begins=5, ends=10)
    forms = {
        OPEN: INCIDENT,
        f"/ops/dashboard/incident/{incident.pk}/update/": UPDATE,
        PLANNED: PLAN,
        f"/ops/dashboard/maintenance/{maintenance.pk}/update/": CHANGE,
    }
    for address, wordings in forms.items():
        for name, wording in wordings.items():
            form = operator.get(address, {"words": name}).context["form"]
            filled = {field: form[field].value() for field in wording.fields}
            fit = type(form)(form.row, {**form.initial, **filled})
            assert filled == wording.fields
            assert not set(fit.errors) & set(wording.fields), name


@pytest.mark.parametrize("address", ["open/", "1/update/"])
def test_who_is_no_operator_tells_nothing(visitor: Client, address: str) -> None:
    make_incident()
    clerk = Client()
    as_operator(
        clerk, User.objects.create_user("clerk@example.com", "correct horse", is_staff=True)
    )
    path = f"/ops/dashboard/incident/{address}"

    assert visitor.post(path, SAID).status_code == 302
    assert clerk.post(path, SAID).status_code == 403
    assert not AuditEntry.objects.filter(action__startswith="incident.").exists()


def test_lists_lead_to_the_forms(operator: Client) -> None:
    incident, maintenance = make_incident(), make_maintenance(begins=5, ends=10)

    for path, words in [
        ("incident/", "Publish an incident"),
        (f"incident/{incident.pk}/change/", "Say how far it is"),
        ("maintenance/", "Plan maintenance"),
        (f"maintenance/{maintenance.pk}/change/", "Say something of the maintenance"),
    ]:
        assert words in text_of(operator.get(f"/ops/dashboard/{path}"))
