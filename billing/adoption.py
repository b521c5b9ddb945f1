"""Makes what Stripe says of a customer ours: the contract, the invoices, what is told about them.

Nothing is taken from an event. The customer is read anew and held against our own rows: a
subscription counts only if it came of a checkout that we offered to this account, paid in full, at
a price of ours. Two workers that read the same customer cannot undo each other: a reading is taken
over only if no other one was since it began, else it is taken again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import stripe
from django.db import transaction
from django.utils import timezone

from accounts import notices
from billing import clock
from billing.agreements import Agreed, Status
from billing.checkouts import Checkout
from billing.contracts import OVER, Prices, agreed, is_lost
from billing.customers import Customer
from billing.invoice_copies import copy_invoices, renewals_of
from billing.prices import Price
from billing.readings import Reading, read
from billing.stripe_api import asking
from billing.subscriptions import Subscription


def adopt(customer: Customer) -> None:
    """Agree with Stripe, as it is now or later, about ``customer``.

    Raises StripeAway, stripe.StripeError.
    """
    with asking() as client:
        customer.refresh_from_db(fields=["version"])
        begun = customer.version
        while customer.version < begun + 2:  # else another reading that began after us was taken
            reading = read(customer, client)
            taken = take_over(customer, reading)
            customer.refresh_from_db(fields=["version"])
            if taken and not _cancel_what_must_end(customer, reading, client):
                return
            if taken:
                begun = customer.version


@transaction.atomic
def take_over(customer: Customer, reading: Reading) -> bool:
    """False if another reading was taken over since this one began."""
    rows = Customer.objects.select_for_update(of=("self",)).select_related("account")
    held = rows.get(pk=customer.pk)
    if held.version != reading.version:
        return False
    held.version, held.read_at = held.version + 1, timezone.now()
    held.balance, held.currency = reading.balance
    held.save(update_fields=["version", "read_at", "balance", "currency"])
    for checkout in held.checkouts.filter(state=Checkout.State.OPEN).select_related("price"):
        if session := reading.sessions.get(checkout.stripe_id or ""):
            _settle(checkout, session, reading)
    _follow(held, reading)
    return True


@transaction.atomic
def forget(customer: Customer) -> None:
    """Stripe knows this customer no more; what ran there is over."""
    Customer.objects.filter(pk=customer.pk).update(gone_at=timezone.now())
    subscription = Subscription.objects.select_for_update().get(account=customer.account_id)
    if subscription.is_running:
        subscription.expire()


def _follow(customer: Customer, reading: Reading) -> None:
    """Become what was agreed, and tell those who must know. Each is told once."""
    account, prices = customer.account, Price.objects.ours().select_related("plan")
    known = {price.stripe_id: price for price in prices}
    offered = customer.checkouts.filter(state=Checkout.State.PAID)
    ours = {key: pk for pk, key in offered.values_list("pk", "subscription")}
    copies = copy_invoices(account, reading, known)
    contract = newest_contract(reading, known, ours)
    subscription = Subscription.objects.select_for_update().get(account=account)
    subscription.account = account
    if contract and not _is_history(subscription, contract):
        owed_since = subscription.past_due_at
        subscription.follow(contract, renewals_of(copies, reading, ours))
        _write(subscription, contract, owed_since)
    elif subscription.is_running and subscription.stripe_id in over(reading):
        subscription.expire()  # of a price that we do not know


def newest_contract(reading: Reading, prices: Prices, ours: Mapping[str, int]) -> Agreed | None:
    """Of the subscriptions that came of our checkouts the last that runs, else the last.

    ``ours`` says in which order they were offered.
    """
    ordered = sorted(
        (one for one in reading.subscriptions if one.id in ours),
        key=lambda one: (one.status not in OVER, ours[one.id]),
    )
    now = clock.now()
    contracts = [found for one in ordered if (found := agreed(one, reading, prices, now))]
    return contracts[-1] if contracts else None


def over(reading: Reading) -> set[str]:
    return {one.id for one in reading.subscriptions if one.status in OVER}


def _settle(checkout: Checkout, session: stripe.checkout.Session, reading: Reading) -> None:
    """What became of an offer, as Stripe's session says it."""
    if session.status == "expired":
        checkout.finish(Checkout.State.CLOSED)
    elif session.status == "complete" and session.payment_status != "unpaid":
        wrong = _objection(checkout, session, reading)
        state = Checkout.State.REFUSED if wrong else Checkout.State.PAID
        checkout.finish(state, subscription=str(session.subscription or ""), because=wrong)
        if wrong:
            notices.tell(None, "checkout_refused", once=f"refused {checkout.pk}", checkout=checkout)


def _objection(checkout: Checkout, session: stripe.checkout.Session, reading: Reading) -> str:
    """Why this is not what we offered; empty if it is. Taxes come on top."""
    price = checkout.price
    bought = (
        [(one.price and one.price.id, one.quantity) for one in session.line_items.data]
        if (session.line_items)
        else []
    )
    facts = {
        "customer": (str(session.customer), reading.customer),
        "reference": (session.client_reference_id, str(checkout.token)),
        "mode": (session.mode, "subscription"),
        "payment": (_payment_of(session, reading), "paid"),
        "price": (bought, [(price.stripe_id, 1)]),
        "amount": (session.amount_subtotal, price.unit_amount),
        "currency": (session.currency, price.currency),
        "live": (session.livemode, price.mode == "live"),
    }
    total = session.amount_total or 0
    if total < price.unit_amount:
        facts["total"] = (total, price.unit_amount)
    return ", ".join(
        f"{name} is {theirs!r}, not {ours!r}"
        for name, (theirs, ours) in facts.items()
        if theirs != ours
    )


def _payment_of(session: stripe.checkout.Session, reading: Reading) -> str:
    """Stripe's word for it. What credit covers whole is paid, though no card was charged."""
    for invoice in reading.invoices:
        if invoice.id == str(session.invoice) and invoice.status == "paid" and invoice.total > 0:
            used = (invoice.ending_balance or 0) - invoice.starting_balance
            return "paid" if used == invoice.total else session.payment_status
    return session.payment_status


def _is_history(subscription: Subscription, contract: Agreed) -> bool:
    """Whether it is over, and something else has been agreed since it began."""
    if contract.status != Status.CANCELED or subscription.stripe_id == contract.stripe_id:
        return False
    return subscription.started_at > contract.started_at


def _write(subscription: Subscription, contract: Agreed, owed_since: datetime | None) -> None:
    """The letters that this turn gives reason for. What is over has been told of as it ended."""
    if contract.status == Status.CANCELED:
        return
    letters = {}
    if contract.past_due_at and contract.past_due_at != owed_since:
        letters["payment_failed"] = contract.past_due_at
    if owed_since and not contract.past_due_at:
        letters["payment_received"] = owed_since
    if contract.cancel_at_period_end:
        letters["plan_canceling"] = contract.current_period_end
    for letter, moment in letters.items():
        once = f"{letter} {contract.stripe_id} {moment:%s}"
        notices.tell(
            subscription.account, letter, once=once, about_money=True, subscription=subscription
        )


def _cancel_what_must_end(
    customer: Customer, reading: Reading, client: stripe.StripeClient
) -> bool:
    """End at Stripe what a bank has taken the money back for, and what was paid though not offered.

    Whether there was any.
    """
    refused = customer.checkouts.filter(state=Checkout.State.REFUSED)
    not_offered = set(refused.exclude(subscription="").values_list("subscription", flat=True))
    ending = [
        one
        for one in reading.subscriptions
        if one.status not in OVER and (one.id in not_offered or is_lost(one, reading))
    ]
    for subscription in ending:
        client.v1.subscriptions.cancel(subscription.id)
    return bool(ending)
