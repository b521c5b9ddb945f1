"""Invoices and their lines: what is owed, and for which time."""

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects import balances, payments
from billing.simulated.parameters import DATED, PAGED
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

STATUSES = {"draft", "open", "paid", "uncollectible", "void"}
LIST = {"customer": str, "subscription": str, "status": STATUSES, **DATED}
LIST_PAYMENTS = {"invoice": str, "status": {"canceled", "open", "paid"}, **PAGED}


def taxed(enabled: bool) -> Doc:
    """As for a seller who is registered nowhere: the tax is computed, and is nothing."""
    return {"enabled": enabled, "liability": None, "status": "complete" if enabled else None}


def line(
    sim: Simulation,
    subscription: Doc,
    price: Doc,
    amount: int,
    period: Doc,
    *,
    what: str = "",
    prorated: bool = False,
) -> Doc:
    """``what`` of the product it is about, if not simply the product."""
    product = sim.get("product", price["product"])
    made = sim.new(
        "line_item",
        amount=amount,
        currency=price["currency"],
        description=f"{what} {product['name']}".strip(),
        discount_amounts=[],
        discountable=not prorated,
        discounts=[],
        invoice=None,
        livemode=False,
        metadata={},
        parent=line_parent(subscription, prorated=prorated),
        period=period,
        pretax_credit_amounts=[],
        pricing={
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        quantity=subscription["items"]["data"][0]["quantity"],
        subtotal=amount,
        taxes=[],
    )
    del made["created"]
    return made


def line_parent(subscription: Doc, *, prorated: bool) -> Doc:
    details = {
        "invoice_item": None,
        "proration": prorated,
        "proration_details": {"credited_items": None},
        "subscription": subscription["id"],
        "subscription_item": subscription["items"]["data"][0]["id"],
    }
    return {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": details,
    }


def build(
    sim: Simulation, subscription: Doc, lines: list[Doc], reason: str, period: Doc | None = None
) -> Doc:
    """A draft, not yet saved. ``period`` is the one that it closes, if it closes one."""
    customer = sim.get("customer", subscription["customer"])
    total = sum(one["amount"] for one in lines)
    invoice = sim.new(
        "invoice",
        **BLANK,
        **amounts(total, customer["balance"]),
        **moments(period or {"start": sim.now(), "end": sim.now()}),
        automatic_tax=taxed(subscription["automatic_tax"]["enabled"]),
        billing_reason=reason,
        currency=subscription["currency"],
        customer=customer["id"],
        customer_address=customer["address"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        parent=parent(subscription),
    )
    invoice["lines"] = listed([{**one, "invoice": invoice["id"]} for one in lines], invoice["id"])
    return invoice


BLANK: Doc = {
    "attempt_count": 0,
    "attempted": False,
    "auto_advance": True,
    "collection_method": "charge_automatically",
    "customer_tax_ids": [],
    "default_payment_method": None,
    "description": None,
    "discounts": [],
    "hosted_invoice_url": None,
    "invoice_pdf": None,
    "livemode": False,
    "metadata": {},
    "number": None,
    "receipt_number": None,
    "status": "draft",
    "_retries": 0,
}


def amounts(total: int, balance: int) -> Doc:
    """What is left to pay after the customer's balance, which is negative where we owe them."""
    due = max(0, total + balance)
    return {
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "starting_balance": balance,
        "ending_balance": None,
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "pre_payment_credit_notes_amount": 0,
        "post_payment_credit_notes_amount": 0,
    }


def moments(period: Doc) -> Doc:
    never = ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
    return {
        "automatically_finalizes_at": None,
        "due_date": None,
        "effective_at": None,
        "next_payment_attempt": None,
        "period_start": period["start"],
        "period_end": period["end"],
        "status_transitions": dict.fromkeys(never),
        "webhooks_delivered_at": None,
    }


def parent(subscription: Doc) -> Doc:
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": details,
    }


def listed(lines: list[Doc], invoice: str) -> Doc:
    url = f"/v1/invoices/{invoice}/lines"
    return {"object": "list", "data": lines, "has_more": False, "url": url}


def finalize(sim: Simulation, invoice: Doc) -> None:
    """From now on it does not change, has a number, and uses up the customer's balance."""
    customer = sim.get("customer", invoice["customer"])
    invoice |= amounts(invoice["total"], customer["balance"])
    invoice["ending_balance"] = min(0, invoice["total"] + customer["balance"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}"
    url = f"{sim.settings.url}/invoice/{invoice['id']}"
    invoice |= {"number": number, "hosted_invoice_url": url, "invoice_pdf": f"{url}/pdf"}
    invoice |= {"status": "open", "effective_at": sim.now(), "automatically_finalizes_at": None}
    invoice["next_payment_attempt"] = None
    invoice["status_transitions"]["finalized_at"] = sim.now()
    customer["next_invoice_sequence"] += 1
    customer["currency"] = invoice["currency"]
    if from_balance(invoice):
        use_balance(sim, customer, invoice, from_balance(invoice), "applied_to_invoice")
    sim.save(customer, "customer.updated")
    if invoice["amount_due"]:
        promise(sim, invoice)
    sim.save(invoice, "invoice.finalized")


def from_balance(invoice: Doc) -> int:
    """What credit has paid of it; negative where it left some over, or had a debt to add."""
    if invoice["ending_balance"] is None:
        return 0
    return int(invoice["ending_balance"] - invoice["starting_balance"])


def use_balance(sim: Simulation, customer: Doc, invoice: Doc, amount: int, kind: str) -> None:
    balances.post(sim, customer, amount, invoice["currency"], kind, invoice=invoice["id"])


def promise(sim: Simulation, invoice: Doc) -> None:
    """The payment that it waits for."""
    amount, currency = invoice["amount_due"], invoice["currency"]
    intent = payments.intend(sim, invoice["customer"], amount, currency)
    payment = sim.new(
        "invoice_payment",
        amount_paid=None,
        amount_requested=amount,
        currency=currency,
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
        livemode=False,
    )
    invoice["_payment"] = sim.save(payment)["id"]


def intent_of(sim: Simulation, invoice: Doc) -> Doc:
    payment = sim.get("invoice_payment", invoice["_payment"])
    return sim.get("payment_intent", payment["payment"]["payment_intent"])


def subscription_of(sim: Simulation, invoice: Doc) -> Doc:
    details = invoice["parent"]["subscription_details"]
    return sim.get("subscription", details["subscription"])


def retrieve(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("invoice", key)


def list_(sim: Simulation, given: Doc) -> list[Doc]:
    same: Doc = {name: given[name] for name in ("customer", "status") if name in given}
    if "subscription" in given:
        same["parent.subscription_details.subscription"] = given["subscription"]
    return sim.store.all("invoice", **same)


def list_lines(sim: Simulation, given: Doc, key: str) -> list[Doc]:
    lines: list[Doc] = sim.get("invoice", key)["lines"]["data"]
    return lines


def list_payments(sim: Simulation, given: Doc) -> list[Doc]:
    same = {name: given[name] for name in ("invoice", "status") if name in given}
    return sim.store.all("invoice_payment", **same)


def void(sim: Simulation, given: Doc, key: str) -> Doc:
    return give_up(sim, sim.get("invoice", key), "void")


def mark_uncollectible(sim: Simulation, given: Doc, key: str) -> Doc:
    return give_up(sim, sim.get("invoice", key), "uncollectible")


def give_up(sim: Simulation, invoice: Doc, status: str) -> Doc:
    """Nobody is asked to pay it any more. Raises InvalidRequest unless it is open.

    Of one that is void the customer gets the credit back.
    """
    if invoice["status"] not in ("open", "uncollectible"):
        raise InvalidRequest(f"An invoice that is {invoice['status']} cannot become {status}.")
    transition = "voided" if status == "void" else "marked_uncollectible"
    invoice |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
    invoice["status_transitions"][f"{transition}_at"] = sim.now()
    if status == "void" and invoice.get("_payment"):
        payments.cancel(sim, intent_of(sim, invoice))
    if status == "void" and from_balance(invoice):
        customer = sim.get("customer", invoice["customer"])
        use_balance(sim, customer, invoice, -from_balance(invoice), "unapplied_from_invoice")
    return sim.save(invoice, f"invoice.{transition}")
