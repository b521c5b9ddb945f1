"""Back from the page to pay on: has Stripe said that the payment was made?"""

import logging
from contextlib import suppress
from uuid import UUID

import stripe
from django.conf import settings
from django.core.cache import cache
from redis import RedisError

from accounts.models import Account
from billing import adoption
from billing.models import Checkout
from billing.stripe_api import StripeAway

log = logging.getLogger(__name__)
ASK_AGAIN_AFTER = 10  # seconds; Stripe tells us by itself, too


def checkout_named(token: str, account: Account) -> Checkout | None:
    """The one of ``account`` with this token, as Stripe has it now; else as we know it."""
    try:
        found = Checkout.objects.select_related("customer", "price__plan").filter(
            token=UUID(token), customer__account=account.pk
        )
    except ValueError:
        return None
    checkout = found.first()
    if checkout and checkout.state == Checkout.State.OPEN and _may_ask(checkout):
        try:
            adoption.adopt(checkout.customer)
        except (StripeAway, stripe.StripeError) as error:
            log.warning("%s could not be read: %s", checkout.customer.stripe_id, error)
        checkout.refresh_from_db()
    return checkout


def _may_ask(checkout: Checkout) -> bool:
    """However often the page is loaded meanwhile, Stripe is asked now and then."""
    if checkout.customer.mode != settings.STRIPE.mode:
        return False
    with suppress(RedisError):
        return cache.add(f"paid:{checkout.token}", True, ASK_AGAIN_AFTER)
    return True
