"""Is there something to call, and can it be paid for?"""

from collections.abc import Iterator

from django.conf import settings

from billing import price_sync
from billing.stripe_api import StripeAway
from dashboard.doctor.finding import Finding, broken, fine, look
from gateway.catalog import Offer, credential_of, offers_now
from gateway.models import Provider

LOAD = "manage.py load_catalog {}"


def catalogue() -> Iterator[Finding]:
    offers = offers_now()
    if not offers:
        yield broken("The catalogue is empty.", LOAD.format(settings.CATALOG))
        return
    yield fine(f"The catalogue has {len(offers)} models.")
    yield first_model(offers)
    without = [offer.model_id for offer in offers if not can_be_called(offer)]
    if without:
        yield look(
            f"{len(without)} models cannot be called: {shown(without)}.",
            "Set the credentials of their providers, or switch their routes on.",
        )


def first_model(offers: list[Offer]) -> Finding:
    """Every page shows newcomers how to call this one."""
    name = settings.PRODUCT.first_model
    offer = next((offer for offer in offers if name in offer.names), None)
    if offer is None:
        return broken(f"The first model {name} is missing.", LOAD.format(settings.CATALOG))
    if not can_be_called(offer):
        return broken(f"The first model {name} has no route.", "Switch one on in /ops/.")
    return fine(f"The first model {name} has a route.")


def can_be_called(offer: Offer) -> bool:
    return any(not way.switched_off and way.credential is not None for way in offer.routes)


def credentials() -> Iterator[Finding]:
    """A provider without one is skipped, which may be meant so."""
    shut = [
        row.slug for row in Provider.objects.exclude(sealed_credential="") if not row.credential
    ]
    if shut:
        yield broken(
            f"Credentials that were sealed under another key: {shown(shut)}.",
            "Set them again, or restore KEYPLEX_PROVIDER_KEY.",
        )
    missing = [
        f"{provider.slug} ({provider.credential_env})"
        for provider in Provider.objects.filter(routes__disabled_at=None).distinct()
        if provider.slug not in shut and credential_of(provider) is None
    ]
    if missing:
        yield look(f"Without credentials: {shown(missing)}.", "Set the variables, if you use them.")


def stripe() -> Iterator[Finding]:
    mode = settings.STRIPE.mode
    if mode == "none":
        yield look("Nobody can pay here: plans are given by hand.", "Set STRIPE_SECRET_KEY.")
        return
    if mode == "test" and not settings.ONLY_HERE:
        yield look("Stripe is in test mode: nobody pays money.", "Set the key of the live mode.")
    else:
        yield fine(f"Stripe is in the mode {mode}.")
    try:
        undone = price_sync.sync(dry=True)
    except StripeAway as error:
        yield broken(f"Stripe cannot be asked: {error}", "Check STRIPE_SECRET_KEY and the network.")
        return
    if undone:
        yield broken(f"Stripe does not know: {shown(undone)}.", "manage.py sync_stripe")
    else:
        yield fine("Stripe knows every plan that is for sale, and its price.")


def shown(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
