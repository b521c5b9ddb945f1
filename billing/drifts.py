"""Where we and Stripe did not agree, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models, transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Action, Actor


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not so at Stripe; ``stripe_id`` is of what it is about."""

    stripe_id: str
    what: str
    ours: str = ""
    theirs: str = ""


class Drift(models.Model):
    """One difference that was found. ``mended_at`` is None while a person must look."""

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.SET_NULL, null=True, related_name="drifts"
    )
    stripe_id = models.CharField(max_length=100)  # of what it is about
    what = models.CharField(max_length=100)
    ours = models.CharField(max_length=200, blank=True)
    theirs = models.CharField(max_length=200, blank=True)
    found_at = models.DateTimeField(default=timezone.now)
    mended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_id", "what"],
                condition=models.Q(mended_at=None),
                name="drift_told_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stripe_id}: {self.what}, ours {self.ours!r}, theirs {self.theirs!r}"

    @transaction.atomic
    def see_to(self, *, by: Actor) -> bool:
        """A person has looked; what is still so is found again. False if somebody had before."""
        if not Drift.objects.filter(pk=self.pk, mended_at=None).update(mended_at=timezone.now()):
            return False
        self.refresh_from_db(fields=["mended_at"])
        audit.record(self.account, Action.DRIFT_SEEN_TO, by=by, about=self.stripe_id)
        return True
