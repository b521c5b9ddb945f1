"""Payment intents and the charges that come of them; refunds and disputes, which undo them."""

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects.cards import ACCEPTED, ASKS, declined
from billing.simulated.objects.catalog import change_metadata
from billing.simulated.parameters import DATED, EXPAND, METADATA
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

REASONS = {"duplicate", "fraudulent", "requested_by_customer"}
CREATE_REFUND = {
    "amount": int,
    "charge": str,
    "metadata": METADATA,
    "payment_intent": str,
    "reason": REASONS,
    **EXPAND,
}
LIST_OF_PAYMENT = {"charge": str, "payment_intent": str, **DATED}
LIST_OF_CUSTOMER = {"customer": str, **DATED}


def intend(sim: Simulation, customer: str, amount: int, currency: str) -> Doc:
    intent = sim.new(
        "payment_intent",
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        capture_method="automatic",
        client_secret=None,
        confirmation_method="automatic",
        currency=currency,
        customer=customer,
        description="Subscription",
        last_payment_error=None,
        latest_charge=None,
        next_action=None,
        payment_method=None,
        payment_method_types=["card"],
        status="requires_payment_method",
        livemode=False,
        metadata={},
    )
    return sim.save(intent, "payment_intent.created")


def attempt(sim: Simulation, intent: Doc, method: Doc, *, approved: bool = False) -> bool:
    """Charge a card. ``approved``: its owner has just been asked, and agreed."""
    outcome = ACCEPTED if approved and method["_outcome"] == ASKS else method["_outcome"]
    intent["payment_method"] = method["id"]
    if outcome == ACCEPTED:
        return succeed(sim, intent, method)
    error = declined(outcome).document
    failed = charge(sim, intent, method, error)
    asked = outcome == ASKS
    intent["latest_charge"] = failed["id"]
    intent["last_payment_error"] = {**error, "charge": failed["id"]}
    intent["status"] = "requires_action" if asked else "requires_payment_method"
    intent["next_action"] = {"type": "use_stripe_sdk"} if asked else None
    sim.save(intent, "payment_intent.requires_action" if asked else "payment_intent.payment_failed")
    return False


def succeed(sim: Simulation, intent: Doc, method: Doc) -> bool:
    intent["latest_charge"] = charge(sim, intent, method, {})["id"]
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    intent |= {"last_payment_error": None, "next_action": None}
    sim.save(intent, "payment_intent.succeeded")
    return True


def charge(sim: Simulation, intent: Doc, method: Doc, error: Doc) -> Doc:
    paid = not error
    made = sim.new(
        "charge",
        amount=intent["amount"],
        amount_captured=intent["amount"] if paid else 0,
        amount_refunded=0,
        billing_details=method["billing_details"],
        captured=paid,
        currency=intent["currency"],
        customer=intent["customer"],
        disputed=False,
        failure_code=error.get("code"),
        failure_message=error.get("message"),
        paid=paid,
        payment_intent=intent["id"],
        payment_method=method["id"],
        refunded=False,
        status="succeeded" if paid else "failed",
        livemode=False,
        metadata={},
    )
    return sim.save(made, "charge.succeeded" if paid else "charge.failed")


def cancel(sim: Simulation, intent: Doc) -> None:
    intent |= {"status": "canceled", "canceled_at": sim.now(), "next_action": None}
    sim.save(intent, "payment_intent.canceled")


def retrieve_intent(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("payment_intent", key)


def list_intents(sim: Simulation, given: Doc) -> list[Doc]:
    return sim.store.all("payment_intent", **same(given))


def retrieve_charge(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("charge", key)


def list_charges(sim: Simulation, given: Doc) -> list[Doc]:
    return sim.store.all("charge", **same(given))


def same(given: Doc) -> Doc:
    return {name: given[name] for name in ("customer", "charge", "payment_intent") if name in given}


def charge_of(sim: Simulation, given: Doc) -> Doc:
    """That of a charge's id or of a payment intent's. Raises InvalidRequest, NoSuchObject."""
    if "charge" in given:
        return sim.get("charge", given["charge"], "charge")
    if "payment_intent" not in given:
        raise InvalidRequest("A charge or a payment_intent is needed.", code="parameter_missing")
    intent = sim.get("payment_intent", given["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise InvalidRequest("Nothing was paid.", code="payment_intent_unexpected_state")
    return sim.get("charge", intent["latest_charge"])


def create_refund(sim: Simulation, given: Doc) -> Doc:
    """All that is left of a charge, or a part. Raises InvalidRequest for more than that."""
    refunded = charge_of(sim, given)
    left = refunded["amount_captured"] - refunded["amount_refunded"]
    amount = given.get("amount", left)
    if left == 0:
        code = "charge_already_refunded" if refunded["paid"] else ""
        raise InvalidRequest("Nothing is left to refund.", code=code)
    if not 0 < amount <= left:
        raise InvalidRequest(f"Between 1 and {left} can be refunded.", param="amount")
    refund = sim.new(
        "refund",
        amount=amount,
        balance_transaction=None,
        charge=refunded["id"],
        currency=refunded["currency"],
        metadata={},
        payment_intent=refunded["payment_intent"],
        reason=given.get("reason"),
        receipt_number=None,
        status="succeeded",
    )
    change_metadata(refund, given)
    sim.save(refund, "refund.created")
    refunded["amount_refunded"] += amount
    refunded["refunded"] = refunded["amount_refunded"] == refunded["amount"]
    sim.save(refunded, "charge.refunded")
    return refund


def retrieve_refund(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("refund", key)


def list_refunds(sim: Simulation, given: Doc) -> list[Doc]:
    return sim.store.all("refund", **same(given))


def open_dispute(sim: Simulation, disputed: Doc, reason: str) -> Doc:
    """A bank takes the money back, until it is told better."""
    disputed["disputed"] = True
    sim.save(disputed, "charge.updated")
    dispute = sim.new(
        "dispute",
        amount=disputed["amount"],
        balance_transactions=[],
        charge=disputed["id"],
        currency=disputed["currency"],
        is_charge_refundable=False,
        payment_intent=disputed["payment_intent"],
        reason=reason,
        status="needs_response",
        livemode=False,
        metadata={},
    )
    return sim.save(dispute, "charge.dispute.created", "charge.dispute.funds_withdrawn")


def close_dispute(sim: Simulation, dispute: Doc, *, won: bool) -> Doc:
    dispute["status"] = "won" if won else "lost"
    reinstated = ("charge.dispute.funds_reinstated",) if won else ()
    return sim.save(dispute, "charge.dispute.closed", *reinstated)


def retrieve_dispute(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("dispute", key)


def list_disputes(sim: Simulation, given: Doc) -> list[Doc]:
    return sim.store.all("dispute", **same(given))
