"""Who wants to be told by mail how this server is doing. They need no account."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core import signing
from django.db import models, transaction
from django.utils import timezone

from accounts.audit import Action, Actor, record
from dashboard.status.topics import Choosing

CONFIRM, STOP = "status.confirm", "status.stop"  # what a signature is good for
GOOD_FOR = timedelta(days=2)


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def confirmed(self) -> SubscriberQuerySet:
        return self.filter(confirmed_at__isnull=False)

    def to_confirm(self, token: str) -> Subscriber | None:
        """Whom a link to confirm was sent to, within its time."""
        return self._behind(token, CONFIRM, GOOD_FOR)

    def to_stop(self, token: str) -> Subscriber | None:
        """Whom a link to choose or to unsubscribe was sent to, however long ago."""
        return self._behind(token, STOP, None)

    def forget_unconfirmed(self, now: datetime) -> None:
        """Remove addresses whose owners never said that they want to be told."""
        self.filter(confirmed_at=None, created_at__lt=now - 2 * GOOD_FOR).delete()

    def _behind(self, token: str, salt: str, good_for: timedelta | None) -> Subscriber | None:
        try:
            pk = signing.loads(token, salt=salt, max_age=good_for)
        except signing.BadSignature:
            return None
        return self.filter(pk=pk).first()


class Subscriber(Choosing):
    """An address, told once its owner has confirmed it. Who unsubscribes is forgotten."""

    email = models.EmailField(unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.email

    @property
    def token(self) -> str:
        """Proves, for a while, that whoever has it reads the mail of this address."""
        return signing.dumps(self.pk, salt=CONFIRM)

    @property
    def stop_token(self) -> str:
        """Proves the same, to choose topics or to unsubscribe."""
        return signing.dumps(self.pk, salt=STOP)

    def confirm(self) -> None:
        """Have them told from now on. Confirming twice changes nothing."""
        waiting = Subscriber.objects.filter(pk=self.pk, confirmed_at=None)
        waiting.update(confirmed_at=timezone.now())

    def stop(self) -> None:
        """Forget the address, and every letter that was still to be sent."""
        self.delete()

    @transaction.atomic
    def remove(self, *, by: Actor) -> None:
        """The same by an operator. Removing twice changes nothing."""
        deleted, _ = Subscriber.objects.filter(pk=self.pk).delete()
        if deleted:
            record(None, Action.SUBSCRIBER_REMOVED, by=by, about=self.hint)

    @property
    def hint(self) -> str:
        """Enough to know the address again by; it is not kept once it is forgotten.

        >>> Subscriber(email="reader@example.com").hint
        'r…@example.com'
        """
        name, _, domain = self.email.rpartition("@")
        return f"{name[:1]}…@{domain}"
