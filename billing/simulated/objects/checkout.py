"""Checkout sessions: an offer to one buyer, its payment, and the subscription that begins."""

import re

from billing.simulated.errors import CardError, InvalidRequest
from billing.simulated.objects import balances, collection, customers, invoices, subscriptions
from billing.simulated.objects.calendar import DAY
from billing.simulated.objects.cards import ASKS, attach, declined
from billing.simulated.objects.catalog import change_metadata
from billing.simulated.parameters import DATED, EXPAND, METADATA, Needed
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

END_BEHAVIOR = {"missing_payment_method": Needed({"cancel", "create_invoice"})}
SUBSCRIPTION = {
    "description": str,
    "metadata": METADATA,
    "trial_end": int,
    "trial_period_days": int,
    "trial_settings": {"end_behavior": Needed(END_BEHAVIOR)},
}
CREATE = {
    "automatic_tax": {"enabled": Needed(bool)},
    "cancel_url": str,
    "client_reference_id": str,
    "customer": str,
    "customer_email": str,
    "customer_update": {"address": {"auto", "never"}, "name": {"auto", "never"}},  # none is asked
    "expires_at": int,
    "line_items": Needed([{"price": Needed(str), "quantity": int}]),
    "metadata": METADATA,
    "mode": Needed({"subscription"}),
    "allowed_payment_method_types": [{"card"}],
    "payment_method_collection": {"always", "if_required"},
    "subscription_data": SUBSCRIPTION,
    "success_url": Needed(str),
    "tax_id_collection": {"enabled": Needed(bool)},
    **EXPAND,
}
LIST = {"customer": str, "status": {"complete", "expired", "open"}, "subscription": str, **DATED}
SHORTEST, LONGEST = 30 * 60, DAY  # that a session may be open for


def create(sim: Simulation, given: Doc) -> Doc:
    """Raises InvalidRequest, NoSuchObject."""
    check_urls(given, "success_url", "cancel_url")
    price, quantity = offered(sim, given)
    customer = customers.living(sim, given["customer"]) if "customer" in given else None
    if customer:
        balances.check_currency(customer, price["currency"])
    amount = 0 if trial_end(sim, given) else price["unit_amount"] * quantity
    session = sim.new(
        "checkout.session",
        **asked(given),
        amount_subtotal=amount,
        amount_total=amount,
        currency=price["currency"],
        customer=customer["id"] if customer else None,
        customer_details=None,
        expires_at=expiry(sim, given),
        invoice=None,
        livemode=False,
        metadata={},
        payment_status="unpaid",
        status="open",
        subscription=None,
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        _line_items=line_items(sim, price, quantity),
        _subscription=None,  # while the bank has a question
    )
    session["url"] = f"{sim.settings.url}/checkout/{session['id']}"
    change_metadata(session, given)
    return sim.save(session)


def offered(sim: Simulation, given: Doc) -> tuple[Doc, int]:
    """The price and how many of it. Raises InvalidRequest, NoSuchObject."""
    [item, *more] = given["line_items"] or [{}]
    if more or not item:
        raise InvalidRequest("One line item is simulated here.", param="line_items")
    price = sim.get("price", item["price"], "line_items[0][price]")
    if not price["active"]:
        raise InvalidRequest("The price is not active.", param="line_items[0][price]")
    return price, item.get("quantity", 1)


def asked(given: Doc) -> Doc:
    """What a session repeats of the request."""
    named = ("cancel_url", "client_reference_id", "customer_email", "success_url")
    return {
        **{name: given.get(name) for name in named},
        "automatic_tax": invoices.taxed(given.get("automatic_tax", {}).get("enabled", False)),
        "mode": given["mode"],
        "payment_method_collection": given.get("payment_method_collection", "always"),
        "payment_method_types": ["card"],
        "tax_id_collection": {
            "enabled": given.get("tax_id_collection", {}).get("enabled", False),
            "required": "never",
        },
        "ui_mode": "hosted_page",
        "_given": given,
    }


def line_items(sim: Simulation, price: Doc, quantity: int) -> list[Doc]:
    amount = price["unit_amount"] * quantity
    item = sim.new(
        "item",
        amount_discount=0,
        amount_subtotal=amount,
        amount_tax=0,
        amount_total=amount,
        currency=price["currency"],
        description=sim.get("product", price["product"])["name"],
        price=price,
        quantity=quantity,
    )
    del item["created"]
    return [item]


def check_urls(given: Doc, *names: str) -> None:
    """Raises InvalidRequest for what is no address to send a browser to."""
    for name in names:
        if name in given and not re.fullmatch(r"https?://[!-~]+", given[name]):
            raise InvalidRequest(f"{name} is not a URL.", code="url_invalid", param=name)


def expiry(sim: Simulation, given: Doc) -> int:
    ends = int(given.get("expires_at", sim.now() + LONGEST))
    if not SHORTEST <= ends - sim.now() <= LONGEST:
        raise InvalidRequest("A session is open for 30 minutes to a day.", param="expires_at")
    return ends


def trial_end(sim: Simulation, given: Doc) -> int | None:
    data = given.get("subscription_data", {})
    days = data.get("trial_period_days")
    return data.get("trial_end") or (sim.now() + days * DAY if days else None)


def due_at(session: Doc) -> int | None:
    return session["expires_at"] if session["status"] == "open" else None


def retrieve(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("checkout.session", key)


def list_(sim: Simulation, given: Doc) -> list[Doc]:
    same = {name: given[name] for name in ("customer", "status", "subscription") if name in given}
    return sim.store.all("checkout.session", **same)


def list_line_items(sim: Simulation, given: Doc, key: str) -> list[Doc]:
    items: list[Doc] = sim.get("checkout.session", key)["_line_items"]
    return items


def expire(sim: Simulation, given: Doc, key: str) -> Doc:
    session = sim.get("checkout.session", key)
    if session["status"] != "open":
        raise InvalidRequest(f"The session is {session['status']}.")
    return close(sim, session)


def close(sim: Simulation, session: Doc) -> Doc:
    """Time is up, or whoever offered it has thought better of it."""
    session |= {"status": "expired", "url": None}
    return sim.save(session, "checkout.session.expired")


def asks_for_card(session: Doc) -> bool:
    return bool(session["amount_total"]) or session["payment_method_collection"] == "always"


def pay(sim: Simulation, session: Doc, typed: Doc) -> bool:
    """What a person has typed; False if the bank has a question first. Raises CardError."""
    customer = buyer(sim, session, typed)
    if typed.get("eu_vat") and session["tax_id_collection"]["enabled"]:
        customers.create_tax_id(sim, {"type": "eu_vat", "value": typed["eu_vat"]}, customer["id"])
    method = attach(sim, customer, typed.get("number", "")) if asks_for_card(session) else None
    subscription = begin(sim, session, method)
    invoice = sim.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "paid" or collection.collect(sim, invoice, method):
        complete(sim, session, customer, subscription)
        return True
    if method and method["_outcome"] == ASKS:
        session["_subscription"] = subscription["id"]
        sim.save(session)
        return False
    raise declined(method["_outcome"] if method else "card_declined")


def approve(sim: Simulation, session: Doc) -> None:
    """The person has told their bank that it was them."""
    subscription = sim.get("subscription", session["_subscription"])
    invoice = sim.get("invoice", subscription["latest_invoice"])
    if collection.collect(sim, invoice, approved=True):
        customer = sim.get("customer", subscription["customer"])
        complete(sim, session, customer, subscription)


def refuse(sim: Simulation, session: Doc) -> None:
    """It was not them, or they do not want to; another card may be tried."""
    subscription = sim.get("subscription", session["_subscription"])
    intent = invoices.intent_of(sim, sim.get("invoice", subscription["latest_invoice"]))
    intent |= {"status": "requires_payment_method", "next_action": None}
    sim.save(intent, "payment_intent.payment_failed")


def buyer(sim: Simulation, session: Doc, typed: Doc) -> Doc:
    """The customer of the session, or a new one with the address that was typed, or CardError."""
    if session["customer"]:
        return sim.get("customer", session["customer"])
    email = session["customer_email"] or typed.get("email")
    if not email:
        raise CardError("An e-mail address is needed.", code="email_invalid")
    customer = customers.create(sim, {"email": email})
    session["customer"] = customer["id"]
    return customer


def begin(sim: Simulation, session: Doc, method: Doc | None) -> Doc:
    """The subscription; that of the first try while it can still be paid."""
    known = session["_subscription"]
    subscription = sim.get("subscription", known) if known else None
    if subscription and subscription["status"] == "incomplete":
        subscription["default_payment_method"] = method["id"] if method else None
        return sim.save(subscription, "customer.subscription.updated")
    data = session["_given"].get("subscription_data", {})
    [item] = session["_line_items"]
    taxed = {"enabled": session["automatic_tax"]["enabled"], "liability": None}
    return subscriptions.start(
        sim,
        item["price"],
        item["quantity"],
        trial_end=trial_end(sim, session["_given"]),
        automatic_tax={**taxed, "disabled_reason": None},
        customer=session["customer"],
        default_payment_method=method["id"] if method else None,
        description=data.get("description"),
        metadata=data.get("metadata", {}),
        trial_settings=data.get("trial_settings", {"end_behavior": CREATE_INVOICE}),
    )


CREATE_INVOICE = {"missing_payment_method": "create_invoice"}


def complete(sim: Simulation, session: Doc, customer: Doc, subscription: Doc) -> None:
    charged = sim.get("invoice", subscription["latest_invoice"])["amount_paid"]
    paid = "paid" if charged else "no_payment_required"
    session |= {"status": "complete", "payment_status": paid, "url": None}
    session |= {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
    session["customer_details"] = {
        **{name: customer[name] for name in ("address", "email", "name", "phone")},
        "tax_exempt": "none",
        "tax_ids": [
            {"type": one["type"], "value": one["value"]}
            for one in customers.list_tax_ids(sim, {}, customer["id"])
        ],
    }
    sim.save(session, "checkout.session.completed")
