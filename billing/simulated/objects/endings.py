"""How a subscription ends, and what ends with it."""

from billing.simulated.objects import invoices
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc


def end(sim: Simulation, subscription: Doc, reason: str) -> Doc:
    """For good. What was invoiced is still owed, but no longer collected by itself."""
    now, was = sim.now(), subscription["status"]
    subscription["status"] = "incomplete_expired" if was == "incomplete" else "canceled"
    subscription["canceled_at"] = subscription["canceled_at"] or now
    subscription["ended_at"] = now
    details = subscription["cancellation_details"]
    details["reason"] = details["reason"] or reason
    end_schedule(sim, subscription)
    sim.save(subscription, "customer.subscription.deleted")
    for invoice in invoices.list_(sim, {"subscription": subscription["id"]}):
        if invoice["status"] == "open" and was == "incomplete":
            invoices.give_up(sim, invoice, "void")
        elif invoice["status"] in ("draft", "open"):
            invoice |= {"auto_advance": False, "next_payment_attempt": None}
            sim.save(invoice, "invoice.updated")
    return subscription


def end_schedule(sim: Simulation, subscription: Doc) -> None:
    if subscription["schedule"]:
        schedule = sim.get("subscription_schedule", subscription["schedule"])
        schedule |= {"status": "canceled", "canceled_at": sim.now(), "current_phase": None}
        sim.save(schedule, "subscription_schedule.canceled")
        subscription["schedule"] = None
