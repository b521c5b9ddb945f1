"""The Billing page: what an account pays and when, what it gets, what it was charged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import HttpResponseClientRefresh

from accounts.middleware import AccountRequest
from accounts.models import Account
from accounts.roles import Right
from billing import clock, money
from billing.credits import Left
from billing.invoices import NOT_ISSUED, OWED
from billing.models import Checkout, Credit, Customer, Plan, Subscription
from billing.upcoming import upcoming
from dashboard.billing_return import checkout_named
from dashboard.list_prices import ListCost, at_list_prices
from dashboard.members import nothing_new, page_of_an_account, part_wanted
from dashboard.offers import Offer
from dashboard.plan_choices import by_agreement, choices_of
from dashboard.standing import standing_of
from usage.partitions import DAYS_KEPT

INVOICES_PER_PAGE = 12
WITHOUT_PERIOD = timedelta(days=30)
DAY = timedelta(days=1)
SOON = 3  # days


@page_of_an_account
def billing(request: AccountRequest) -> HttpResponse:
    """Everybody sees the plan and its limits; amounts and acts are for those who pay.

    Who comes back from Stripe's page with ``?paid=`` sees whether it has arrived; until then the
    page asks again.
    """
    pays = request.membership.may(Right.MANAGE_BILLING)
    token = request.GET.get("paid", "")
    checkout = checkout_named(token, request.account) if pays and token else None
    if part_wanted(request) == "paid":
        waits = checkout is None or checkout.state == Checkout.State.OPEN
        return nothing_new() if waits else HttpResponseClientRefresh()
    context: dict[str, Any] = {"pays": pays, "checkout": checkout}
    context |= {"stripe_mode": settings.STRIPE.mode, "grace_days": settings.GRACE_DAYS}
    if pays and settings.STRIPE.mode == "simulated":
        context["time_url"] = f"{settings.STRIPE.api_base}/time"
    context |= contract_of(request.account)
    if pays and context["subscription"]:
        context |= money_of(request, context["subscription"], context["now"])
    return render(request, "billing/billing.html", context)


def contract_of(account: Account) -> dict[str, Any]:
    """The plan, how long it lasts, and how much of each limit is used."""
    standing, now = standing_of(account), clock.now()
    subscription = standing.subscription
    context = {"standing": standing, "subscription": subscription, "now": now}
    if subscription is None:
        return context
    agreed = subscription.overrides.all()
    return context | {
        "offer": Offer(subscription.plan),
        "days_kept": DAYS_KEPT[subscription.retention_class],
        "left": time_left(subscription, now),
        "over_since": over_since(subscription, now),
        "overrides": [one for one in agreed if not one.is_over(now)],
        "follows": Plan.objects.free_for_good(),
        "is_running": subscription.is_running,
    }


def money_of(request: AccountRequest, subscription: Subscription, now: datetime) -> dict[str, Any]:
    """What is charged next, what was charged before, and what else could be had."""
    account = request.account
    customer = Customer.objects.ours().filter(account=account).first()
    issued = account.invoices.exclude(status__in=NOT_ISSUED)
    invoices = Paginator(issued, INVOICES_PER_PAGE).get_page(request.GET.get("page"))
    return {
        "upcoming": upcoming(subscription),
        "list_cost": cost_at_list_prices(subscription, now),
        "choices": choices_of(subscription),
        "by_agreement": by_agreement(subscription),
        "owes": subscription.owes,
        "owed": issued.filter(status__in=OWED, subscription=subscription.stripe_id or "").first(),
        "invoices": invoices,
        "has_customer": customer is not None,
        "credit": credit_of(customer) if customer else None,
    }


@dataclass(frozen=True, slots=True)
class CreditLeft:
    """What Stripe takes off the next invoices. ``rest`` comes of no credit of operators."""

    customer: Customer
    left: list[Left]
    rest: str


def credit_of(customer: Customer) -> CreditLeft | None:
    if not customer.credit:
        return None
    left = Credit.objects.left(customer)
    rest = customer.credit - sum(one.amount for one in left)
    return CreditLeft(customer, left, money.written(rest, customer.currency) if rest else "")


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """Of a period, in days; the last one counts until it is over."""

    start: datetime
    end: datetime
    now: datetime

    @property
    def days(self) -> int:
        return ceil((self.end - self.now) / DAY)

    @property
    def of_days(self) -> int:
        return max(self.days, round((self.end - self.start) / DAY))

    @property
    def is_short(self) -> bool:
        return self.days <= SOON


def time_left(subscription: Subscription, now: datetime) -> TimeLeft | None:
    """Of the period, or of the grace of who has not paid; None where nothing ends, or has ended."""
    start, end = subscription.current_period_start, subscription.current_period_end
    if subscription.past_due_at and subscription.grace_ends_at:
        start, end = subscription.past_due_at, subscription.grace_ends_at
    if end is None or not subscription.is_served or end <= now:
        return None
    return TimeLeft(start, end, now)


def over_since(subscription: Subscription, now: datetime) -> datetime | None:
    """When what has ended did, if that was by the clock."""
    end = subscription.grace_ends_at or subscription.current_period_end
    return end if end and end <= now and not subscription.is_served else None


@dataclass(frozen=True, slots=True)
class PeriodCost:
    """What was used ``since`` a moment, at list prices."""

    cost: ListCost
    since: datetime
    is_period: bool


def cost_at_list_prices(subscription: Subscription, now: datetime) -> PeriodCost:
    """Of this period; of the last 30 days where the plan has none.

    Use is counted in real time, by whole hours. Where the simulated Stripe is ahead of it, the
    period is looked for as long ago as it began there.
    """
    present = timezone.now()
    start = subscription.current_period_start
    is_period = subscription.current_period_end is not None
    since = start - (now - present) if is_period else present - WITHOUT_PERIOD
    hour = min(since, present).replace(minute=0, second=0, microsecond=0)
    cost = at_list_prices(subscription.account_id, hour, present)
    return PeriodCost(cost, start if is_period else since, is_period)
