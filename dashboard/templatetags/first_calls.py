"""The first call that a new key can make, to paste."""

import json
import shlex

from django import template
from django.conf import settings

from accounts.models import APIKey
from dashboard.hygiene import NEEDS
from dashboard.models_page import AVAILABLE, FIRST_CALLS, Listed
from gateway.catalog import Offer, offers_now
from usage.model_hours import Lately

register = template.Library()


@register.simple_tag
def first_call(api_key: APIKey, plaintext: str) -> str:
    """For curl, with the key in it; empty where this key can call no model."""
    offers = [offer for offer in offers_now() if may_call(api_key, offer)]
    if not offers:
        return ""
    usual = settings.PRODUCT.first_model
    offer = next((offer for offer in offers if usual in offer.names), offers[0])
    endpoint, body = FIRST_CALLS[offer.kind]
    asked = json.dumps({"model": offer.model_id, **body}, ensure_ascii=False)
    lines = [
        f"curl {settings.PUBLIC_URL}{settings.PRODUCT.base_path}/{endpoint}",
        '-H "Content-Type: application/json"',
        f'-H "Authorization: Bearer {plaintext}"',
        f"-d {shlex.quote(asked)}",
    ]
    return " \\\n  ".join(lines)


def may_call(api_key: APIKey, offer: Offer) -> bool:
    endpoint, _ = FIRST_CALLS[offer.kind]
    return (
        not api_key.honey
        and NEEDS[endpoint] in api_key.scopes
        and (not api_key.allowed_endpoints or endpoint in api_key.allowed_endpoints)
        and (not api_key.allowed_models or not set(offer.names).isdisjoint(api_key.allowed_models))
        and Listed(offer, Lately()).state == AVAILABLE
    )
