"""Those who have subscribed, how they stand, and what can be made to happen to them."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing.simulated.objects import collection, customers, payments
from billing.simulated.objects.cards import ACCEPTED, ASKS
from billing.simulated.objects.renewals import RUNNING
from billing.simulated.pages.frame import button, hidden, minute, money, terms
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

DECLINED = "card_declined"
CARD = {ACCEPTED: "pays", ASKS: "asks its owner before every charge"}


def subscribers(sim: Simulation) -> list[tuple[Doc, Doc]]:
    """Each customer with their subscription: the one that runs, else the last that ran."""
    found: dict[str, Doc] = {}
    newest = sim.store.all("subscription")
    for subscription in sorted(newest, key=lambda one: one["status"] not in RUNNING):
        found.setdefault(subscription["customer"], subscription)
    people = [(sim.get("customer", key), subscription) for key, subscription in found.items()]
    return [(who, subscription) for who, subscription in people if not who.get("deleted")]


def name_of(customer: Doc) -> str:
    return ", ".join(filter(None, (customer["name"], customer["email"]))) or str(customer["id"])


def section(sim: Simulation, customer: Doc, subscription: Doc) -> SafeString:
    known = hidden("customer", customer["id"])
    acts = possible(sim, customer).items()
    return format_html(
        '<section><h2>{}</h2><ul>{}</ul><div class="acts">{}</div></section>',
        name_of(customer),
        format_html_join("", "<li>{}</li>", ((line,) for line in standing(sim, subscription))),
        format_html_join("", "{}", ((button(act, label, known),) for act, label in acts)),
    )


def standing(sim: Simulation, subscription: Doc) -> list[str | SafeString]:
    price = subscription["items"]["data"][0]["price"]
    plan = sim.get("product", price["product"])["name"]
    invoice = sim.get("invoice", subscription["latest_invoice"])
    attempt = invoice["next_payment_attempt"]
    card = collection.method_of(sim, invoice)
    return [
        f"{plan}, {terms(price)}: {subscription['status'].replace('_', ' ')}",
        end_of(subscription),
        f"Next attempt to charge: {minute(attempt) if attempt else 'none'}",
        described(invoice),
        f"Card: {described_card(card) if card else 'none'}",
    ]


def end_of(subscription: Doc) -> str:
    if subscription["ended_at"]:
        return f"Ended on {minute(subscription['ended_at'])}"
    ends = minute(subscription["items"]["data"][0]["current_period_end"])
    return f"Ends on {ends}" if subscription["cancel_at"] else f"Period ends on {ends}"


def described(invoice: Doc) -> SafeString:
    total, url = money(invoice["total"], invoice["currency"]), invoice["hosted_invoice_url"]
    number = format_html('<a href="{}">{}</a>, ', url, invoice["number"]) if url else ""
    return format_html("Last invoice: {}{}: {}", number, total, invoice["status"])


def described_card(method: Doc) -> str:
    return f"ends in {method['card']['last4']}, {CARD.get(method['_outcome'], 'is declined')}"


def possible(sim: Simulation, customer: Doc) -> dict[str, str]:
    """What can be done to their cards and their last payment as they are now: acts, in words."""
    outcomes = {one["_outcome"] for one in customers.list_methods(sim, {}, customer["id"])}
    payment = last_payment(sim, customer)
    acts = {}
    if outcomes - {DECLINED}:
        acts["decline"] = "Their card is declined from now on"
    if outcomes - {ACCEPTED}:
        acts["accept"] = "Their card pays again"
    if payment and not payment["disputed"] and not payment["refunded"]:
        acts |= {"dispute": "Dispute the last payment", "refund": "Refund the last payment"}
    if payment and open_dispute(sim, payment):
        acts |= {"lose": "The bank gives them their money", "win": "The bank rejects the dispute"}
    return acts


def last_payment(sim: Simulation, customer: Doc) -> Doc | None:
    charges = payments.list_charges(sim, {"customer": customer["id"]})
    return next((one for one in charges if one["paid"]), None)


def open_dispute(sim: Simulation, charge: Doc) -> Doc | None:
    disputes = payments.list_disputes(sim, {"charge": charge["id"]})
    return next((one for one in disputes if one["status"] == "needs_response"), None)
