"""What becomes due when, and time that passes."""

from collections.abc import Callable

from billing.simulated.objects import checkout, collection, renewals
from billing.simulated.simulation import Origin, Simulation
from billing.simulated.store import Doc


def invoice_due_at(invoice: Doc) -> int | None:
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        return int(invoice["automatically_finalizes_at"] or 0) or None
    return invoice["next_payment_attempt"] if invoice["status"] == "open" else None


def invoice_come_due(sim: Simulation, invoice: Doc) -> None:
    if invoice["status"] == "draft":
        renewals.charge(sim, invoice)
    else:
        collection.collect(sim, invoice, by_itself=True)


DUE_AT: dict[str, Callable[[Doc], int | None]] = {
    "checkout.session": checkout.due_at,
    "invoice": invoice_due_at,
    "subscription": renewals.due_at,
}
COME_DUE: dict[str, Callable[[Simulation, Doc], object]] = {
    "checkout.session": checkout.close,
    "invoice": invoice_come_due,
    "subscription": renewals.come_due,
}


def due_at(doc: Doc) -> int | None:
    """When time has something to do to this object next."""
    find = DUE_AT.get(doc["object"])
    return find(doc) if find else None


def pass_time(sim: Simulation, until: int | None = None) -> None:
    """Let everything happen that was due by then, each at its moment, one after the other."""
    origin, sim.origin = sim.origin, Origin()
    until = sim.now() if until is None else until
    while due := sim.store.next_due(until):
        moment, doc = due
        with sim.clock.at(moment):
            COME_DUE[doc["object"]](sim, doc)
    sim.origin = origin
