"""What is going to be done to the product, said before."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.audit import SYSTEM, Action, Actor, record
from dashboard.status.updates import Announced, Saying, Update

BEGINS, ENDS = "It has begun, as planned.", "It is over, as planned."


class MaintenanceQuerySet(models.QuerySet["Maintenance"]):
    def under_way(self) -> MaintenanceQuerySet:
        return self.filter(begun_at__isnull=False, ended_at=None)

    def to_come(self) -> MaintenanceQuerySet:
        return self.filter(begun_at=None, ended_at=None).order_by("starts_at", "pk")

    @transaction.atomic
    def plan(
        self,
        title: str,
        text: str,
        *,
        starts_at: datetime,
        ends_at: datetime,
        by: Actor,
        parts: Sequence[str] = (),
        model_ids: Sequence[str] = (),
    ) -> Maintenance:
        """Tell everybody what will be done, and when. Raises ValidationError."""
        if starts_at <= timezone.now():
            raise ValidationError({"starts_at": "Choose a moment that is still to come."})
        if ends_at <= starts_at:
            raise ValidationError({"ends_at": "It has to end after it has begun."})
        maintenance = self.create(
            title=title,
            parts=list(parts),
            model_ids=list(model_ids),
            starts_at=starts_at,
            ends_at=ends_at,
        )
        Update.objects.publish(maintenance, Saying.PLANNED, text)
        said = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
        record(None, Action.MAINTENANCE_PLANNED, by=by, about=title, **said)
        return maintenance

    def by_the_clock(self) -> None:
        """Begin what should have begun by now, and end what should be over; each once."""
        now = timezone.now()
        for maintenance in self.to_come().filter(starts_at__lte=now):
            with suppress(ValidationError):  # an operator was just faster
                maintenance.begin(BEGINS, by=SYSTEM)
        for maintenance in self.under_way().filter(ends_at__lte=now):
            with suppress(ValidationError):
                maintenance.end(ENDS, by=SYSTEM)


class Maintenance(Announced):
    """Begins and ends at the planned moments by itself, or when an operator says so."""

    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-pk"]
        verbose_name_plural = "maintenance"
        indexes = [
            models.Index(
                fields=["starts_at"], condition=Q(ended_at=None), name="maintenance_not_over"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="maintenance_ends_after_its_start"
            ),
        ]

    @property
    def begins(self) -> datetime:
        return self.begun_at or self.starts_at

    @property
    def ended(self) -> datetime | None:
        return self.ended_at

    @property
    def saying(self) -> Saying:
        """How far it is."""
        if self.ended_at:
            return Saying.ENDED
        return Saying.BEGUN if self.begun_at else Saying.PLANNED

    @transaction.atomic
    def update(self, text: str, *, by: Actor, ends_at: datetime | None = None) -> None:
        """Say something of it; ``ends_at`` moves its end. Raises ValidationError."""
        self._lock_not_over()
        if ends_at and ends_at <= max(self.begins, timezone.now()):
            raise ValidationError({"ends_at": "Choose a moment after its beginning, and to come."})
        self.ends_at = ends_at or self.ends_at
        self.save(update_fields=["ends_at"])
        Update.objects.publish(self, Saying.BEGUN if self.begun_at else Saying.CHANGED, text)
        until = self.ends_at.isoformat()
        record(None, Action.MAINTENANCE_UPDATED, by=by, about=self.title, ends_at=until)

    @transaction.atomic
    def begin(self, text: str, *, by: Actor) -> bool:
        """Say that it is under way; False where it is already. Raises ValidationError."""
        self._lock_not_over()
        if self.begun_at:
            return False
        self.begun_at = timezone.now()
        self.save(update_fields=["begun_at"])
        Update.objects.publish(self, Saying.BEGUN, text)
        record(None, Action.MAINTENANCE_BEGUN, by=by, about=self.title)
        return True

    @transaction.atomic
    def end(self, text: str, *, by: Actor) -> None:
        """Say that it is over, or that it will not be. Raises ValidationError if it was said."""
        self._lock_not_over()
        self.ended_at = timezone.now()
        self.save(update_fields=["ended_at"])
        Update.objects.publish(self, Saying.ENDED, text)
        record(None, Action.MAINTENANCE_ENDED, by=by, about=self.title)

    def _lock_not_over(self) -> None:
        Maintenance.objects.select_for_update().get(pk=self.pk)
        self.refresh_from_db()
        if self.ended_at:
            raise ValidationError("It is over already.")
