"""What a probe found the last time: a call of our own, so that a state need not wait for others'.

One failure may be chance; two in a row are trouble, and the next success ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F
from django.utils import timezone

from dashboard.status.parts import Kind, State

TROUBLE = 2  # failures in a row
FRESH = {Kind.PART: timedelta(minutes=5), Kind.MODEL: timedelta(minutes=20)}
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Found:
    """How a probe went, and what that means where it stays so."""

    state: State
    why: str


class ProbeQuerySet(models.QuerySet["Probe"]):
    def note(self, kind: Kind, name: str, found: Found) -> None:
        """Write down how it went."""
        now = timezone.now()
        said = {"asked_at": now, "state": found.state, "why": found.why}
        probe, _ = self.get_or_create(kind=kind, name=name, defaults=said)
        if found.state.is_bad:
            self.filter(pk=probe.pk).update(failures=F("failures") + 1, **said)
        else:
            self.filter(pk=probe.pk).update(failures=0, succeeded_at=now, **said)

    def fresh(self, now: datetime) -> dict[tuple[str, str], Probe]:
        """Those that still tell something, by kind and name.

        A probe of a part that never succeeded tells nothing: it may have asked at a wrong address.
        """
        known = self.exclude(kind=Kind.PART, succeeded_at=None)
        return {(one.kind, one.name): one for one in known if one.is_fresh(now)}

    def forget(self, now: datetime) -> None:
        self.filter(asked_at__lt=now - KEPT).delete()


class Probe(models.Model):
    """The newest one of a part or a model."""

    kind = models.CharField(max_length=5, choices=Kind)
    name = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    state = models.CharField(max_length=20, choices=State)
    why = models.CharField(max_length=200)

    objects = ProbeQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="probe_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.state}"

    def is_fresh(self, now: datetime) -> bool:
        return self.asked_at > now - FRESH[Kind(self.kind)]

    @property
    def verdict(self) -> State:
        """Bad only after several failures in a row."""
        return State(self.state) if self.failures >= TROUBLE else State.WORKS

    def age(self, now: datetime) -> str:
        """How long ago it was, in words."""
        seconds = max(0, int((now - self.asked_at).total_seconds()))
        return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
