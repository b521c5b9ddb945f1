"""Which Stripe we speak with, if any: the real one, its test mode, or a simulation of our own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import stripe

Mode = Literal["none", "simulated", "test", "live"]
SHORTEST_SECRET = 20  # characters of a webhook secret; Stripe's have 38
CHECKOUT, PORTAL = "https://checkout.stripe.com", "https://billing.stripe.com"


@dataclass(frozen=True)
class StripeAccess:
    """How to ask Stripe, and how to know that it is Stripe who tells us something.

    Without a mode nobody can pay here, and operators give out plans by hand.
    """

    mode: Mode = "none"
    secret_key: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    api_base: str = ""  # empty for the official client's own
    transport: stripe.HTTPClient | None = field(default=None, repr=False)  # a simulation in-process

    @classmethod
    def real(cls, environ: Mapping[str, str]) -> "StripeAccess":
        """As the environment says; of mode ``none`` where it names no key. Raises ValueError."""
        key = environ.get("STRIPE_SECRET_KEY", "")
        if not key:
            return cls()
        kind = key.partition("_")[2].partition("_")[0]
        if not key.startswith(("sk_", "rk_")) or kind not in ("test", "live"):
            raise ValueError("STRIPE_SECRET_KEY begins with sk_ or rk_, then test_ or live_")
        secret = environ.get("STRIPE_WEBHOOK_SECRET", "")
        mode: Mode = "live" if kind == "live" else "test"
        return cls(mode, key, secret, environ.get("STRIPE_API_BASE", ""))

    @classmethod
    def simulated(cls, secret: str, port: int) -> "StripeAccess":
        """The simulation on this host, with credentials made of one ``secret`` of the instance."""
        base = f"http://127.0.0.1:{port}"
        return cls("simulated", f"sk_test_{secret}", f"whsec_{secret}", base)

    @property
    def hears(self) -> bool:
        """Whether an event can be told from a forgery. An empty secret signs for everybody."""
        return len(self.webhook_secret) >= SHORTEST_SECRET

    @property
    def origins(self) -> list[str]:
        """Where our forms may lead."""
        if self.mode == "simulated":
            return [self.api_base]
        return [CHECKOUT, PORTAL] if self.mode != "none" else []
