"""What we ask of Stripe about the balance of a customer: to credit it, and to take that back.

Each credit is looked for in Stripe's ledger before it is written there, under a key made of its
row: so it is written once, whenever we were killed and however long ago that was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

import stripe
from django.utils import timezone

from billing import adoption, money
from billing.checkout import customer_of
from billing.credits import Credit
from billing.customers import Customer
from billing.drifts import Difference
from billing.stripe_api import StripeAway, asking

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # in which one worker asks, and nobody else
EARLIER = timedelta(days=1)  # that Stripe's clock may be behind ours
PAGE = 100


class Used(Exception):
    """What is to be taken back is no longer there."""


def sweep() -> int:
    """Settle whatever is due; how many that were. Finds what a dead worker has left, too."""
    asked = 0
    for pk in Credit.objects.due().order_by("pk").values_list("pk", flat=True):
        asked += 1
        try:
            if not settle(pk):
                break
        except Exception:  # what is odd about one must not keep the others
            log.exception("the credit %s could not be settled", pk)
    return asked


def settle(credit_pk: int) -> bool:
    """Have Stripe do what is due of a credit. False while Stripe is away."""
    credit = _claim(credit_pk)
    if credit is None:
        return True
    try:
        with asking() as client:
            customer, entry = _done(credit, client)
            credit.confirm(customer, entry)
        _read(customer)
    except (StripeAway, stripe.APIError) as error:  # the latter: the same is asked already
        log.warning("the credit %s waits: %s", credit.pk, error)
        return False
    except (Used, stripe.StripeError) as error:
        credit.refuse(getattr(error, "user_message", None) or str(error))
    return True


def _claim(pk: int) -> Credit | None:
    """Take one that is due, so that no other worker asks the same."""
    if not Credit.objects.due().filter(pk=pk).update(next_attempt_at=timezone.now() + LEASE):
        return None
    return Credit.objects.select_related("account", "customer").get(pk=pk)


def _done(credit: Credit, client: stripe.StripeClient) -> tuple[Customer, str]:
    """The customer and Stripe's entry for it, made if there is none. Raises Used, StripeError."""
    if credit.account.closed_at:
        raise Used("The account is closed.")
    back = credit.revoked_at is not None
    customer = credit.customer if back else None
    customer = customer or customer_of(credit.account, client)
    act = "take back" if back else "give"
    named = {"credit": str(credit.token), "act": act}
    for entry in _ledger(customer, credit.created_at, client):
        if entry.metadata and entry.metadata.to_dict() == named:
            return customer, entry.id
    if back:
        _check_left(credit, customer, client)
    asked: Any = {
        "amount": credit.amount if back else -credit.amount,
        "currency": credit.currency,
        "description": credit.words,
        "metadata": named,
    }
    key = f"credit-{credit.token}-{customer.stripe_id}-{act}"
    ledger = client.v1.customers.balance_transactions
    return customer, ledger.create(customer.stripe_id, asked, {"idempotency_key": key}).id


def _check_left(credit: Credit, customer: Customer, client: stripe.StripeClient) -> None:
    left = -(client.v1.customers.retrieve(customer.stripe_id).balance or 0)
    if left < credit.amount:
        written = money.written(max(0, left), credit.currency)
        raise Used(f"Only {written} is left: what is used stays with them.")


def _ledger(
    customer: Customer, since: datetime, client: stripe.StripeClient
) -> Iterable[stripe.CustomerBalanceTransaction]:
    asked: Any = {"limit": PAGE, "created": {"gte": int((since - EARLIER).timestamp())}}
    ledger = client.v1.customers.balance_transactions
    return ledger.list(customer.stripe_id, asked).auto_paging_iter()


def _read(customer: Customer) -> None:
    """Know the new balance; should that not succeed, Stripe's event brings it."""
    try:
        adoption.adopt(customer)
    except (StripeAway, stripe.StripeError):
        log.warning("%s is read later", customer.stripe_id, exc_info=True)


def differences(client: stripe.StripeClient) -> Iterator[tuple[Customer, Difference]]:
    """Between the credits that we gave and Stripe's ledger. Raises stripe.StripeError."""
    given = Credit.objects.ours().filter(given_at__isnull=False, customer__gone_at=None)
    ordered = given.select_related("customer__account").order_by("customer", "pk")
    for customer, credits_ in groupby(ordered, attrgetter("customer")):
        of_customer = list(credits_)
        known: dict[str, stripe.CustomerBalanceTransaction] = {}
        with suppress(stripe.InvalidRequestError):  # Stripe does not know the customer, either
            ledger = _ledger(customer, of_customer[0].created_at, client)
            known = {entry.id: entry for entry in ledger}
        for credit in of_customer:
            for difference in _between(credit, known):
                yield customer, difference


def _between(
    credit: Credit, known: dict[str, stripe.CustomerBalanceTransaction]
) -> Iterator[Difference]:
    for key, amount in credit.entries.items():
        theirs, ours = known.get(key), money.written(amount, credit.currency)
        if theirs is None:
            yield Difference(key, "is no credit at Stripe", ours)
        elif (theirs.amount, theirs.currency) != (amount, credit.currency):
            written = money.written(theirs.amount, theirs.currency)
            yield Difference(key, "is another credit at Stripe", ours, written)
