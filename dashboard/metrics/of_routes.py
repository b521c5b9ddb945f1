"""How the ways to each provider stand, by the catalogue that this process has in memory."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import Metric

from dashboard.metrics.families import gauge, table
from dashboard.metrics.of_stores import link
from gateway import breakers
from gateway.catalog import Catalog, Route

STATES = ("closed", "open", "trial", "off", "unconfigured")
CALLABLE = {"closed", "trial"}


def routes(catalog: Catalog) -> Iterator[Metric]:
    with link() as client:
        until = {int(pk): float(moment) for pk, moment in client.hgetall(breakers.KEY).items()}
    models = {offer.model_id: offer.routes for offer in catalog.offers.values()}
    found = [
        [(route.provider, state_of(route, until)) for route in routes] for routes in models.values()
    ]
    amounts = Counter(way for ways in found for way in ways)
    providers = sorted({provider for provider, _ in amounts})
    yield table(
        "provider_routes",
        "Routes of a provider: whoever failed is open, then on trial; closed is as it should be.",
        ("provider", "state"),
        {(name, state): amounts[name, state] for name in providers for state in STATES},
    )
    yield gauge("models", "Models that can be named.", len(models))
    yield gauge(
        "models_unreachable",
        "Models that nobody can call now, for none of their routes is closed or on trial.",
        sum(not any(state in CALLABLE for _, state in ways) for ways in found),
    )


def state_of(route: Route, open_until: Mapping[int, float]) -> str:
    if route.switched_off:
        return "off"
    if route.credential is None:
        return "unconfigured"
    if route.pk not in open_until:
        return "closed"
    return "open" if open_until[route.pk] > time.time() else "trial"
