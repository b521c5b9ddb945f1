"""Which other plans an account can have, and what choosing one means just now."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet

from billing.models import Plan, Price, Subscription
from billing.subscriptions import Ended, Status
from dashboard.offers import Offer


class Choice(NamedTuple):
    """``act`` is ``begin``, ``upgrade`` or ``downgrade``; empty of what was chosen before."""

    offer: Offer
    act: str


def choices_of(subscription: Subscription) -> list[Choice]:
    """None while something is owed: that comes first."""
    if owes(subscription) or settings.STRIPE.mode == "none":
        return []
    sold = Price.objects.ours().filter(retired_at=None).values("plan")
    plans = Plan.objects.for_sale().filter(pk__in=sold)
    if is_running(subscription):
        plans = plans.exclude(pk=subscription.plan_id)
    return [Choice(Offer(plan), _act(subscription, plan)) for plan in plans]


def by_agreement(subscription: Subscription) -> QuerySet[Plan]:
    """The other plans, whose price is agreed with whoever asks for it."""
    agreed = Plan.objects.on_offer().filter(unit_amount=None, interval_months__gt=0)
    return agreed.exclude(pk=subscription.plan_id)


def is_running(subscription: Subscription) -> bool:
    """Whether Stripe runs it, so that it can be changed there."""
    return bool(subscription.stripe_id) and subscription.is_served


def owes(subscription: Subscription) -> bool:
    """Whether an invoice must be paid before anything else can be bought."""
    if subscription.status == Status.PAST_DUE:
        return True
    unpaid = subscription.stripe_id and subscription.ended_because == Ended.UNPAID
    return bool(unpaid and subscription.past_due_at)


def _act(subscription: Subscription, plan: Plan) -> str:
    if not is_running(subscription):
        return "begin"
    if plan == subscription.next_plan:
        return ""
    return "upgrade" if plan.position > subscription.plan.position else "downgrade"
