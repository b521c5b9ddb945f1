"""Ends what is over by the clock: trials, plans that were granted for a time, graces."""

import logging
from collections.abc import Iterable
from datetime import timedelta

import stripe

from billing import adoption, clock
from billing.checkouts import Checkout
from billing.customers import Customer
from billing.stripe_api import StripeAway
from billing.subscriptions import Ended, Status, Subscription

log = logging.getLogger(__name__)
LATE = timedelta(hours=2)  # after which Stripe should have told us of a new period
OFFERED = timedelta(hours=24)  # that a page to pay on is open


def end_what_is_over() -> int:
    """How many plans that were.

    Who has not paid is looked up at Stripe first, and served while that cannot be asked.
    """
    now, ended = clock.now(), 0
    own = Subscription.objects.filter(stripe_id=None, current_period_end__lte=now)
    for subscription in own.exclude(status=Status.CANCELED):
        trial = subscription.status == Status.TRIALING
        ended += subscription.expire(Ended.TRIAL if trial else Ended.PERIOD)
    unpaid = Subscription.objects.filter(status=Status.PAST_DUE, grace_ends_at__lte=now)
    return ended + _ask_again(Customer.objects.ours().filter(account__subscription__in=unpaid))


def ask_about_late() -> int:
    """Read those again of whom we should have heard; how many that were."""
    now = clock.now()
    quiet = Customer.objects.ours().filter(
        account__subscription__stripe_id__isnull=False,
        account__subscription__current_period_end__lte=now - LATE,
    )
    known = quiet.exclude(account__subscription__status=Status.CANCELED)
    open_for_long = Customer.objects.ours().filter(
        checkouts__state=Checkout.State.OPEN, checkouts__created_at__lte=now - OFFERED
    )
    return _ask_again({*known, *open_for_long})


def _ask_again(customers: Iterable[Customer]) -> int:
    asked = 0
    for customer in customers:
        try:
            adoption.adopt(customer)
        except (StripeAway, stripe.StripeError) as error:
            log.warning("%s could not be read: %s", customer.stripe_id, error)
        else:
            asked += 1
    return asked
