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
    if event.processed_at:
        return
    try:
        customer = event.customer or _disputing(event)
    except (StripeAway, stripe.StripeError) as error:
        _put_off([event.pk], event.failures, error)
        return
    if customer != event.customer:
        StripeEvent.objects.filter(pk=event.pk).update(customer=customer)
    _answer(customer)


def sweep() -> int:
    """Look into whatever is due; how many events that are."""
    due = StripeEvent.objects.due().order_by("customer", "pk")
    pks = [pk for pk, _ in dict.fromkeys(due.values_list("pk", "customer"))][:AT_ONCE]
    for pk in pks:
        look_into(pk)
    return len(pks)


def forget_old() -> None:
    StripeEvent.objects.filter(received_at__lt=timezone.now() - KEPT).exclude(
        processed_at=None
    ).delete()


def _answer(customer_id: str) -> None:
    """One reading for all that is known now: what comes while we read is looked into again."""
    waiting = StripeEvent.objects.filter(customer=customer_id, processed_at=None)
    known = list(waiting.values_list("pk", flat=True))
    customer = Customer.objects.ours().filter(stripe_id=customer_id).first()
    try:
        if customer:
            adoption.adopt(customer)
    except (StripeAway, stripe.StripeError) as error:
        _put_off(known, max(waiting.values_list("failures", flat=True), default=0), error)
        return
    StripeEvent.objects.filter(pk__in=known).update(processed_at=timezone.now(), error="")


def _put_off(pks: list[int], failures: int, error: Exception) -> None:
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(failures, 20), LONGEST_PAUSE)
    log.warning("events of Stripe wait for %s: %s", pause, error)
    StripeEvent.objects.filter(pk__in=pks).update(
        failures=F("failures") + 1,
        error=str(error)[:300],
        next_attempt_at=timezone.now() + pause,
    )


def _disputing(event: StripeEvent) -> str:
    """Whose charge is disputed, as Stripe knows it."""
    with asking() as client:
        charge = client.v1.charges.retrieve(str(event.payload["data"]["object"]["charge"]))
    return str(charge.customer or "")
