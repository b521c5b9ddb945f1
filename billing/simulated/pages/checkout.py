"""The page of a checkout session: pay with a test card, or go back."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.simulated.errors import CardError
from billing.simulated.exchange import Answer
from billing.simulated.objects import checkout, invoices
from billing.simulated.pages.frame import (
    button,
    card_field,
    day,
    field,
    joined,
    link,
    money,
    page,
    redirect,
    terms,
)
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc


def show(sim: Simulation, key: str, error: str = "") -> Answer:
    session = sim.get("checkout.session", key)
    if session["status"] != "open":
        said = format_html("<p>This checkout is {}.</p>", session["status"])
        back = success_url(session) if session["status"] == "complete" else session["cancel_url"]
        return page("Checkout", said, link(back, "Back"))
    if waits(sim, session):
        approve = button("approve", "Yes, it is me")
        return page("Does your bank know you?", approve, button("refuse", "No"))
    return page("Checkout", offer(sim, session), form(session), error=error)


def offer(sim: Simulation, session: Doc) -> SafeString:
    [item] = session["_line_items"]
    trial = checkout.trial_end(sim, session["_given"])
    first = format_html("<p>Free until {}.</p>", day(trial)) if trial else ""
    return format_html(
        "<p><strong>{}</strong>, {}</p>{}{}",
        *(item["description"], terms(item["price"]), first, credit(sim, session)),
    )


def credit(sim: Simulation, session: Doc) -> SafeString | str:
    """What the buyer need not pay, for we owe it to them."""
    customer = sim.get("customer", session["customer"]) if session["customer"] else None
    if customer is None or customer["balance"] >= 0:
        return ""
    amount = money(-customer["balance"], customer["currency"])
    return format_html("<p>Your credit of {} is taken off.</p>", amount)


def form(session: Doc) -> SafeString:
    fields = []
    if not session["customer"]:
        fields.append(field("E-mail", "email", session["customer_email"], type="email"))
    if session["tax_id_collection"]["enabled"]:
        fields.append(field("VAT number, if you have one", "eu_vat"))
    if checkout.asks_for_card(session):
        fields.append(card_field())
    back = link(session["cancel_url"], "Cancel")
    return joined([button("pay", "Subscribe", *fields), back])


def waits(sim: Simulation, session: Doc) -> bool:
    """Whether the bank has asked a question."""
    if not session["_subscription"]:
        return False
    subscription = sim.get("subscription", session["_subscription"])
    invoice = sim.get("invoice", subscription["latest_invoice"])
    return bool(invoices.intent_of(sim, invoice)["status"] == "requires_action")


def success_url(session: Doc) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def act(sim: Simulation, key: str, typed: dict[str, str]) -> Answer:
    """What a person has decided. A card that is refused leaves nothing behind."""
    session = sim.get("checkout.session", key)
    if session["status"] != "open":
        return show(sim, key)
    try:
        with sim.store.transaction():
            decide(sim, session, typed)
    except CardError as error:
        return show(sim, key, str(error))
    if session["status"] == "complete":
        return redirect(success_url(session))
    return show(sim, key)


def decide(sim: Simulation, session: Doc, typed: dict[str, str]) -> None:
    match typed.get("action"):
        case "pay":
            checkout.pay(sim, session, typed)
        case "approve" if waits(sim, session):
            checkout.approve(sim, session)
        case "refuse" if waits(sim, session):
            checkout.refuse(sim, session)
