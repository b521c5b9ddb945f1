"""Looks into what Stripe told us: reads each customer again that an event is about."""

import logging
from datetime import timedelta

import stripe
from django.db.models import F
from django.utils import timezone

from billing import adoption
from billing.customers import Customer
from billing.stripe_api import StripeAway, asking
from billing.stripe_events import FIRST_PAUSE, KEPT, LONGEST_PAUSE, StripeEvent

log = logging.getLogger(__name__)
AT_ONCE = 200  # customers of one sweep


def look_into(event_pk: int) -> None:
    """Answer this event, and every other one about the same customer that is here by now."""
    event = StripeEvent.objects.filter(pk=event_pk).first()
    if event is None:
        return
    event.taken()
    if event.processed_at or (event.failures and event.next_attempt_at > timezone.now()):
        return
    _answer(event)


def sweep() -> int:
    """Look into whatever is due, customer by customer; how many those are."""
    due = StripeEvent.objects.due().order_by("customer", "pk")
    one_each = due.exclude(customer="").distinct("customer")
    unnamed = due.filter(customer="")
    asked = 0
    for event in [*one_each[:AT_ONCE], *unnamed[:AT_ONCE]]:
        asked += 1
        if not _answer(event):
            break
    return asked


def forget_old() -> None:
    StripeEvent.objects.filter(received_at__lt=timezone.now() - KEPT).exclude(
        processed_at=None
    ).delete()


def _answer(event: StripeEvent) -> bool:
    """One reading for all that is known now: what comes while we read is looked into again.

    False while Stripe is away; what is odd about one customer must not keep the others waiting.
    """
    waiting = StripeEvent.objects.filter(processed_at=None)
    waiting = (
        waiting.filter(customer=event.customer) if event.customer else waiting.filter(pk=event.pk)
    )
    known = list(waiting.values_list("pk", flat=True))
    try:
        _read_again(event)
    except Exception as error:
        if not isinstance(error, StripeAway | stripe.StripeError):
            log.exception("the event %s could not be looked into", event.stripe_id)
        _put_off(known, event.failures, error)
        return not isinstance(error, StripeAway)
    StripeEvent.objects.filter(pk__in=known).update(processed_at=timezone.now(), error="")
    return True


def _read_again(event: StripeEvent) -> None:
    """Raises StripeAway, stripe.StripeError."""
    customer = Customer.objects.ours().filter(stripe_id=event.customer or _disputing(event)).first()
    if customer and event.type == "customer.deleted":
        adoption.forget(customer)
    elif customer:
        adoption.adopt(customer)


def _put_off(pks: list[int], failures: int, error: Exception) -> None:
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(failures, 20), LONGEST_PAUSE)
    log.warning("events of Stripe wait for %s: %s", pause, error)
    StripeEvent.objects.filter(pk__in=pks).update(
        failures=F("failures") + 1,
        error=str(error)[:300],
        next_attempt_at=timezone.now() + pause,
    )


def _disputing(event: StripeEvent) -> str:
    """Whose charge is disputed; empty where the Stripe that we speak with knows no such charge."""
    try:
        with asking() as client:
            charge = client.v1.charges.retrieve(str(event.about.get("charge")))
    except stripe.InvalidRequestError:
        return ""
    return str(charge.customer or "")
