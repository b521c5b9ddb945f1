"""Getting an invoice paid: at once, again after some days, and what becomes of the subscription."""

from billing.simulated.errors import AttemptFailed, InvalidRequest
from billing.simulated.objects import customers, invoices, payments
from billing.simulated.objects.calendar import DAY
from billing.simulated.objects.cards import declined
from billing.simulated.objects.endings import end
from billing.simulated.parameters import EXPAND
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

RETRY_DAYS = (3, 5, 7)  # from one attempt to the next
DEBTORS = ("incomplete", "past_due", "unpaid")
PAY = {"payment_method": str, "paid_out_of_band": bool, **EXPAND}


def issue(sim: Simulation, invoice: Doc) -> None:
    """Finalize it; where nothing is due it is paid."""
    invoices.finalize(sim, invoice)
    if not invoice["amount_due"]:
        settle(sim, invoice)


def method_of(sim: Simulation, invoice: Doc) -> Doc | None:
    """The card of the subscription, else that of the customer."""
    customer = sim.get("customer", invoice["customer"])
    key = (
        invoices.subscription_of(sim, invoice)["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
    )
    return sim.get("payment_method", key) if key else None


def collect(
    sim: Simulation,
    invoice: Doc,
    method: Doc | None = None,
    *,
    approved: bool = False,
    by_itself: bool = False,
) -> bool:
    """Try to charge what is due; whether it was paid. ``by_itself`` it is tried again later."""
    method = method or method_of(sim, invoice)
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    intent = invoices.intent_of(sim, invoice)
    if method and payments.attempt(sim, intent, method, approved=approved):
        settle(sim, invoice)
        return True
    fail(sim, invoice, by_itself=by_itself)
    return False


def settle(sim: Simulation, invoice: Doc) -> None:
    """It is paid. The subscription goes on if this was the invoice that it waited for."""
    invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
    invoice |= {"attempted": True, "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"]["paid_at"] = sim.now()
    if invoice.get("_payment"):
        payment = sim.get("invoice_payment", invoice["_payment"])
        payment |= {"status": "paid", "amount_paid": invoice["amount_due"]}
        payment["status_transitions"]["paid_at"] = sim.now()
        sim.save(payment, "invoice_payment.paid")
    sim.save(invoice, "invoice.paid", "invoice.payment_succeeded")
    subscription = invoices.subscription_of(sim, invoice)
    if subscription["latest_invoice"] == invoice["id"] and subscription["status"] in DEBTORS:
        subscription["status"] = "active"
        sim.save(subscription, "customer.subscription.updated")


def fail(sim: Simulation, invoice: Doc, *, by_itself: bool) -> None:
    """The first payment is for a person to repeat; later ones have a schedule."""
    subscription = invoices.subscription_of(sim, invoice)
    given_up = by_itself and invoice["_retries"] == len(RETRY_DAYS)
    if given_up:
        invoice |= {"auto_advance": False, "next_payment_attempt": None}
    elif by_itself:
        invoice["next_payment_attempt"] = sim.now() + RETRY_DAYS[invoice["_retries"]] * DAY
        invoice["_retries"] += 1
    asked = invoices.intent_of(sim, invoice)["status"] == "requires_action"
    required = ("invoice.payment_action_required",) if asked else ()
    sim.save(invoice, "invoice.payment_failed", *required)
    if subscription["status"] == "active":
        subscription["status"] = "past_due"
        sim.save(subscription, "customer.subscription.updated")
    if given_up:
        give_up(sim, subscription)


def give_up(sim: Simulation, subscription: Doc) -> None:
    """Nobody has paid in all this time."""
    match sim.settings.after_retries:
        case "cancel":
            end(sim, subscription, "payment_failed")
        case "unpaid":
            subscription["status"] = "unpaid"
            sim.save(subscription, "customer.subscription.updated")


def pay(sim: Simulation, given: Doc, key: str) -> Doc:
    """Raises InvalidRequest for one that is not to be paid, AttemptFailed if the card says no."""
    invoice = sim.get("invoice", key)
    if invoice["status"] == "draft":
        issue(sim, invoice)
    if invoice["status"] not in ("open", "uncollectible"):
        raise InvalidRequest(f"The invoice is {invoice['status']}.", code="invoice_not_editable")
    if given.get("paid_out_of_band"):
        settle(sim, invoice)
        return invoice
    customer = sim.get("customer", invoice["customer"])
    named = given.get("payment_method")
    method = customers.own_method(sim, customer, named) if named else method_of(sim, invoice)
    if method is None:
        raise InvalidRequest("The customer has no card.", code="resource_missing")
    if not collect(sim, invoice, method):
        raise declined(method["_outcome"], AttemptFailed)
    return invoice


def finalize(sim: Simulation, given: Doc, key: str) -> Doc:
    invoice = sim.get("invoice", key)
    if invoice["status"] != "draft":
        raise InvalidRequest("Only a draft can be finalized.", code="invoice_not_editable")
    issue(sim, invoice)
    return invoice
