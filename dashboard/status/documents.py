"""What is posted to receivers: a JSON document about one thing that was said, or a question."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import models

from dashboard.status.sayings import Saying
from dashboard.status.summary import (
    incident_facts,
    maintenance_facts,
    update_facts,
    whole_address,
)

if TYPE_CHECKING:
    from dashboard.status.updates import Update


class Kind(models.TextChoices):
    """The type of a document."""

    CHALLENGE = "status.challenge", "do you want to be told?"
    INCIDENT_OPENED = "incident.opened", "something does not work as it should"
    INCIDENT_UPDATED = "incident.updated", "more is known, or its impact has changed"
    INCIDENT_RESOLVED = "incident.resolved", "it is over"
    MAINTENANCE_PLANNED = "maintenance.planned", "what will be done, and when"
    MAINTENANCE_UPDATED = "maintenance.updated", "more is known, or its end has moved"
    MAINTENANCE_BEGUN = "maintenance.begun", "it is under way"
    MAINTENANCE_ENDED = "maintenance.ended", "it is over, or was called off"


OF_MAINTENANCE = {
    Saying.PLANNED: Kind.MAINTENANCE_PLANNED,
    Saying.CHANGED: Kind.MAINTENANCE_UPDATED,
    Saying.BEGUN: Kind.MAINTENANCE_BEGUN,
    Saying.ENDED: Kind.MAINTENANCE_ENDED,
}


def kind_of(update: Update) -> Kind:
    """An update says how far something is; its kind, whether that is new."""
    before = update.about.updates.filter(pk__lt=update.pk)
    if update.incident:
        if update.saying == Saying.RESOLVED:
            return Kind.INCIDENT_RESOLVED
        return Kind.INCIDENT_UPDATED if before.exists() else Kind.INCIDENT_OPENED
    if update.saying == Saying.BEGUN and before.filter(saying=Saying.BEGUN).exists():
        return Kind.MAINTENANCE_UPDATED
    return OF_MAINTENANCE[Saying(update.saying)]


def said(update: Update) -> tuple[Kind, dict[str, Any]]:
    """The kind of a document about an update, and its data."""
    data: dict[str, Any] = {}
    if update.incident:
        data["incident"] = incident_facts(update.incident)
    if update.maintenance:
        data["maintenance"] = maintenance_facts(update.maintenance)
    data["update"] = update_facts(update)
    data["page"] = f"{whole_address('status:page')}#update-{update.pk}"
    return kind_of(update), data


def written_down(message_id: str, kind: Kind, data: dict[str, Any], subscription: str) -> str:
    """The very text that is sent and signed. ``subscription`` is where it can be ended."""
    document = {
        "id": message_id,
        "type": kind.value,
        "created": int(time.time()),
        "data": data,
        "subscription": subscription,
    }
    return msgspec.json.encode(document).decode()
