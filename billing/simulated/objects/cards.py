"""The test cards that a person may type, and what becomes of a charge to each of them."""

import hashlib
import re
from dataclasses import dataclass

from billing.simulated.errors import CardError
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

ACCEPTED, ASKS = "accepted", "authentication_required"
OUTCOMES = {ACCEPTED, ASKS, "card_declined", "insufficient_funds", "expired_card"}


@dataclass(frozen=True)
class Card:
    """``outcome`` of every charge. A card that is refused cannot even be kept."""

    outcome: str = ACCEPTED
    brand: str = "visa"
    refused: bool = False


CARDS = {
    "4242424242424242": Card(),
    "5555555555554444": Card(brand="mastercard"),
    "4000000000000002": Card("card_declined", refused=True),
    "4000000000009995": Card("insufficient_funds", refused=True),
    "4000000000000069": Card("expired_card", refused=True),
    "4000000000000341": Card("card_declined"),
    "4000002760003184": Card(ASKS),
}


def declined(outcome: str, error: type[CardError] = CardError) -> CardError:
    """The error of a charge that did not go through."""
    if outcome in ("card_declined", "insufficient_funds"):
        decline = "generic_decline" if outcome == "card_declined" else outcome
        return error("The card was declined.", code="card_declined", decline_code=decline)
    said = "The bank asks its customer first." if outcome == ASKS else "The card has expired."
    return error(said, code=outcome)


def attach(sim: Simulation, customer: Doc, typed: str) -> Doc:
    """Keep the card with this number for ``customer``. Raises CardError."""
    number = re.sub(r"\D", "", typed)
    card = CARDS.get(number)
    if card is None:
        raise CardError("This is not one of the test cards.", code="incorrect_number")
    if card.refused:
        raise declined(card.outcome)
    method = sim.new(
        "payment_method",
        type="card",
        customer=customer["id"],
        card=describe(number, card),
        billing_details={"email": customer["email"], "name": customer["name"]},
        livemode=False,
        metadata={},
        _outcome=card.outcome,
    )
    return sim.save(method, "payment_method.attached")


def describe(number: str, card: Card) -> Doc:
    return {
        "brand": card.brand,
        "last4": number[-4:],
        "exp_month": 12,
        "exp_year": 2050,
        "country": "US",
        "funding": "credit",
        "fingerprint": hashlib.sha256(number.encode()).hexdigest()[:16],
        "checks": {"cvc_check": "pass"},
    }
