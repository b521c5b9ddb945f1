"""What customers are owed or owe: a ledger whose entries add up to the balance.

A negative balance is credit, which the next finalized invoice uses up.
"""

from typing import Any

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects import customers
from billing.simulated.objects.catalog import change
from billing.simulated.parameters import DATED, EXPAND, METADATA, Needed
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

CREATE = {
    "amount": Needed(int),
    "currency": Needed(str),
    "description": str,
    "metadata": METADATA,
    **EXPAND,
}
LIST = {"invoice": str, **DATED}


def create(sim: Simulation, given: Doc, key: str) -> Doc:
    """Raises InvalidRequest; a customer has one currency here."""
    customer, currency = customers.living(sim, key), given["currency"].lower()
    if not given["amount"]:
        raise InvalidRequest("Nothing is no amount.", param="amount")
    check_currency(customer, currency)
    return post(sim, customer, given["amount"], currency, "adjustment", given=given)


def check_currency(customer: Doc, currency: str) -> None:
    if customer["currency"] not in (None, currency):
        message = f"This customer pays in {customer['currency']}."
        raise InvalidRequest(message, param="currency")


def post(
    sim: Simulation,
    customer: Doc,
    amount: int,
    currency: str,
    kind: str,
    *,
    given: Doc | None = None,
    **about: Any,
) -> Doc:
    customer |= {"balance": customer["balance"] + amount, "currency": currency}
    sim.save(customer, "customer.updated")
    blank = dict.fromkeys(("checkout_session", "credit_note", "description", "invoice"))
    entry = sim.new(
        "customer_balance_transaction",
        **blank | about,
        amount=amount,
        currency=currency,
        customer=customer["id"],
        ending_balance=customer["balance"],
        livemode=False,
        metadata={},
        type=kind,
    )
    change(entry, given or {}, "description")
    return sim.save(entry)


def list_(sim: Simulation, given: Doc, key: str) -> list[Doc]:
    same = {"invoice": given["invoice"]} if "invoice" in given else {}
    customer = sim.get("customer", key)["id"]
    return sim.store.all("customer_balance_transaction", customer=customer, **same)
