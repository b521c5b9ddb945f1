"""What is charged next, and when: as Stripe's own upcoming invoice says it."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import stripe
from django.core.cache import cache
from redis import RedisError

from billing import money
from billing.agreements import Status
from billing.customers import Customer
from billing.prices import Price
from billing.stripe_api import StripeAway, asking, moment
from billing.subscriptions import Subscription

log = logging.getLogger(__name__)
GOOD_FOR, AWAY_FOR = 600, 60  # seconds that an answer is kept, and that Stripe is left in peace


@dataclass(frozen=True, slots=True)
class Upcoming:
    """``is_exact`` unless we reckoned it from the price, for Stripe could not be asked.

    ``from_credit`` need not be paid: it is owed to the account.
    """

    amount: int
    currency: str
    at: datetime
    is_exact: bool = True
    from_credit: int = 0

    @property
    def in_words(self) -> str:
        return money.written(self.amount, self.currency)

    @property
    def from_credit_in_words(self) -> str:
        return money.written(self.from_credit, self.currency)


def upcoming(subscription: Subscription) -> Upcoming | None:
    """The next charge for a period; None where none will follow by itself.

    Another reading of the customer brings another answer; without one it is kept for a while.
    """
    runs = subscription.is_at_stripe and subscription.status in (Status.ACTIVE, Status.TRIALING)
    if not runs or subscription.cancel_at_period_end:
        return None
    customer = Customer.objects.ours().filter(account=subscription.account_id).first()
    if customer is None:  # it is of another Stripe
        return None
    name = f"upcoming:{subscription.stripe_id}:{customer.version}"
    with suppress(RedisError):
        if known := cache.get(name):
            return known[0]  # type: ignore[no-any-return]
    found = _ask(subscription, customer)
    with suppress(RedisError):
        cache.set(name, (found,), AWAY_FOR if found and not found.is_exact else GOOD_FOR)
    return found


def _ask(subscription: Subscription, customer: Customer) -> Upcoming | None:
    try:
        with asking() as client:
            invoice = client.v1.invoices.create_preview(
                {"subscription": str(subscription.stripe_id)}, {"max_network_retries": 0}
            )
    except stripe.InvalidRequestError as error:
        if error.code == "invoice_upcoming_none":
            return None
        log.warning("no upcoming invoice of %s: %s", subscription.stripe_id, error)
        return _reckoned(subscription, customer)
    except (StripeAway, stripe.StripeError) as error:
        log.warning("no upcoming invoice of %s: %s", subscription.stripe_id, error)
        return _reckoned(subscription, customer)
    at = moment(invoice.next_payment_attempt or invoice.period_end)
    used = max(0, invoice.total - invoice.amount_due)
    return Upcoming(invoice.amount_due, invoice.currency, at, from_credit=used)


def _reckoned(subscription: Subscription, customer: Customer) -> Upcoming | None:
    """The price of what follows less the credit that we know of, without taxes."""
    price = subscription.price
    if subscription.next_plan:
        price = Price.objects.current(subscription.next_plan)
    if price is None or subscription.current_period_end is None:
        return None
    at = subscription.current_period_end
    used = min(price.unit_amount, customer.credit if customer.currency == price.currency else 0)
    return Upcoming(price.unit_amount - used, price.currency, at, is_exact=False, from_credit=used)
