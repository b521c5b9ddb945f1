"""The customer portal at Stripe, and what may be done there. Plans are changed on our pages."""

from typing import Any

import stripe
from django.conf import settings

MARK = {"made_for": "keyplex"}
FEATURES: dict[str, Any] = {
    "customer_update": {"enabled": True, "allowed_updates": ["email", "name", "tax_id"]},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
    "subscription_update": {"enabled": False},
}


def configuration_of(client: stripe.StripeClient) -> str:
    """The id of our configuration at Stripe, made if there is none."""
    found = client.v1.billing_portal.configurations.list({"active": True, "limit": 100})
    for one in found.auto_paging_iter():
        if one.metadata and one.metadata.to_dict() == MARK:
            return str(one.id)
    asked: Any = {
        "features": FEATURES,
        "metadata": MARK,
        "business_profile": {"headline": settings.PRODUCT.name},
    }
    return str(client.v1.billing_portal.configurations.create(asked).id)
