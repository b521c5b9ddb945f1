"""What Stripe's state of a subscription means for us: pure functions of a reading and a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import stripe
from django.conf import settings

from billing.agreements import Agreed, Ended, Status
from billing.plans import Plan
from billing.prices import Price
from billing.readings import Reading
from billing.stripe_api import moment

OVER = ("canceled", "incomplete_expired")
Prices = Mapping[str, Price]  # by Stripe's id


def item_of(subscription: stripe.Subscription) -> stripe.SubscriptionItem:
    """The one it has; ``items`` of the object is a method, the field is asked for like this."""
    item: stripe.SubscriptionItem = subscription["items"].data[0]
    return item


def subscription_of(invoice: stripe.Invoice) -> str:
    """The id of what it is for; empty where it is for none."""
    details = invoice.parent and invoice.parent.subscription_details
    return str(details.subscription) if details else ""


def agreed(
    subscription: stripe.Subscription, reading: Reading, prices: Prices, now: datetime
) -> Agreed | None:
    """What is agreed with who has this subscription; None if nothing is (yet), or not with us."""
    item = item_of(subscription)
    price = prices.get(item.price.id)
    if price is None or subscription.status in ("incomplete", "incomplete_expired"):
        return None
    owed_since = _owed_since(subscription, reading)
    grace_ends_at = owed_since + timedelta(days=settings.GRACE_DAYS) if owed_since else None
    status, because = _status(subscription, reading, grace_ends_at, now)
    over = status == Status.CANCELED and subscription.status in OVER
    return Agreed(
        stripe_id=subscription.id,
        plan=price.plan,
        price=price,
        status=status,
        started_at=moment(subscription.start_date),
        current_period_start=moment(item.current_period_start),
        current_period_end=moment(item.current_period_end),
        cancel_at_period_end=not over and is_canceling(subscription),
        next_plan=None if over else _next_plan(subscription, prices),
        past_due_at=None if over else owed_since,
        grace_ends_at=None if over else grace_ends_at,
        ended_because=because,
    )


def _status(
    subscription: stripe.Subscription,
    reading: Reading,
    grace_ends_at: datetime | None,
    now: datetime,
) -> tuple[Status, str]:
    """And why it is over, if it is."""
    if subscription.status in OVER:
        return Status.CANCELED, _why_over(subscription, reading)
    if grace_ends_at is None:
        trial = subscription.status == "trialing"
        return (Status.TRIALING if trial else Status.ACTIVE), ""
    if now >= grace_ends_at:
        return Status.CANCELED, Ended.UNPAID
    return Status.PAST_DUE, ""


def _why_over(subscription: stripe.Subscription, reading: Reading) -> Ended:
    if is_lost(subscription, reading):
        return Ended.DISPUTED
    details = subscription.cancellation_details
    failed = details and details.reason == "payment_failed"
    return Ended.UNPAID if failed else Ended.CANCELED


def is_lost(subscription: stripe.Subscription, reading: Reading) -> bool:
    """Whether a bank has taken a payment for it back, for good."""
    return any(
        reading.disputes.get(intent) == "lost"
        for invoice in reading.invoices
        if subscription_of(invoice) == subscription.id
        for intent, _ in reading.charges_of(invoice)
    )


def _owed_since(subscription: stripe.Subscription, reading: Reading) -> datetime | None:
    """Since when something is owed for it, as long as Stripe says so."""
    if subscription.status not in ("past_due", "unpaid", "paused"):
        return None
    owed = [
        one.created
        for one in reading.invoices
        if one.status == "open" and subscription_of(one) == subscription.id
    ]
    return moment(min(owed, default=item_of(subscription).current_period_start))


def is_canceling(subscription: stripe.Subscription) -> bool:
    """With the period that runs; the portal says so by a moment. A later one is no end yet."""
    ends_at = subscription.cancel_at
    at_its_end = bool(ends_at and ends_at <= item_of(subscription).current_period_end)
    return subscription.cancel_at_period_end or at_its_end


def _next_plan(subscription: stripe.Subscription, prices: Prices) -> Plan | None:
    """What a schedule says of the time after this period."""
    schedule = subscription.schedule
    if not isinstance(schedule, stripe.SubscriptionSchedule) or schedule.status != "active":
        return None
    item = item_of(subscription)
    for phase in schedule.phases:
        if phase.start_date >= item.current_period_end:
            price = prices.get(str(phase["items"][0].price))
            return price.plan if price and price.plan != prices[item.price.id].plan else None
    return None
