"""Subscriptions: begun by a checkout, changed and ended by whoever asks."""

from copy import deepcopy
from typing import Any

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects import changes, collection, customers, invoices, renewals
from billing.simulated.objects.calendar import months_later
from billing.simulated.objects.cards import declined
from billing.simulated.objects.catalog import change as change_fields
from billing.simulated.objects.catalog import months
from billing.simulated.objects.endings import end
from billing.simulated.parameters import DATED, EXPAND, METADATA, Needed
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

PRORATIONS = {"always_invoice", "create_prorations", "none"}
ITEMS = [{"id": Needed(str), "price": str, "quantity": int}]
ANCHOR = {"type": Needed({"now", "unchanged"})}
FEEDBACK = {
    *("customer_service", "low_quality", "missing_features", "other", "switched_service"),
    *("too_complex", "too_expensive", "unused"),
}
DETAILS = {"comment": str, "feedback": FEEDBACK}
UPDATE = {
    "billing_cycle_anchor": ANCHOR,
    "cancel_at": {""},
    "cancel_at_period_end": bool,
    "cancellation_details": DETAILS,
    "default_payment_method": str,
    "description": str,
    "items": ITEMS,
    "metadata": METADATA,
    "payment_behavior": {"allow_incomplete", "error_if_incomplete"},
    "proration_behavior": PRORATIONS,
    "proration_date": int,
    "trial_end": {"now"},
    **EXPAND,
}
CANCEL = {"cancellation_details": DETAILS, **EXPAND}
STATUSES = {
    *("active", "all", "canceled", "ended", "incomplete", "incomplete_expired"),
    *("past_due", "trialing", "unpaid"),
}
OVER = ("canceled", "incomplete_expired")
LIST = {"customer": str, "price": str, "status": STATUSES, **DATED}


def start(
    sim: Simulation, price: Doc, quantity: int, *, trial_end: int | None, **agreed: Any
) -> Doc:
    """Not paid yet: ``incomplete``, unless it is on trial, with the invoice to pay first."""
    now = sim.now()
    subscription = sim.new(
        "subscription",
        **deepcopy(BLANK),
        **agreed,
        billing_cycle_anchor=trial_end or now,
        currency=price["currency"],
        start_date=now,
        status="trialing" if trial_end else "incomplete",
        trial_start=now if trial_end else None,
        trial_end=trial_end,
    )
    period = {"start": now, "end": trial_end or months_later(now, months(price))}
    amount = 0 if trial_end else price["unit_amount"] * quantity
    item = item_of(sim, subscription, price, quantity, period)
    item["_debit"] = None if trial_end else {"amount": amount, **period}
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    subscription["items"] = {"object": "list", "data": [item], "has_more": False, "url": url}
    first(sim, subscription, price, amount, period)
    return subscription


BLANK: Doc = {
    "application": None,
    "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
    "cancel_at": None,
    "cancel_at_period_end": False,
    "canceled_at": None,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "collection_method": "charge_automatically",
    "days_until_due": None,
    "default_source": None,
    "default_tax_rates": [],
    "discounts": [],
    "ended_at": None,
    "latest_invoice": None,
    "livemode": False,
    "next_pending_invoice_item_invoice": None,
    "pause_collection": None,
    "pending_setup_intent": None,
    "pending_update": None,
    "schedule": None,
    "test_clock": None,
    "_noticed": False,  # that its trial ends soon
    "_pending": [],  # lines that wait for the next invoice
}


def item_of(sim: Simulation, subscription: Doc, price: Doc, quantity: int, period: Doc) -> Doc:
    return sim.new(
        "subscription_item",
        current_period_start=period["start"],
        current_period_end=period["end"],
        discounts=[],
        metadata={},
        price=price,
        quantity=quantity,
        subscription=subscription["id"],
        tax_rates=[],
    )


def first(sim: Simulation, subscription: Doc, price: Doc, amount: int, period: Doc) -> None:
    """The invoice that begins it; a trial's is about nothing."""
    what = "Trial period for" if subscription["trial_end"] else ""
    line = invoices.line(sim, subscription, price, amount, period, what=what)
    invoice = invoices.build(sim, subscription, [line], "subscription_create")
    subscription["latest_invoice"] = invoice["id"]
    sim.save(subscription, "customer.subscription.created")
    sim.save(invoice, "invoice.created")
    collection.issue(sim, invoice)


def retrieve(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("subscription", key)


def list_(sim: Simulation, given: Doc) -> list[Doc]:
    """Those that are over only if they are asked for."""
    status = given.get("status")

    def wanted(one: Doc) -> bool:
        over = one["status"] in OVER
        if status in ("all", "ended", None):
            right = status == "all" or over == (status == "ended")
        else:
            right = one["status"] == status
        return right and given.get("price", price_of(one)) == price_of(one)

    same = {"customer": given["customer"]} if "customer" in given else {}
    return [one for one in sim.store.all("subscription", **same) if wanted(one)]


def price_of(subscription: Doc) -> Any:
    return subscription["items"]["data"][0]["price"]["id"]


def update(sim: Simulation, given: Doc, key: str) -> Doc:
    """Raises InvalidRequest, and CardError where a payment is needed, asked for, and refused."""
    subscription = sim.get("subscription", key)
    if subscription["status"] in OVER and given.keys() - {"metadata", "cancellation_details"}:
        raise InvalidRequest("The subscription is over: it can be described, but not changed.")
    describe(sim, subscription, given)
    if "cancel_at_period_end" in given:
        cancel_later(sim, subscription, wanted=given["cancel_at_period_end"])
        subscription["cancel_at_period_end"] = given["cancel_at_period_end"]
    elif "cancel_at" in given:
        cancel_later(sim, subscription, wanted=False)
    invoice = change_plan(sim, subscription, given)
    sim.save(subscription, "customer.subscription.updated")
    if invoice:
        charge_change(sim, invoice, given)
    if given.get("trial_end") == "now" and subscription["status"] == "trialing":
        charge_change(sim, end_trial(sim, subscription), given)
    return subscription


def describe(sim: Simulation, subscription: Doc, given: Doc) -> None:
    if method := given.get("default_payment_method"):
        customer = sim.get("customer", subscription["customer"])
        customers.own_method(sim, customer, method)
    change_fields(subscription, given, "default_payment_method", "description")
    subscription["cancellation_details"] |= given.get("cancellation_details", {})


def cancel_later(sim: Simulation, subscription: Doc, *, wanted: bool) -> None:
    """With ``cancel_at``, which is all that the portal sets; the flag is for who asks for it."""
    if subscription["schedule"] and wanted:
        message = "A schedule says how this subscription ends: change that, or release it."
        raise InvalidRequest(message, param="cancel_at_period_end")
    ends = subscription["items"]["data"][0]["current_period_end"]
    subscription["cancel_at"] = ends if wanted else None
    subscription["canceled_at"] = sim.now() if wanted else None
    subscription["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None


def change_of(sim: Simulation, subscription: Doc, given: Doc) -> changes.Change:
    """What ``given`` would do to the plan. Raises InvalidRequest, NoSuchObject."""
    item = subscription["items"]["data"][0]
    asked = given.get("items") or [{"id": item["id"]}]
    if len(asked) > 1 or asked[0]["id"] != item["id"]:
        raise InvalidRequest("A subscription has one item here.", param="items")
    price = sim.get("price", asked[0].get("price", item["price"]["id"]), "items[0][price]")
    if not price["active"] and price["id"] != item["price"]["id"]:
        raise InvalidRequest(f"The price {price['id']} is not active.", param="items[0][price]")
    if price["currency"] != subscription["currency"]:
        raise InvalidRequest("A subscription keeps its currency.", param="items[0][price]")
    quantity = asked[0].get("quantity", item["quantity"])
    return changes.plan_change(sim, subscription, price, quantity, given)


def change_plan(sim: Simulation, subscription: Doc, given: Doc) -> Doc | None:
    """The invoice for it, if there is one on the spot; else its lines wait for the next one."""
    if not given.keys() & {"items", "billing_cycle_anchor"}:
        return None
    change = change_of(sim, subscription, given)
    changes.apply(subscription, change)
    if not change.at_once:
        subscription["_pending"] += change.lines
        return None
    lines = [*subscription["_pending"], *change.lines]
    subscription["_pending"] = []
    invoice = invoices.build(sim, subscription, lines, "subscription_update")
    subscription["latest_invoice"] = invoice["id"]
    return sim.save(invoice, "invoice.created")


def charge_change(sim: Simulation, invoice: Doc, given: Doc) -> None:
    if not renewals.charge(sim, invoice) and given.get("payment_behavior") == "error_if_incomplete":
        method = collection.method_of(sim, invoice)
        raise declined(method["_outcome"] if method else "card_declined")


def end_trial(sim: Simulation, subscription: Doc) -> Doc:
    """The invoice of the first period that is paid for."""
    now = sim.now()
    subscription |= {"trial_end": now, "billing_cycle_anchor": now}
    subscription["items"]["data"][0]["current_period_end"] = now
    return renewals.renew(sim, subscription)


def cancel(sim: Simulation, given: Doc, key: str) -> Doc:
    """At once, and without money back: that is what refunds are for."""
    subscription = sim.get("subscription", key)
    if subscription["status"] in OVER:
        raise InvalidRequest("The subscription is over.", code="resource_missing", param="id")
    subscription["cancellation_details"] |= given.get("cancellation_details", {})
    return end(sim, subscription, "cancellation_requested")


def delete_customer(sim: Simulation, given: Doc, key: str) -> Doc:
    """Their subscriptions end at once."""
    customer = customers.living(sim, key)
    for subscription in sim.store.all("subscription", customer=key):
        if subscription["status"] not in OVER:
            end(sim, subscription, "cancellation_requested")
    gone = {"id": key, "object": "customer", "deleted": True}
    sim.store.put(gone)
    sim.emit("customer.deleted", customer)
    return gone
