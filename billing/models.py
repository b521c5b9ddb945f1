"""What an account may do: the plans on offer, the one it has, and how it is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from accounts.audit import Actor
from billing import limits
from billing.checkouts import Checkout
from billing.credits import Credit
from billing.customers import Customer
from billing.drifts import Drift
from billing.invoices import Invoice
from billing.overrides import Override
from billing.plans import Plan, validate_limits
from billing.prices import Price
from billing.stripe_events import StripeEvent
from billing.subscriptions import Subscription
from billing.trials import Trial

if TYPE_CHECKING:
    from accounts.models import APIKey

__all__ = [
    "Checkout",
    "Credit",
    "Customer",
    "Drift",
    "Invoice",
    "Override",
    "Plan",
    "Price",
    "StripeEvent",
    "Subscription",
    "Trial",
    "limit_key",
    "validate_limits",
]


def limit_key(api_key: APIKey, amounts: dict[str, int], *, by: Actor) -> None:
    """Give one key limits of its own beside those of the plan. Raises ValidationError."""
    try:
        limits.parse(amounts, limits.OF_KEYS)
    except ValueError as error:
        raise ValidationError(str(error)) from error
    api_key.limit(amounts, by=by)
