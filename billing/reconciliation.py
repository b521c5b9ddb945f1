"""Once a night the subscriptions and credits at Stripe are held against ours.

What differs is written down and told to the operators; then the customer is read again, which mends
what can be mended by itself. What cannot stays open until a person has looked.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import stripe
from django.db import transaction
from django.utils import timezone

from accounts import notices
from billing import adoption, balances
from billing.agreements import Status
from billing.contracts import OVER, is_canceling, item_of
from billing.customers import Customer
from billing.drifts import Difference, Drift
from billing.stripe_api import asking, moment
from billing.subscriptions import Subscription

log = logging.getLogger(__name__)
PAGE = 100


def reconcile() -> list[Drift]:
    """The differences that were found, each mended or not. Raises StripeAway."""
    with asking() as client:
        running = {
            one.id: one
            for one in client.v1.subscriptions.list({"limit": PAGE}).auto_paging_iter()
            if one.status not in (*OVER, "incomplete")
        }
        found = [_look_after(one, running, client) for one in differences(running)]
        found += [_write(one, customer) for customer, one in balances.differences(client)]
    if found:
        for drift in found:
            log.error("we and Stripe differ: %s", drift)
        _tell(found)
    return found


def differences(running: dict[str, stripe.Subscription]) -> Iterator[Difference]:
    """Between what Stripe runs and what we think it does."""
    ours = Subscription.objects.at_stripe().select_related("plan", "price")
    known = {str(one.stripe_id): one for one in ours}
    for stripe_id, theirs in running.items():
        if stripe_id in known:
            yield from _between(known[stripe_id], theirs)
        else:
            yield Difference(stripe_id, "runs at Stripe, and is no plan of ours", "", theirs.status)
    for stripe_id, one in known.items():
        if one.is_served and stripe_id not in running:
            yield Difference(stripe_id, "does not run at Stripe", one.status)


def _between(ours: Subscription, theirs: stripe.Subscription) -> Iterator[Difference]:
    """``unpaid`` is a word that only Stripe has; who has used up their grace is over here."""
    item, stripe_id = item_of(theirs), theirs.id
    expected = {"active": [Status.ACTIVE], "trialing": [Status.TRIALING]}.get(
        theirs.status, [Status.PAST_DUE, Status.CANCELED]
    )
    if ours.status not in expected:
        yield Difference(stripe_id, "has another status", ours.status, theirs.status)
    price = ours.price.stripe_id if ours.price else ""
    if price != item.price.id:
        yield Difference(stripe_id, "has another price", price, item.price.id)
    end = moment(item.current_period_end)
    if ours.current_period_end != end:
        yield Difference(stripe_id, "has another period", f"{ours.current_period_end}", f"{end}")
    canceling = is_canceling(theirs)
    if ours.cancel_at_period_end != canceling:
        yield Difference(
            stripe_id, "ends with its period", f"{ours.cancel_at_period_end}", f"{canceling}"
        )


def _look_after(
    difference: Difference, running: dict[str, stripe.Subscription], client: stripe.StripeClient
) -> Drift:
    """Write it down, read the customer again, and see whether that helped."""
    customer = _customer_of(difference, running, client)
    drift = _write(difference, customer)
    if customer is None:
        return drift
    try:
        adoption.adopt(customer)
    except Exception:  # what is odd about one must not keep the others
        log.exception("%s could not be read", customer.stripe_id)
        return drift
    left = {(one.stripe_id, one.what) for one in differences(running)}
    if (difference.stripe_id, difference.what) not in left:
        drift.mended_at = timezone.now()
        drift.save(update_fields=["mended_at"])
    return drift


@transaction.atomic
def _write(difference: Difference, customer: Customer | None) -> Drift:
    drift, _ = Drift.objects.update_or_create(
        stripe_id=difference.stripe_id,
        what=difference.what,
        mended_at=None,
        defaults={
            "account_id": customer.account_id if customer else None,
            "ours": difference.ours[:200],
            "theirs": difference.theirs[:200],
        },
    )
    return drift


def _customer_of(
    difference: Difference, running: dict[str, stripe.Subscription], client: stripe.StripeClient
) -> Customer | None:
    theirs = running.get(difference.stripe_id)
    if theirs:
        return Customer.objects.ours().filter(stripe_id=str(theirs.customer)).first()
    return (
        Customer.objects.ours()
        .filter(account__subscription__stripe_id=difference.stripe_id)
        .first()
    )


def _tell(found: list[Drift]) -> None:
    """One mail a day, however often we look."""
    once = f"drift {timezone.now():%Y-%m-%d}"
    notices.tell(None, "drift", once=once, drifts=found)
