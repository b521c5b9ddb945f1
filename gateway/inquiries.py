"""What can be asked without a model to answer: the models themselves, the key, its limits."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from accounts.models import APIKey
from accounts.scopes import Scope
from gateway import database
from gateway.call import Call
from gateway.decisions import Use

if TYPE_CHECKING:
    from gateway.asgi import Gateway

MODELS = "/v1/models/"
_encode = msgspec.json.Encoder().encode


async def models(gateway: Gateway, call: Call) -> None:
    """``GET models``: every model that the key may use."""
    meter = await gateway.authenticate(call, "models")
    meter.require(Scope.MODELS_READ)
    await gateway.catalog.ready()
    await gateway.show_limits(meter)
    await call.answer(200, gateway.catalog.listing_for(meter.caller.models))


async def model(gateway: Gateway, call: Call) -> None:
    """``GET models/{id}``: one of them, by its id or any other of its names, slashes and all."""
    meter = await gateway.authenticate(call, "models")
    meter.require(Scope.MODELS_READ)
    name = call.path.removeprefix(MODELS).rstrip("/")
    offer = await gateway.catalog.find(name)
    meter.caller.require_model(offer.names)
    await gateway.show_limits(meter)
    await call.answer(200, _encode(offer.as_listed(name)))


async def key(gateway: Gateway, call: Call) -> None:
    """``GET key``: what the key that asks may do, for whom, and on which plan."""
    meter = await gateway.authenticate(call, "key")
    facts = await database.query(facts_of, meter.caller.api_key_id)
    await gateway.show_limits(meter)
    assert meter.decision is not None
    await call.answer(200, _encode(facts | {"limits": listed(meter.decision.uses)}))


async def limits(gateway: Gateway, call: Call) -> None:
    """``GET limits``: every limit with what is used and left of it; asking uses nothing."""
    meter = await gateway.authenticate(call, "limits")
    await gateway.show_limits(meter)
    assert meter.decision is not None
    await call.answer(200, _encode({"object": "list", "data": listed(meter.decision.uses)}))


def facts_of(api_key_id: int) -> dict[str, Any]:
    """Times are in Unix seconds; None means never, and of lists that everything is allowed."""
    api_key = APIKey.objects.select_related("account__subscription__plan").get(pk=api_key_id)
    subscription = api_key.account.subscription
    return {
        "object": "key",
        "id": api_key.pk,
        "name": api_key.name,
        "hint": api_key.hint,
        "environment": api_key.environment,
        "scopes": api_key.scopes,
        "models": api_key.allowed_models or None,
        "endpoints": api_key.allowed_endpoints or None,
        "networks": api_key.allowed_networks or None,
        "created": seconds(api_key.created_at),
        "expires": seconds(api_key.expires_at),
        "rotated": seconds(api_key.rotated_at),
        "last_used": seconds(api_key.last_used_at),
        "account": {"id": api_key.account_id, "name": api_key.account.name},
        "plan": {
            "id": subscription.plan.slug,
            "name": subscription.plan.name,
            "status": subscription.status,
            "period_start": seconds(subscription.current_period_start),
            "period_end": seconds(subscription.current_period_end),
        },
    }


def seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None


def listed(uses: list[Use]) -> list[dict[str, Any]]:
    """``reset`` is when the window will be empty if no other request comes, in Unix seconds."""
    return [
        {
            "object": "limit",
            "scope": use.scope,
            "unit": use.unit,
            "window": use.window,
            "soft": use.soft,
            "limit": use.limit,
            "used": use.used,
            "remaining": use.remaining,
            "reset": use.reset,
        }
        for use in uses
    ]
