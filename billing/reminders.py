"""Mail before money or access changes hands, so that nobody is surprised."""

from collections.abc import Iterable
from datetime import timedelta

from accounts import notices
from billing import clock
from billing.agreements import Status
from billing.subscriptions import Subscription

TRIAL_ENDS, GRACE_ENDS, RENEWS = timedelta(days=3), timedelta(days=1), timedelta(days=7)
LONG = 3  # months of a period that one may have forgotten about


def remind() -> int:
    """How many mails that makes. Each is written once, however often we are asked."""
    now = clock.now()
    running = Subscription.objects.select_related("plan", "account")
    ending = running.filter(
        status=Status.TRIALING, current_period_end__gt=now, current_period_end__lte=now + TRIAL_ENDS
    )
    unpaid = running.at_stripe().filter(
        status=Status.PAST_DUE, grace_ends_at__gt=now, grace_ends_at__lte=now + GRACE_ENDS
    )
    renewing = running.at_stripe().filter(
        status=Status.ACTIVE,
        cancel_at_period_end=False,
        plan__interval_months__gte=LONG,
        current_period_end__gt=now,
        current_period_end__lte=now + RENEWS,
    )
    return (
        _tell(ending, "trial_ending", "current_period_end")
        + _tell(unpaid, "grace_ending", "grace_ends_at")
        + _tell(renewing, "renewal_ahead", "current_period_end")
    )


def _tell(subscriptions: Iterable[Subscription], letter: str, about: str) -> int:
    told = 0
    for one in subscriptions:
        once = f"{letter} {one.account_id} {getattr(one, about):%s}"
        told += notices.tell(one.account, letter, once=once, about_money=True, subscription=one)
    return told
