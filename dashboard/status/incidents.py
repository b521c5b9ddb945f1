"""What went wrong, and what is done about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit import Action, Actor, record
from dashboard.status.parts import LOUD, Impact
from dashboard.status.updates import Announced, Saying, Update

OPEN_STATES = (Saying.INVESTIGATING, Saying.IDENTIFIED, Saying.MONITORING)
STATES = [(state.value, state.label) for state in (*OPEN_STATES, Saying.RESOLVED)]


class IncidentQuerySet(models.QuerySet["Incident"]):
    def going_on(self) -> IncidentQuerySet:
        return self.filter(resolved_at=None)

    def loud(self) -> IncidentQuerySet:
        """Those that members read of on whatever page they are."""
        return self.going_on().filter(impact__in=LOUD)

    @transaction.atomic
    def open(
        self,
        title: str,
        text: str,
        *,
        by: Actor,
        impact: str = Impact.MINOR,
        state: str = Saying.INVESTIGATING,
        parts: Sequence[str] = (),
        model_ids: Sequence[str] = (),
        begun_at: datetime | None = None,
    ) -> Incident:
        """Tell everybody that something is wrong. Raises ValidationError."""
        now = timezone.now()
        if begun_at and begun_at > now:
            raise ValidationError({"begun_at": "That is still to come."})
        if state not in OPEN_STATES:
            raise ValidationError({"state": "What is resolved already is told as an update."})
        incident = self.create(
            title=title,
            impact=impact,
            state=state,
            parts=list(parts),
            model_ids=list(model_ids),
            begun_at=begun_at or now,
        )
        Update.objects.publish(incident, Saying(state), text)
        record(None, Action.INCIDENT_OPENED, by=by, about=title, impact=str(impact))
        return incident


class Incident(Announced):
    """Something that does not work as it should, from its beginning until it is resolved."""

    impact = models.CharField(max_length=10, choices=Impact, default=Impact.MINOR)
    state = models.CharField(max_length=20, choices=STATES, default=Saying.INVESTIGATING)
    begun_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-begun_at", "-pk"]
        indexes = [
            models.Index(fields=["impact"], condition=Q(resolved_at=None), name="incident_open"),
        ]

    @property
    def severity(self) -> Impact:
        return Impact(self.impact)

    @property
    def begins(self) -> datetime:
        return self.begun_at

    @property
    def ended(self) -> datetime | None:
        return self.resolved_at

    @transaction.atomic
    def update(self, state: str, text: str, *, by: Actor, impact: str = "") -> None:
        """Say how far it is, and how bad if that has changed. Raises ValidationError."""
        if state not in OPEN_STATES:
            raise ValidationError({"state": "Choose how far it is."})
        self._lock_open()
        self.state, self.impact = state, impact or self.impact
        self.save(update_fields=["state", "impact"])
        Update.objects.publish(self, Saying(state), text)
        record(None, Action.INCIDENT_UPDATED, by=by, about=self.title, state=state)

    @transaction.atomic
    def resolve(self, text: str, *, by: Actor) -> None:
        """Say that it is over. Raises ValidationError where that was said before."""
        self._lock_open()
        self.state, self.resolved_at = Saying.RESOLVED, timezone.now()
        self.save(update_fields=["state", "resolved_at"])
        Update.objects.publish(self, Saying.RESOLVED, text)
        record(None, Action.INCIDENT_RESOLVED, by=by, about=self.title)

    def _lock_open(self) -> None:
        Incident.objects.select_for_update().get(pk=self.pk)
        self.refresh_from_db()
        if self.resolved_at:
            raise ValidationError("It is resolved already. If it is back, publish a new incident.")
