"""What time does to a subscription: trials end, periods follow each other, some are the last."""

from dataclasses import dataclass

from billing.simulated.objects import collection, invoices, schedules
from billing.simulated.objects.calendar import DAY, period_end
from billing.simulated.objects.catalog import months
from billing.simulated.objects.endings import end
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

HOUR = 3600  # that a renewal's invoice stays a draft, and the first payment may be outstanding for
NOTICE = 3 * DAY  # before a trial ends
RUNNING = ("trialing", "active", "past_due", "unpaid")


def due_at(subscription: Doc) -> int | None:
    if subscription["status"] == "incomplete":
        return int(subscription["created"]) + 23 * HOUR
    if subscription["status"] not in RUNNING:
        return None
    ends = int(subscription["items"]["data"][0]["current_period_end"])
    if subscription["status"] == "trialing" and not subscription["_noticed"]:
        return min(ends, int(subscription["trial_end"]) - NOTICE)
    return ends


def come_due(sim: Simulation, subscription: Doc) -> None:
    if subscription["status"] == "incomplete":
        end(sim, subscription, "payment_failed")
    elif sim.now() < subscription["items"]["data"][0]["current_period_end"]:
        subscription["_noticed"] = True
        sim.save(subscription, "customer.subscription.trial_will_end")
    elif subscription["cancel_at"] or schedules.ends(sim, subscription):
        end(sim, subscription, "cancellation_requested")
    elif subscription["status"] == "trialing" and lacks_card(sim, subscription):
        end(sim, subscription, "payment_failed")
    else:
        renew(sim, subscription)


def lacks_card(sim: Simulation, subscription: Doc) -> bool:
    """Whether a trial ends for want of a card, as was agreed for that case."""
    customer = sim.get("customer", subscription["customer"])
    known = (
        subscription["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
    )
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    return not known and behavior == "cancel"


@dataclass(frozen=True)
class Period:
    price: Doc
    quantity: int
    anchor: int
    start: int
    end: int

    @property
    def amount(self) -> int:
        return int(self.price["unit_amount"]) * self.quantity


def next_period(sim: Simulation, subscription: Doc) -> Period:
    """The one after the running one, on the plan that a schedule may have foreseen for it."""
    item = subscription["items"]["data"][0]
    start, anchor = item["current_period_end"], subscription["billing_cycle_anchor"]
    phase = schedules.phase_at(sim, subscription, start)
    price, quantity = item["price"], item["quantity"]
    if phase:
        price = sim.get("price", phase["items"][0]["price"])
        quantity = phase["items"][0]["quantity"]
    if months(price) != months(item["price"]):
        anchor = start
    return Period(price, quantity, anchor, start, period_end(anchor, months(price), start))


def lines_of(sim: Simulation, subscription: Doc, period: Period) -> list[Doc]:
    """What was put off until the next invoice, and the next period."""
    span = {"start": period.start, "end": period.end}
    full = invoices.line(sim, subscription, period.price, period.amount, span)
    return [*subscription["_pending"], full]


def renew(sim: Simulation, subscription: Doc) -> Doc:
    """Begin the next period; its invoice, which is charged in an hour if nobody does it before."""
    period = next_period(sim, subscription)
    item = subscription["items"]["data"][0]
    lines = lines_of(sim, subscription, period)
    closed = {"start": item["current_period_start"], "end": item["current_period_end"]}
    invoice = invoices.build(sim, subscription, lines, "subscription_cycle", closed)
    span = {"start": period.start, "end": period.end}
    item |= {"price": period.price, "quantity": period.quantity}
    item |= {"current_period_start": period.start, "current_period_end": period.end}
    item["_debit"] = {"amount": period.amount, **span}
    subscription |= {"billing_cycle_anchor": period.anchor, "_pending": []}
    subscription["latest_invoice"] = invoice["id"]
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    schedules.begin_phase(sim, subscription, period.start)
    wait(invoice, sim.now() + HOUR, collected=subscription["status"] != "unpaid")
    sim.save(invoice, "invoice.created")
    sim.save(subscription, "customer.subscription.updated")
    return invoice


def wait(invoice: Doc, until: int, *, collected: bool) -> None:
    if collected:
        invoice |= {"automatically_finalizes_at": until, "next_payment_attempt": until}
    else:
        invoice["auto_advance"] = False  # nobody pays anyway


def charge(sim: Simulation, invoice: Doc) -> bool:
    """Finalize it if that is still to be done, and collect."""
    if invoice["status"] == "draft":
        collection.issue(sim, invoice)
    return invoice["status"] == "paid" or collection.collect(sim, invoice, by_itself=True)
