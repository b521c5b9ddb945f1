"""The official client, made for the Stripe that the settings name."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache

import stripe
from django.conf import settings

from billing.stripe_access import StripeAccess

PATIENCE = 20.0  # seconds
RETRIES = 2


class StripeAway(Exception):
    """Stripe cannot be asked just now, or nobody has set it up. Nothing has been done."""


def client(*, retries: int = RETRIES) -> stripe.StripeClient:
    """Raises StripeAway where there is no Stripe to ask."""
    if settings.STRIPE.mode == "none":
        raise StripeAway("Nobody can pay here: no Stripe is set up.")
    return _client(settings.STRIPE, retries)


@lru_cache(maxsize=4)
def _client(access: StripeAccess, retries: int) -> stripe.StripeClient:
    return stripe.StripeClient(
        access.secret_key,
        base_addresses={"api": access.api_base} if access.api_base else None,
        http_client=access.transport or stripe.RequestsClient(timeout=PATIENCE),
        max_network_retries=retries,
    )


@contextmanager
def asking() -> Iterator[stripe.StripeClient]:
    """The client; what is wrong with Stripe rather than with the question is a StripeAway."""
    try:
        yield client()
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.AuthenticationError) as error:
        raise StripeAway(str(error)) from error
    except stripe.APIError as error:
        if error.http_status and error.http_status < 500:
            raise
        raise StripeAway(str(error)) from error


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
