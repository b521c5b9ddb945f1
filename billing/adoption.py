"""Makes what Stripe says of a customer ours: the contract, the invoices, what is told about them.

Nothing is taken from an event. The customer is read anew and held against our own rows: a
subscription counts only if it came of a checkout that we offered to this account, paid in full, at
a price of ours. Two workers that read the same customer cannot undo each other: a reading is taken
over only if no other one was since it began, else it is taken again.
"""

from __future__ import annotations

import stripe
from django.db import transaction
from django.utils import timezone

from accounts import notices
from accounts.models import Account
from billing import clock
from billing.checkouts import Checkout
from billing.contracts import OVER, Prices, agreed, is_lost
from billing.customers import Customer
from billing.invoice_copies import copy_invoices
from billing.prices import Price
from billing.readings import Reading, read
from billing.stripe_api import asking, moment
from billing.subscriptions import Agreed, Status, Subscription


def adopt(customer: Customer) -> None:
    """Agree with Stripe, as it is now or later, about ``customer``.

    Raises StripeAway, stripe.StripeError.
    """
    with asking() as client:
        customer.refresh_from_db(fields=["version"])
        begun = customer.version
        while customer.version < begun + 2:  # else another reading that began after us was taken
            reading = read(customer, client)
            if _cancel_what_was_lost(reading, client):
                continue
            if take_over(customer, reading):
                return
            customer.refresh_from_db(fields=["version"])


@transaction.atomic
def take_over(customer: Customer, reading: Reading) -> bool:
    """False if another reading was taken over since this one began."""
    held = Customer.objects.select_for_update().select_related("account").get(pk=customer.pk)
    if held.version != reading.version:
        return False
    held.version, held.read_at = held.version + 1, timezone.now()
    held.save(update_fields=["version", "read_at"])
    prices = {price.stripe_id: price for price in Price.objects.ours().select_related("plan")}
    for checkout in held.checkouts.filter(state=Checkout.State.OPEN).select_related("price"):
        if session := reading.sessions.get(checkout.stripe_id or ""):
            _settle(checkout, session, reading.customer)
    renewals = copy_invoices(held.account, reading, prices)
    contract = newest_contract(held, reading, prices)
    if contract:
        _follow(held.account, contract, renewals)
    return True


def newest_contract(customer: Customer, reading: Reading, prices: Prices) -> Agreed | None:
    """Of the subscriptions that came of our checkouts the last that runs, else the last."""
    paid = customer.checkouts.filter(state=Checkout.State.PAID)
    offered = {key: pk for pk, key in paid.values_list("pk", "subscription")}
    ours = sorted(
        (one for one in reading.subscriptions if one.id in offered),
        key=lambda one: (one.status not in OVER, offered[one.id]),
    )
    now = clock.now()
    contracts = [contract for one in ours if (contract := agreed(one, reading, prices, now))]
    return contracts[-1] if contracts else None


def _settle(checkout: Checkout, session: stripe.checkout.Session, customer: str) -> None:
    """What became of an offer, as Stripe's session says it."""
    if session.status == "expired":
        checkout.finish(Checkout.State.CLOSED)
    elif session.status == "complete":
        wrong = _objection(checkout, session, customer)
        state = Checkout.State.REFUSED if wrong else Checkout.State.PAID
        checkout.finish(state, subscription=str(session.subscription or ""), because=wrong)
        if wrong:
            notices.tell(None, "checkout_refused", once=f"refused {checkout.pk}", checkout=checkout)


def _objection(checkout: Checkout, session: stripe.checkout.Session, customer: str) -> str:
    """Why this is not what we offered; empty if it is. Taxes come on top."""
    price = checkout.price
    bought = (
        [(one.price and one.price.id, one.quantity) for one in session.line_items.data]
        if (session.line_items)
        else []
    )
    facts = {
        "customer": (str(session.customer), customer),
        "reference": (session.client_reference_id, str(checkout.token)),
        "mode": (session.mode, "subscription"),
        "payment": (session.payment_status, "paid"),
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


def _follow(account: Account, contract: Agreed, renewals: list[tuple[int, int]]) -> None:
    """Become what was agreed, and tell those who must know. Each is told once."""
    subscription = Subscription.objects.select_for_update().get(account=account)
    subscription.account = account
    if _is_history(subscription, contract):
        return
    was_over, owed_since = subscription.status == Status.CANCELED, subscription.past_due_at
    subscription.follow(contract)
    for start, end in renewals:
        subscription.tell_renewed(moment(start), moment(end))
    if contract.status == Status.CANCELED:
        return
    if was_over and not renewals:
        subscription.tell_renewed(contract.current_period_start, contract.current_period_end)
    if contract.past_due_at and contract.past_due_at != owed_since:
        once = f"unpaid {contract.stripe_id} {contract.past_due_at:%s}"
        _write(subscription, "payment_failed", once)
    if owed_since and not contract.past_due_at:
        _write(subscription, "payment_received", f"paid {contract.stripe_id} {owed_since:%s}")
    if contract.cancel_at_period_end:
        once = f"canceling {contract.stripe_id} {contract.current_period_end:%s}"
        _write(subscription, "plan_canceling", once)


def _is_history(subscription: Subscription, contract: Agreed) -> bool:
    """Whether it is over, and something else has been agreed since it began."""
    if contract.status != Status.CANCELED or subscription.stripe_id == contract.stripe_id:
        return False
    return subscription.started_at > contract.started_at


def _write(subscription: Subscription, letter: str, once: str) -> None:
    notices.tell(
        subscription.account, letter, once=once, about_money=True, subscription=subscription
    )


def _cancel_what_was_lost(reading: Reading, client: stripe.StripeClient) -> bool:
    """End at Stripe what a bank has taken the money back for; whether there was any."""
    lost = [
        one for one in reading.subscriptions if one.status not in OVER and is_lost(one, reading)
    ]
    for subscription in lost:
        client.v1.subscriptions.cancel(subscription.id)
    return bool(lost)
