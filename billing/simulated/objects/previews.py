"""The invoice that would come next, or the one that a change would cause, without making it."""

from copy import deepcopy

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects import changes, invoices, renewals, subscriptions
from billing.simulated.objects.renewals import HOUR
from billing.simulated.parameters import EXPAND, Needed
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

DETAILS = {
    "billing_cycle_anchor": subscriptions.ANCHOR,
    "items": subscriptions.ITEMS,
    "proration_behavior": subscriptions.PRORATIONS,
    "proration_date": int,
}
CREATE = {
    "subscription": Needed(str),
    "subscription_details": DETAILS,
    **EXPAND,
}


def create(sim: Simulation, given: Doc) -> Doc:
    """Computed by the same functions as the real one, on a copy of the subscription."""
    original = sim.get("subscription", given["subscription"], "subscription")
    subscription = deepcopy(original)
    asked = given.get("subscription_details", {})
    change = subscriptions.change_of(sim, subscription, asked)
    if change.at_once:
        invoice = of_change(sim, subscription, change)
    else:
        changes.apply(subscription, change)
        subscription["_pending"] += change.lines
        invoice = of_renewal(sim, subscription)
    if "proration_date" in asked:
        details = invoice["parent"]["subscription_details"]
        details["subscription_proration_date"] = asked["proration_date"]
    invoice["id"] = f"upcoming_{invoice['id']}"
    return invoice


def of_change(sim: Simulation, subscription: Doc, change: changes.Change) -> Doc:
    lines = [*subscription["_pending"], *change.lines]
    changes.apply(subscription, change)
    return invoices.build(sim, subscription, lines, "subscription_update")


def of_renewal(sim: Simulation, subscription: Doc) -> Doc:
    """Raises InvalidRequest where no period follows."""
    if subscription["status"] not in renewals.RUNNING or subscription["cancel_at"]:
        raise InvalidRequest("No invoice will follow.", code="invoice_upcoming_none")
    period = renewals.next_period(sim, subscription)
    item = subscription["items"]["data"][0]
    closed = {"start": item["current_period_start"], "end": item["current_period_end"]}
    lines = renewals.lines_of(sim, subscription, period)
    invoice = invoices.build(sim, subscription, lines, "upcoming", closed)
    return invoice | {"next_payment_attempt": period.start + HOUR}
