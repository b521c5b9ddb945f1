"""Ends what is over by the clock: trials, plans that were granted for a time, graces."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q

from billing import adoption, clock
from billing.agreements import Ended, Status
from billing.checkouts import Checkout
from billing.customers import Customer
from billing.stripe_api import StripeAway
from billing.subscriptions import Subscription

log = logging.getLogger(__name__)
LATE = timedelta(hours=2)  # after which Stripe should have told us of a new period
OFFERED = timedelta(hours=24)  # that a page to pay on is open


def end_what_is_over() -> int:
    """How many plans that were.

    Who has not paid is looked up at Stripe first, and served while that cannot be asked.
    """
    now, ended = clock.now(), 0
    over = Subscription.objects.filter(current_period_end__lte=now)
    own = over.exclude(pk__in=Subscription.objects.at_stripe())
    for subscription in own.exclude(status=Status.CANCELED):
        trial = subscription.status == Status.TRIALING
        ended += subscription.expire(
            Ended.TRIAL if trial else Ended.PERIOD,
            still=as_it_was(subscription),
        )
    unpaid = Subscription.objects.at_stripe().filter(status=Status.PAST_DUE, grace_ends_at__lte=now)
    return ended + _ask_again(Customer.objects.ours().filter(account__subscription__in=unpaid))


def as_it_was(subscription: Subscription) -> Q:
    """That nobody has paid, or been given time, since ``subscription`` was looked at."""
    end, stripe_id = subscription.current_period_end, subscription.stripe_id
    return Q(stripe_id=stripe_id) if stripe_id else Q(stripe_id=None, current_period_end=end)


def ask_about_late() -> int:
    """Read those again of whom we should have heard; how many that were."""
    now = clock.now()
    late = Subscription.objects.at_stripe().filter(current_period_end__lte=now - LATE)
    known = Customer.objects.ours().filter(
        account__subscription__in=late.exclude(status=Status.CANCELED)
    )
    forgotten = Checkout.objects.filter(state=Checkout.State.OPEN, stripe_id=None)
    for checkout in forgotten.filter(created_at__lte=now - OFFERED):
        checkout.close_unseen()
    open_for_long = Customer.objects.ours().filter(
        checkouts__state=Checkout.State.OPEN, checkouts__created_at__lte=now - OFFERED
    )
    return _ask_again({*known, *open_for_long})


def _ask_again(customers: Iterable[Customer]) -> int:
    asked = 0
    for customer in customers:
        try:
            adoption.adopt(customer)
        except StripeAway as error:
            log.warning("Stripe is away: %s", error)
            break
        except Exception:  # what is odd about one must not keep the others
            log.exception("%s could not be read", customer.stripe_id)
        else:
            asked += 1
    return asked
