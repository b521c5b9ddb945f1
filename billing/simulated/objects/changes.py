"""What a change of plan costs: computed once, for the preview and for the invoice alike."""

from dataclasses import dataclass, field

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects import invoices
from billing.simulated.objects.calendar import months_later, share
from billing.simulated.objects.catalog import months
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc


@dataclass
class Change:
    """The lines it adds, the period that then runs, and whether it is invoiced on the spot."""

    price: Doc
    quantity: int
    start: int
    end: int
    anchor: int
    lines: list[Doc] = field(default_factory=list)
    at_once: bool = False
    debit: Doc | None = None  # what the customer has been charged for the running period


def plan_change(
    sim: Simulation, subscription: Doc, price: Doc, quantity: int, asked: Doc
) -> Change:
    """``asked`` has Stripe's proration_behavior, proration_date and billing_cycle_anchor.

    A period of another length, or one that is to start anew, begins now and is charged in full;
    else the period stays, and what is left of it is charged. What is left of the old plan is given
    back as a part of what was charged for it. During a trial nothing is. Raises InvalidRequest.
    """
    item = subscription["items"]["data"][0]
    start, end = item["current_period_start"], item["current_period_end"]
    change = Change(price, quantity, start, end, subscription["billing_cycle_anchor"])
    change.debit = item["_debit"]
    same = price["id"] == item["price"]["id"] and quantity == item["quantity"]
    restart = asked.get("billing_cycle_anchor", {}).get("type") == "now"
    if subscription["status"] == "trialing" or (same and not restart):
        return change
    at = asked.get("proration_date", sim.now())
    if not start <= at <= end:
        raise InvalidRequest("proration_date is not within the period.", param="proration_date")
    prorated = asked.get("proration_behavior", "create_prorations") != "none"
    if prorated and item["_debit"]:
        change.lines.append(credit(sim, subscription, item, at))
    if restart or months(price) != months(item["price"]):
        begin_anew(sim, subscription, change)
    elif prorated:
        charge_rest(sim, subscription, change, at)
    change.at_once |= asked.get("proration_behavior") == "always_invoice" and bool(change.lines)
    return change


def credit(sim: Simulation, subscription: Doc, item: Doc, at: int) -> Doc:
    debit = item["_debit"]
    left = share(debit["amount"], debit["start"], debit["end"], at)
    period = {"start": at, "end": debit["end"]}
    about = (sim, subscription, item["price"], -left, period)
    return invoices.line(*about, what="Unused time on", prorated=True)


def charge_rest(sim: Simulation, subscription: Doc, change: Change, at: int) -> None:
    full = change.price["unit_amount"] * change.quantity
    amount = share(full, change.start, change.end, at)
    period = {"start": at, "end": change.end}
    about = (sim, subscription, change.price, amount, period)
    change.lines.append(invoices.line(*about, what="Remaining time on", prorated=True))
    change.debit = {"amount": amount, **period}


def begin_anew(sim: Simulation, subscription: Doc, change: Change) -> None:
    now = sim.now()
    change.start, change.anchor, change.at_once = now, now, True
    change.end = months_later(now, months(change.price))
    amount = change.price["unit_amount"] * change.quantity
    period = {"start": now, "end": change.end}
    change.lines.append(invoices.line(sim, subscription, change.price, amount, period))
    change.debit = {"amount": amount, **period}


def apply(subscription: Doc, change: Change) -> None:
    item = subscription["items"]["data"][0]
    item |= {"price": change.price, "quantity": change.quantity, "_debit": change.debit}
    item |= {"current_period_start": change.start, "current_period_end": change.end}
    subscription["billing_cycle_anchor"] = change.anchor
    if subscription["cancel_at"]:
        subscription["cancel_at"] = change.end
