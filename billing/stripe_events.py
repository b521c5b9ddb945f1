"""What Stripe tells us: kept before it is answered, taken as a hint, and looked into by a worker.

An event says that something about a customer has changed, and nothing else of it is believed: the
customer is read again (``billing.adoption``). So it does not matter how often it comes, or in which
order, and a reading answers every event about that customer that was kept before it began.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta
from typing import Any

import stripe
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from accounts import audit
from accounts.audit import Action, Actor
from billing.stripe_api import moment

log = logging.getLogger(__name__)
TOLERANCE = 300  # seconds between Stripe's clock and ours
NAMED = ("object", "id", "customer", "charge")
TASK = "billing.tasks.look_into"
NUDGED = timedelta(seconds=5)  # after which an event waits for the sweep no longer

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=30)
KEPT = timedelta(days=90)


class StripeEventQuerySet(models.QuerySet["StripeEvent"]):
    def due(self) -> StripeEventQuerySet:
        return self.filter(processed_at=None, next_attempt_at__lte=timezone.now())

    @transaction.atomic
    def keep(self, said: dict[str, Any]) -> StripeEvent:
        """The row of an event, made if it is heard of for the first time.

        Of what it says only ids are kept: the rest names people, and is not believed anyway.
        """
        about = said["data"].get("object") or {}
        event, is_new = self.get_or_create(
            stripe_id=said["id"],
            defaults={
                "type": said["type"],
                "customer": customer_in(said),
                "mode": settings.STRIPE.mode,
                "happened_at": moment(said["created"]),
                "next_attempt_at": timezone.now() + NUDGED,
                "about": {name: one for name, one in about.items() if name in NAMED},
            },
        )
        if not is_new:
            self.filter(pk=event.pk).update(times=F("times") + 1)
        elif event.customer or event.is_dispute:
            transaction.on_commit(event.nudge)
        else:
            self.filter(pk=event.pk).update(processed_at=timezone.now())
        return event


class StripeEvent(models.Model):
    """One event. ``customer`` is whom it concerns; it is empty where that is nobody of ours."""

    stripe_id = models.CharField(max_length=100, unique=True)
    type = models.CharField(max_length=100)
    customer = models.CharField(max_length=100, blank=True)
    mode = models.CharField(max_length=10)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    about = models.JSONField(default=dict)
    times = models.PositiveIntegerField(default=1)  # that it was sent to us
    failures = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True, blank=True)
    objects = StripeEventQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(processed_at=None),
                name="stripe_event_due",
            ),
            models.Index(fields=["customer", "processed_at"], name="stripe_event_of_customer"),
            models.Index(fields=["received_at"], name="stripe_event_old"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.stripe_id}"

    @transaction.atomic
    def look_again(self, *, by: Actor) -> None:
        """Take it in once more within a minute, whatever came of it before."""
        self.next_attempt_at, self.processed_at = timezone.now(), None
        self.save(update_fields=["next_attempt_at", "processed_at"])
        audit.record(None, Action.STRIPE_EVENT_REPEATED, by=by, about=self.stripe_id)

    @property
    def is_dispute(self) -> bool:
        """These name a charge instead of a customer."""
        return self.type.startswith("charge.dispute.")

    @property
    def nudged(self) -> str:
        """What stands in the cache while a nudge about the same customer waits to be taken."""
        return f"stripe:nudged:{self.customer or self.stripe_id}"

    def nudge(self) -> None:
        """Have a worker look into it; where the broker is away, the sweep will."""
        try:
            if cache.add(self.nudged, True, NUDGED.total_seconds()):
                current_app.send_task(TASK, [self.pk], retry=False, expires=60)
        except Exception as error:
            log.warning("the event %s waits for the sweep: %s", self.stripe_id, error)

    def taken(self) -> None:
        """A worker looks into it: what comes after this needs a nudge of its own."""
        try:
            cache.delete(self.nudged)
        except Exception as error:
            log.warning("%s may wait for some seconds: %s", self.customer, error)


class NotHeard(Exception):
    """We cannot tell Stripe from others: no secret of its webhooks is set."""


class NotFromStripe(Exception):
    """What came is not from the Stripe that we speak with, or not from now; says why."""


def hear(payload: bytes, signature: str) -> StripeEvent:
    """Keep an event. Once this returns it is in the database, and will be looked into.

    Raises NotHeard, NotFromStripe; then nothing was kept.
    """
    if not settings.STRIPE.hears:
        raise NotHeard("STRIPE_WEBHOOK_SECRET is not set, or too short to be one.")
    try:
        stripe.WebhookSignature.verify_header(
            payload.decode(), signature, settings.STRIPE.webhook_secret, TOLERANCE
        )
        said = json.loads(payload)
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise NotFromStripe(str(error)) from error
    _check(said, signature)
    return StripeEvent.objects.keep(said)


def _check(said: Any, signature: str) -> None:
    """Of what is signed. The official client lets moments of the future pass."""
    signed_at = dict(part.partition("=")[::2] for part in signature.split(",")).get("t", "0")
    if int(signed_at) > time.time() + TOLERANCE:
        raise NotFromStripe("This was signed in the future.")
    known = isinstance(said, dict) and all(
        isinstance(said.get(name), kind)
        for name, kind in {"id": str, "type": str, "created": int, "data": dict}.items()
    )
    if not known or said.get("object") != "event":
        raise NotFromStripe("This is no event.")
    if bool(said.get("livemode")) != (settings.STRIPE.mode == "live"):
        raise NotFromStripe("Test mode and live mode do not mix.")


def customer_in(said: dict[str, Any]) -> str:
    """Whom an event is about; empty where it does not say."""
    about = said["data"].get("object") or {}
    found = about.get("id") if about.get("object") == "customer" else about.get("customer")
    return found if isinstance(found, str) else ""
