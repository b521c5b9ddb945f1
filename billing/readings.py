"""What Stripe says of one customer at one moment: read, and not yet believed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import stripe

from billing.checkouts import Checkout
from billing.customers import Customer

PAGE = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """``version`` is that of the customer's row when the reading began."""

    customer: str
    version: int
    sessions: dict[str, stripe.checkout.Session]
    subscriptions: list[stripe.Subscription]
    invoices: list[stripe.Invoice]
    balance: tuple[int, str]  # and its currency
    charges: dict[str, stripe.Charge]  # by payment intent; those that were paid
    disputes: dict[str, str]  # the status, by payment intent

    def charges_of(self, invoice: stripe.Invoice) -> Iterable[tuple[str, stripe.Charge]]:
        for payment in invoice.payments.data if invoice.payments else []:
            # what was paid elsewhere has none
            intent = str(getattr(payment.payment, "payment_intent", ""))
            if intent in self.charges:
                yield intent, self.charges[intent]


def read(customer: Customer, client: stripe.StripeClient) -> Reading:
    """Raises stripe.StripeError."""
    about: Any = {"customer": customer.stripe_id, "limit": PAGE}
    sessions = {
        str(checkout.stripe_id): client.v1.checkout.sessions.retrieve(
            str(checkout.stripe_id), {"expand": ["line_items"]}
        )
        for checkout in customer.checkouts.filter(
            state=Checkout.State.OPEN, stripe_id__isnull=False
        )
    }
    with_payments: Any = {**about, "expand": ["data.payments"]}
    invoices = client.v1.invoices.list(with_payments)
    charges = client.v1.charges.list(about)
    paid = [one for one in charges.auto_paging_iter() if one.paid and one.payment_intent]
    theirs = client.v1.customers.retrieve(customer.stripe_id)
    balance = getattr(theirs, "balance", 0) or 0, getattr(theirs, "currency", "") or ""
    return Reading(
        customer.stripe_id,
        customer.version,
        sessions,
        list(subscriptions_of(customer, client)),
        list(invoices.auto_paging_iter()),
        balance,
        {str(one.payment_intent): one for one in paid},
        dict(_disputes([one for one in paid if one.disputed], client)),
    )


def subscriptions_of(
    customer: Customer, client: stripe.StripeClient
) -> Iterable[stripe.Subscription]:
    """All that the customer ever had, with their schedules. Raises stripe.StripeError."""
    asked: Any = {"customer": customer.stripe_id, "limit": PAGE, "status": "all"}
    return client.v1.subscriptions.list(asked | {"expand": ["data.schedule"]}).auto_paging_iter()


def _disputes(
    charges: Iterable[stripe.Charge], client: stripe.StripeClient
) -> Iterable[tuple[str, str]]:
    for charge in charges:
        for dispute in client.v1.disputes.list({"charge": charge.id}).data:
            yield str(charge.payment_intent), str(dispute.status)
