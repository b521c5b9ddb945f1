"""The simulated Stripe beside an instance that has no real one, and our prices in it."""

import sys
import time

from django.conf import settings

from billing import clock, price_sync
from billing.stripe_api import StripeAway
from dashboard.embedded.children import Trouble
from dashboard.embedded.supervisor import Process, Supervisor

DEADLINE = 20.0  # seconds until it must answer


def simulated_stripe() -> Process:
    """Its credentials are in its environment: a command line can be read by everybody."""
    data, access = settings.INSTANCE.data, settings.STRIPE
    command = [sys.executable, "-m", "billing.simulated"]
    command += ["--port", str(settings.SIMULATED_STRIPE_PORT)]
    command += ["--state", str(data / "stripe.sqlite3")]
    command += ["--webhook", f"{settings.SELF_URL}/stripe/events"]
    secrets = {
        "STRIPE_SECRET_KEY": access.secret_key,
        "STRIPE_WEBHOOK_SECRET": access.webhook_secret,
    }
    return Process("stripe", command, data / "stripe.log", secrets)


def begin(supervisor: Supervisor) -> None:
    """Start it and have it know our prices. Raises Trouble."""
    supervisor.start(simulated_stripe())
    deadline = time.monotonic() + DEADLINE
    while not clock.answers():
        if supervisor.ended() or time.monotonic() > deadline:
            log = settings.INSTANCE.data / "stripe.log"
            raise Trouble(f"The simulated Stripe did not start; see {log}.")
        time.sleep(0.05)
    try:
        price_sync.sync()
    except StripeAway as error:
        raise Trouble(f"The simulated Stripe does not know our prices: {error}") from error
