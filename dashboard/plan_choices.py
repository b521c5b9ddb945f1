"""Which other plans an account can have, and what choosing one means just now."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet

from accounts.features import CHECKOUT
from billing.models import Plan, Price, Subscription
from dashboard.offers import Offer

BUYS = {"begin", "upgrade"}


class Choice(NamedTuple):
    """``act`` is ``begin``, ``upgrade`` or ``downgrade``; empty of what was chosen before."""

    offer: Offer
    act: str


def choices_of(subscription: Subscription) -> list[Choice]:
    """None while something is owed: that comes first. While nothing can be bought, smaller ones."""
    if subscription.owes or settings.STRIPE.mode == "none":
        return []
    sold = Price.objects.ours().filter(retired_at=None).values("plan")
    plans = Plan.objects.for_sale().filter(pk__in=sold)
    if subscription.is_running:
        plans = plans.exclude(pk=subscription.plan_id)
    choices = [Choice(Offer(plan), _act(subscription, plan)) for plan in plans]
    return [one for one in choices if not CHECKOUT.is_off or one.act not in BUYS]


def by_agreement(subscription: Subscription) -> QuerySet[Plan]:
    """The other plans, whose price is agreed with whoever asks for it."""
    agreed = Plan.objects.on_offer().filter(unit_amount=None, interval_months__gt=0)
    return agreed.exclude(pk=subscription.plan_id)


def _act(subscription: Subscription, plan: Plan) -> str:
    if not subscription.is_running:
        return "begin"
    if plan == subscription.next_plan:
        return ""
    return "upgrade" if plan.position > subscription.plan.position else "downgrade"
