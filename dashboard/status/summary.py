"""The status page as data, for programs that read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

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
        "as_of": _moment(picture.at),
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
        "share_90_days": line.history.share,
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "title": incident.title,
        "impact": incident.impact,
        "state": incident.state,
        "components": incident.parts,
        "models": incident.model_ids,
        "begun_at": _moment(incident.begun_at),
        "updates": [_update(update) for update in incident.updates.all()],
    }


def _maintenance(maintenance: Maintenance) -> dict[str, Any]:
    return {
        "title": maintenance.title,
        "state": maintenance.saying.value,
        "components": maintenance.parts,
        "models": maintenance.model_ids,
        "starts_at": _moment(maintenance.begins),
        "ends_at": _moment(maintenance.ends_at),
        "updates": [_update(update) for update in maintenance.updates.all()],
    }


def _update(update: Update) -> dict[str, Any]:
    return {"at": _moment(update.at), "state": update.saying, "text": update.text}


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
