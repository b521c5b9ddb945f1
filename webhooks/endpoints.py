"""Where an account wants to be told: an address, what it listens to, and how it is doing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from webhooks import sealing, signing
from webhooks.event_types import EventType

BOTH_VALID = timedelta(hours=24)  # after a rotation
GIVEN_UP_AFTER = timedelta(days=5)  # of nothing but failures
LEAST_FAILURES = 10
MOST = 20  # endpoints of one account


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def enabled(self) -> EndpointQuerySet:
        return self.filter(disabled_at=None)

    def listening_to(self, account_id: int, event_type: EventType) -> EndpointQuerySet:
        return self.enabled().filter(account_id=account_id, events__contains=[event_type])

    def open(
        self, account_id: int, *, url: str, events: Sequence[str], description: str = ""
    ) -> tuple[Endpoint, str]:
        """Begin to tell ``url``. The secret is returned here, once, and kept sealed."""
        secret = signing.generate_secret()
        endpoint = self.create(
            account_id=account_id,
            url=url,
            events=list(events),
            description=description,
            sealed_secret=sealing.seal(secret),
        )
        return endpoint, secret


class Endpoint(models.Model):
    """A receiver. Every attempt since ``answers_since`` has succeeded, or every one since
    ``failing_since`` has failed; neither is set before the first one.
    """

    class Disabled(models.TextChoices):
        USER = "user", "Switched off by you"
        GONE = "gone", "The receiver answered 410 Gone"
        FAILING = "failing", "Five days of nothing but failures"

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=40, choices=EventType))
    sealed_secret = models.TextField(editable=False)
    sealed_previous_secret = models.TextField(blank=True, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_because = models.CharField(max_length=10, choices=Disabled, blank=True)
    answers_since = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.url

    @property
    def state(self) -> str:
        if self.disabled_at:
            return "disabled"
        return "failing" if self.failing_since else "enabled"

    @property
    def old_secret_until(self) -> datetime | None:
        """Until when the secret before this one is valid too; None if there is none."""
        if not self.sealed_previous_secret or self.rotated_at is None:
            return None
        until = self.rotated_at + BOTH_VALID
        return until if until > timezone.now() else None

    def valid_secrets(self) -> list[str]:
        """The newest first; two for a day after a rotation. None that cannot be unsealed."""
        sealed = [self.sealed_secret]
        if self.old_secret_until:
            sealed.append(self.sealed_previous_secret)
        return [secret for one in sealed if (secret := sealing.unseal(one))]

    def rotate(self) -> str:
        """A new secret, returned once; the one before stays valid for ``BOTH_VALID``."""
        secret = signing.generate_secret()
        self.sealed_previous_secret, self.sealed_secret = self.sealed_secret, sealing.seal(secret)
        self.rotated_at = timezone.now()
        self.save(update_fields=["sealed_secret", "sealed_previous_secret", "rotated_at"])
        return secret

    def disable(self, because: Disabled) -> bool:
        """Tell it nothing more, until it is enabled again. False if it was told nothing before."""
        rows = Endpoint.objects.enabled().filter(pk=self.pk)
        changed = bool(rows.update(disabled_at=timezone.now(), disabled_because=because))
        self.refresh_from_db(fields=["disabled_at", "disabled_because"])
        return changed

    def enable(self) -> bool:
        """Go on with what is waiting, and forget how often it failed. False if it was enabled."""
        changed = Endpoint.objects.filter(pk=self.pk, disabled_at__isnull=False).update(
            disabled_at=None,
            disabled_because="",
            answers_since=None,
            failing_since=None,
            failures=0,
        )
        self.refresh_from_db()
        return bool(changed)

    def note_success(self) -> None:
        if not self.answers_since:
            self.answers_since = timezone.now()
            silent = Endpoint.objects.filter(pk=self.pk, answers_since=None)
            silent.update(answers_since=self.answers_since, failing_since=None, failures=0)

    def note_failure(self, *, gone: bool = False) -> None:
        """Count it, and tell this endpoint nothing more once there was reason enough."""
        now = timezone.now()
        mine = Endpoint.objects.filter(pk=self.pk)
        mine.update(
            answers_since=None,
            failing_since=Coalesce("failing_since", now),
            failures=F("failures") + 1,
        )
        hopeless = Q(failures__gte=LEAST_FAILURES, failing_since__lte=now - GIVEN_UP_AFTER)
        if gone:
            self.disable(self.Disabled.GONE)
        elif mine.filter(hopeless).exists():
            self.disable(self.Disabled.FAILING)
