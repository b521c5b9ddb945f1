"""Credits for tests, settled as a worker would."""

from typing import Any

from accounts.audit import Actor
from billing import balances
from billing.models import Credit
from tests.billing.paying import Paying

OPERATOR = Actor("operator lena@example.com", 7, "192.0.2.9")
SAID: dict[str, Any] = {
    "amount": 1000,
    "currency": "usd",
    "words": "For the outage on Tuesday.",
    "reason": "Ticket 4711",
}


def granted(paying: Paying, **said: Any) -> Credit:
    """One that no worker has seen yet."""
    return Credit.objects.give(paying.account, by=OPERATOR, **SAID | said)


def give(paying: Paying, **said: Any) -> Credit:
    return settled(granted(paying, **said))


def take_back(credit: Credit) -> Credit:
    credit.take_back(by=OPERATOR)
    return settled(credit)


def settled(credit: Credit) -> Credit:
    balances.settle(credit.pk)
    return Credit.objects.get(pk=credit.pk)


def ledger(paying: Paying) -> list[tuple[str, int]]:
    """What Stripe has on its books, the oldest first."""
    listed = paying.api.customers.balance_transactions.list(
        paying.customer.stripe_id, {"limit": 100}
    )
    return [(entry.type, entry.amount) for entry in reversed(listed.data)]
