"""``X-Keyplex-Dry-Run: true``: everything up to the call to a provider, and nothing is charged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.call import Call
from gateway.catalog import Offer
from gateway.errors import InvalidRequest
from gateway.explanations import as_shown
from gateway.meter import Meter
from gateway.raw_json import encode
from gateway.routing import in_turn, passed_over

if TYPE_CHECKING:
    from gateway.asgi import Gateway

NAME = "X-Keyplex-Dry-Run"
HEADER = NAME.lower().encode()
MEANINGS = {b"true": True, b"1": True, b"false": False, b"0": False}


def is_rehearsal(call: Call) -> bool:
    """Raises InvalidRequest for a word that we do not know, rather than charge for a guess."""
    word = call.headers.get(HEADER)
    if word is None:
        return False
    if word.strip().lower() not in MEANINGS:
        raise InvalidRequest(
            "X-Keyplex-Dry-Run must be true or false.",
            code="invalid_value",
            param="X-Keyplex-Dry-Run",
        )
    return MEANINGS[word.strip().lower()]


async def rehearse(gateway: Gateway, call: Call, meter: Meter, offer: Offer, tokens: int) -> None:
    """Answer with what a real request would meet just now: every limit and every route."""
    await gateway.rehearse(meter, tokens)
    decision = meter.decision
    assert decision is not None
    document: dict[str, Any] = {
        "object": "dry_run",
        "endpoint": meter.endpoint,
        "model": offer.model_id,
        "requested_model": meter.requested_model,
        "passes": decision.admitted,
        "passes_at": decision.passes_at,
        "prompt_tokens": meter.prompt_estimate,
        "reserved_tokens": tokens,
        "limits": [as_shown(use) for use in decision.uses],
        "routes": [
            {
                "provider": route.provider,
                "model": route.upstream_model,
                "outcome": passed_over(gateway, route) or "would be asked",
            }
            for route in in_turn(offer.routes)
        ],
        "error": None,
    }
    if not decision.admitted:
        refusal = decision.refusal()
        document["error"] = {"type": refusal.type, "code": refusal.code, "message": refusal.message}
    await call.answer(200, encode(document))
