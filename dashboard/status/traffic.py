"""Which models were called within the last quarter of an hour, by whomever."""

from collections.abc import Iterable

from gateway.catalog import Offer
from gateway.route_health import RouteHealth


def called_lately(offers: Iterable[Offer]) -> set[str]:
    """Their names. Raises RedisError where that is not known."""
    health = RouteHealth.now()
    return {
        offer.model_id
        for offer in offers
        if health.of([route.pk for route in offer.routes]).lately.calls
    }
