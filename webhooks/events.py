"""What happened, written down in the transaction in which it did."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from django.db import connection, models, transaction
from django.utils import timezone

from webhooks import nudges
from webhooks.deliveries import Delivery
from webhooks.endpoints import Endpoint
from webhooks.event_types import EventType

KEPT = timedelta(days=30)
_NEXT = """
INSERT INTO webhooks_sequence (account_id, last) VALUES (%s, 1)
ON CONFLICT (account_id) DO UPDATE SET last = webhooks_sequence.last + 1 RETURNING last
"""


class Sequence(models.Model):
    """The number of an account's newest event.

    Whoever takes the next one holds this row until the transaction ends, so an event that can be
    seen has no predecessor that cannot: who reads on from a number misses none.
    """

    account = models.OneToOneField(
        "accounts.Account", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.last)

    @staticmethod
    def next(account_id: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [account_id])
            (number,) = cursor.fetchone()
        return int(number)


class Event(models.Model):
    """Something that an account is told. ``payload`` is the very text that is sent and signed."""

    id = models.CharField(max_length=40, primary_key=True)
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="events")
    sequence = models.BigIntegerField()
    type = models.CharField(max_length=40, choices=EventType)
    created_at = models.DateTimeField()
    payload = models.TextField()
    test = models.BooleanField(default=False)

    class Meta:
        ordering = ["account_id", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["account", "sequence"], name="event_sequence_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="event_oldest")]

    def __str__(self) -> str:
        return f"{self.id} {self.type}"

    @property
    def pretty(self) -> str:
        """The payload with a line for each of its members, to be read by people."""
        return msgspec.json.format(self.payload, indent=2)


@transaction.atomic
def emit(account_id: int, event_type: EventType, data: Mapping[str, Any]) -> Event:
    """Write down that something happened, with a delivery for each endpoint that listens to it.

    The rows are the truth, the queue is only a nudge: should the broker be away when we commit,
    ``webhooks.tasks.sweep`` finds the deliveries and sends them.
    """
    event = write_down(account_id, event_type, data)
    deliver_to(event, Endpoint.objects.listening_to(account_id, event_type))
    return event


@transaction.atomic
def emit_test(endpoint: Endpoint, event_type: EventType, data: Mapping[str, Any]) -> Event:
    """Have one endpoint told of something that did not happen."""
    event = write_down(endpoint.account_id, event_type, data, test=True)
    deliver_to(event, Endpoint.objects.enabled().filter(pk=endpoint.pk))
    return event


def write_down(
    account_id: int, event_type: EventType, data: Mapping[str, Any], *, test: bool = False
) -> Event:
    event_id, now = f"evt_{secrets.token_hex(14)}", timezone.now()
    sequence = Sequence.next(account_id)
    payload = {
        "id": event_id,
        "type": event_type.value,
        "created": int(now.timestamp()),
        "data": {"account_id": account_id, **data},
        "sequence": sequence,
    }
    return Event.objects.create(
        id=event_id,
        account_id=account_id,
        sequence=sequence,
        type=event_type,
        created_at=now,
        payload=msgspec.json.encode(payload | ({"test": True} if test else {})).decode(),
        test=test,
    )


def deliver_to(event: Event, endpoints: models.QuerySet[Endpoint]) -> None:
    """A delivery that is due at once for each of them, and a nudge as soon as we commit."""
    listening = list(endpoints)
    Delivery.objects.bulk_create(Delivery(event=event, endpoint=one) for one in listening)
    nudges.on_commit(listening)


def forget_old() -> int:
    """Delete what happened too long ago, with its deliveries; how many events that were."""
    _, by_model = Event.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return by_model.get("webhooks.Event", 0)
