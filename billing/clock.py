"""What time it is for contracts: the real time, or that of the simulated Stripe.

A simulated month passes in a second, and what we decide by the clock must agree with what Stripe
decides by its own. Everything but money lives in real time.
"""

import json
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen

from django.conf import settings
from django.utils import timezone

PATIENCE = 2.0  # seconds
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
    question = Request(  # noqa: S310, the simulation is on this host
        f"{settings.STRIPE.api_base}/_control/clock",
        headers={"Authorization": f"Bearer {settings.STRIPE.secret_key}"},
    )
    try:
        with urlopen(question, timeout=PATIENCE) as answer:  # noqa: S310
            return datetime.fromtimestamp(json.load(answer)["now"], UTC)
    except (OSError, ValueError, KeyError):
        return None
