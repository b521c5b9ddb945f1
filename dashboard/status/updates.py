"""What is said of incidents and maintenance, each time that something is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from dashboard.status import kept
from dashboard.status.dispatches import Dispatch
from dashboard.status.letters import Letter
from dashboard.status.parts import Kind, Part
from dashboard.status.sayings import Saying as Saying

if TYPE_CHECKING:
    from dashboard.status.incidents import Incident
    from dashboard.status.maintenance import Maintenance


class Announced(models.Model):
    """What is told to everybody: a title, and what it concerns. Nothing named is nothing judged."""

    title = models.CharField(max_length=120)
    parts = ArrayField(models.CharField(max_length=20, choices=Part), default=list, blank=True)
    model_ids = ArrayField(models.CharField(max_length=200), default=list, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    def affects(self, kind: str, name: str) -> bool:
        return name in (self.parts if kind == Kind.PART else self.model_ids)

    @property
    def affected(self) -> list[str]:
        """What it concerns, in words."""
        return [*(Part(name).label for name in self.parts if name in Part.values), *self.model_ids]


class UpdateQuerySet(models.QuerySet["Update"]):
    def publish(self, about: Incident | Maintenance, saying: Saying, text: str) -> Update:
        """Say something of it: on the page, in the feed, and to whom it concerns of those who
        asked to be told."""
        update = self.create(**{about._meta.model_name or "": about}, saying=saying, text=text)
        Letter.objects.announce(update)
        Dispatch.objects.announce(update)
        transaction.on_commit(kept.forget, robust=True)
        return update


class Update(models.Model):
    """One thing that was said, of either an incident or a maintenance."""

    incident = models.ForeignKey(
        "dashboard.Incident", on_delete=models.CASCADE, related_name="updates", null=True
    )
    maintenance = models.ForeignKey(
        "dashboard.Maintenance", on_delete=models.CASCADE, related_name="updates", null=True
    )
    saying = models.CharField(max_length=20, choices=Saying)
    text = models.TextField()
    at = models.DateTimeField(default=timezone.now)

    objects = UpdateQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(incident=None) ^ Q(maintenance=None), name="update_of_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_saying_display()}: {self.about}"

    @property
    def about(self) -> Incident | Maintenance:
        found = self.incident or self.maintenance
        assert found, "the database sees to it that there is one"
        return found
