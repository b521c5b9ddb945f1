"""What time it is for contracts: the real time, or that of the simulated Stripe.

A simulated month passes in a second, and what we decide by the clock must agree with what Stripe
decides by its own. Everything but money lives in real time.
"""

import json
from datetime import datetime, timedelta

import stripe
from django.conf import settings
from django.utils import timezone

from billing.stripe_api import StripeAway, client, moment

UNLIKE = timedelta(seconds=2)  # less is but the second that Stripe's time is cut off at


def now() -> datetime:
    """The real time, too, while the simulated Stripe is away or but a moment ahead."""
    real = timezone.now()
    simulated = _simulated_now() if settings.STRIPE.mode == "simulated" else None
    return real if simulated is None or abs(simulated - real) < UNLIKE else simulated


def answers() -> bool:
    """Whether the simulated Stripe can be asked."""
    return _simulated_now() is not None


def _simulated_now() -> datetime | None:
    try:
        answer = client(retries=0).raw_request("get", "/_control/clock")
        return moment(json.loads(answer.body)["now"])
    except (stripe.StripeError, StripeAway, ValueError, KeyError):
        return None
