"""The status page as data, for programs that read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from webhooks.moments import written

if TYPE_CHECKING:
    from dashboard.status.incidents import Incident
    from dashboard.status.maintenance import Maintenance
    from dashboard.status.picture import Line, Picture
    from dashboard.status.updates import Update


def whole_address(name: str, *args: str) -> str:
    """Of a page, as it is known outside."""
    return f"{settings.PUBLIC_URL}{reverse(name, args=args)}"


def summary(picture: Picture) -> dict[str, Any]:
    """What ``/status.json`` says."""
    return {
        "page": whole_address("status:page"),
        "as_of": written(picture.at),
        "status": picture.state.value,
        "description": picture.sentence,
        "components": [_line(line) for line in picture.parts],
        "models": [_line(line) for line in picture.models],
        "incidents": [_incident(one) for one in picture.incidents],
        "maintenance": [_maintenance(one) for one in [*picture.under_way, *picture.to_come]],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "id": line.fact.name,
        "name": line.fact.label,
        "status": line.state.value,
        "description": line.why,
        "rests_on": line.rests_on,
        "share_90_days": line.history.share,
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return incident_facts(incident) | {"updates": _updates(incident)}


def _maintenance(maintenance: Maintenance) -> dict[str, Any]:
    return maintenance_facts(maintenance) | {"updates": _updates(maintenance)}


def incident_facts(incident: Incident) -> dict[str, Any]:
    """All but what was said of it."""
    return {
        "id": incident.pk,
        "title": incident.title,
        "impact": incident.impact,
        "state": incident.state,
        "components": incident.parts,
        "models": incident.model_ids,
        "begun_at": written(incident.begun_at),
    }


def maintenance_facts(maintenance: Maintenance) -> dict[str, Any]:
    return {
        "id": maintenance.pk,
        "title": maintenance.title,
        "state": maintenance.saying.value,
        "components": maintenance.parts,
        "models": maintenance.model_ids,
        "starts_at": written(maintenance.begins),
        "ends_at": written(maintenance.ends_at),
    }


def update_facts(update: Update) -> dict[str, Any]:
    return {"at": written(update.at), "state": update.saying, "text": update.text}


def _updates(about: Incident | Maintenance) -> list[dict[str, Any]]:
    return [update_facts(update) for update in about.updates.all()]
