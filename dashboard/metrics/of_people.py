"""Accounts, their subscriptions, what they are told by mail and by webhooks."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone
from prometheus_client.core import Metric

from accounts.models import Account, Notice
from accounts.notices import GIVEN_UP_AFTER
from billing.models import Drift, StripeEvent, Subscription
from dashboard.metrics.families import gauge, gauges
from webhooks.queue import queue


def accounts() -> Iterator[Metric]:
    states = Account.objects.aggregate(
        open=Count("pk", filter=Q(closed_at=None)),
        suspended=Count("pk", filter=Q(closed_at=None, suspended_at__isnull=False)),
        frozen=Count("pk", filter=Q(closed_at=None, frozen_at__isnull=False)),
        leaving=Count("pk", filter=Q(closed_at=None, deletion_due_at__isnull=False)),
    )
    yield gauges(
        "accounts",
        "Accounts that are open and, among them, suspended, frozen or about to be deleted.",
        "state",
        states,
    )


def subscriptions() -> Iterator[Metric]:
    found = Subscription.objects.order_by().values_list("status").annotate(amount=Count("pk"))
    amounts = dict.fromkeys(Subscription.Status.values, 0) | dict(found)
    yield gauges(
        "subscriptions",
        "Subscriptions by Stripe's word for their status.",
        "status",
        amounts,
    )


def notices() -> Iterator[Metric]:
    fresh = timezone.now() - GIVEN_UP_AFTER
    unsent = Notice.objects.filter(sent_at=None)
    waiting, oldest = number_and_age(unsent.filter(created_at__gt=fresh), "created_at")
    lost = unsent.filter(created_at__lte=fresh).count()
    yield gauge("notices_waiting", "Mails that are to be sent.", waiting)
    yield gauge("notices_oldest_seconds", "How long the oldest of them has waited.", oldest)
    yield gauge("notices_given_up", "Mails that could not be sent for days.", lost)


def stripe() -> Iterator[Metric]:
    waiting = StripeEvent.objects.filter(processed_at=None)
    number, oldest = number_and_age(waiting, "received_at")
    failing = waiting.filter(failures__gt=0).count()
    drifts = Drift.objects.filter(mended_at=None).count()
    yield gauge("stripe_events_waiting", "Events of Stripe that nobody looked into yet.", number)
    yield gauge("stripe_events_oldest_seconds", "How long the oldest of them has waited.", oldest)
    yield gauge("stripe_events_failing", "Those of them that were tried in vain.", failing)
    yield gauge("stripe_drifts_open", "Differences to Stripe that a person must look at.", drifts)


def webhooks() -> Iterator[Metric]:
    now = queue()
    deliveries = {
        "due": now.due,
        "under_way": now.under_way,
        "waiting": now.waiting,
        "held": now.held,
    }
    endpoints = {"failing": now.failing_endpoints, "disabled": now.disabled_endpoints}
    attempts = {"arrived": now.arrived_lately, "failed": now.failed_lately}
    late = max(0.0, now.late_by.total_seconds())
    yield gauges("webhook_deliveries", "Deliveries that are not done.", "state", deliveries)
    yield gauge("webhook_oldest_due_seconds", "How late the oldest one that is due is.", late)
    yield gauges("webhook_endpoints", "Endpoints that nothing arrives at.", "state", endpoints)
    yield gauges("webhook_attempts_lately", "Attempts of the last 60 minutes.", "result", attempts)


def number_and_age(rows: QuerySet, moment: str) -> tuple[int, float]:  # type: ignore[type-arg]
    """How many there are, and for how many seconds the oldest one."""
    found = rows.order_by().aggregate(number=Count("pk"), oldest=Min(moment))
    oldest: datetime | None = found["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    return found["number"], max(0.0, age)
