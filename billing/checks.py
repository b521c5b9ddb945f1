"""``manage.py check --deploy``: can money come in, and can we hear of it?"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution

from billing.stripe_access import SHORTEST_SECRET


@register(deploy=True)
def stripe(**_: Any) -> list[CheckMessage]:
    """Without a secret every event of Stripe is answered with 503."""
    access = settings.STRIPE
    if access.mode == "none" or access.hears:
        return _simulated_in_public()
    return [
        Error(
            f"STRIPE_WEBHOOK_SECRET is missing, or shorter than {SHORTEST_SECRET} characters.",
            hint="Copy it from the webhook endpoint at Stripe (whsec_…).",
            id="billing.E001",
        )
    ]


def _simulated_in_public() -> list[CheckMessage]:
    if settings.STRIPE.mode != "simulated" or settings.ONLY_HERE:
        return []
    return [
        Caution(
            "The simulated Stripe gives plans away for money that does not exist.",
            hint="Set STRIPE_SECRET_KEY, or KEYPLEX_SIMULATED_BILLING=0.",
            id="billing.W001",
        )
    ]
