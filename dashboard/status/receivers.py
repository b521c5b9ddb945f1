"""URLs to which everything said of the status is posted. Whoever gives one needs no account."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.core import signing
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.audit import Action, Actor, record
from dashboard.status.summary import whole_address
from dashboard.status.topics import Choosing
from webhooks import sealing
from webhooks.endpoints import GIVEN_UP_AFTER, LEAST_FAILURES
from webhooks.signing import generate_secret

log = logging.getLogger(__name__)
LINK = signing.Signer(salt="status.receiver")
GOOD_FOR = timedelta(days=2)  # a question that was not answered


class ReceiverQuerySet(models.QuerySet["Receiver"]):
    def open(self, url: str, topics: Iterable[str]) -> tuple[Receiver, str]:
        """One that is told nothing yet. Its secret is returned here, once, and kept sealed."""
        secret = generate_secret()
        receiver = self.create(
            url=url,
            topics=list(topics),
            sealed_secret=sealing.seal(secret),
            challenge=secrets.token_urlsafe(24),
        )
        return receiver, secret

    def confirmed(self) -> ReceiverQuerySet:
        return self.filter(confirmed_at__isnull=False)

    def behind(self, token: str) -> Receiver | None:
        """Whose secret link it is."""
        try:
            pk = LINK.unsign_object(token)
        except signing.BadSignature:
            return None
        return self.filter(pk=pk).first()

    def forget_unconfirmed(self, now: datetime) -> None:
        """Remove URLs that never said that they want to be told."""
        self.filter(confirmed_at=None, created_at__lt=now - GOOD_FOR).delete()


class Receiver(Choosing):
    """A URL, told once it has answered the challenge. One that is ended is forgotten.

    Every attempt since ``failing_since`` has failed; it is not set where the last one succeeded.
    """

    url = models.CharField(max_length=500)
    sealed_secret = models.TextField(editable=False)
    challenge = models.CharField(max_length=40, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)

    objects = ReceiverQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["url"], condition=Q(confirmed_at__isnull=False), name="receiver_once"
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def token(self) -> str:
        """Lets whoever has it see and end this subscription. The same each time."""
        return LINK.sign_object(self.pk)

    @property
    def link(self) -> str:
        return whole_address("status:receiver", self.token)

    @property
    def secret(self) -> str | None:
        """What we sign with; None where it was sealed under another key."""
        return sealing.unseal(self.sealed_secret)

    @property
    def answers(self) -> bool:
        return self.confirmed_at is not None and self.failing_since is None

    def confirm(self) -> None:
        """Have it told from now on, unless another subscription tells this URL: then forget it."""
        waiting = Receiver.objects.filter(pk=self.pk, confirmed_at=None)
        try:
            with transaction.atomic():
                waiting.update(confirmed_at=timezone.now())
        except IntegrityError:
            self.stop()

    def note_success(self) -> None:
        failing = Receiver.objects.filter(pk=self.pk, failing_since__isnull=False)
        failing.update(failing_since=None, failures=0)

    def note_failure(self) -> None:
        """Count it, and forget the URL once there was nothing but failures for five days."""
        now = timezone.now()
        mine = Receiver.objects.filter(pk=self.pk)
        mine.update(failing_since=Coalesce("failing_since", now), failures=F("failures") + 1)
        hopeless = Q(failures__gte=LEAST_FAILURES, failing_since__lte=now - GIVEN_UP_AFTER)
        if mine.filter(hopeless).exists():
            log.info("a receiver of the status at %s is given up", self.host)
            self.stop()

    def stop(self) -> None:
        """Forget the URL, and whatever was still to be sent there."""
        Receiver.objects.filter(pk=self.pk).delete()

    @transaction.atomic
    def remove(self, *, by: Actor) -> None:
        """The same by an operator. Removing twice changes nothing."""
        if Receiver.objects.filter(pk=self.pk).delete()[0]:
            record(None, Action.SUBSCRIBER_REMOVED, by=by, about=self.host)
