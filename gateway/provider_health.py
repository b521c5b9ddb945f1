"""Each provider at a glance: whether calls begin with it, and how they have ended lately."""

from __future__ import annotations

from dataclasses import dataclass

from redis import RedisError

from gateway.catalog import credential_of
from gateway.models import ModelRoute, Provider
from gateway.route_health import Health, RouteHealth, Signs

ALARMING = 0.05  # share of calls that may fail
ORDER = ["bad", "warn", "accent", "ok", ""]  # tones, the worst first
ENOUGH = 10  # calls, for their share to say something


@dataclass(frozen=True, slots=True)
class Glance:
    """A provider, or one route; ``signs`` is None while nobody knows."""

    row: Provider | ModelRoute
    routes: int
    signs: Signs | None
    closed: str  # why no call begins; empty where calls do
    word: str
    tone: str


def health_now() -> RouteHealth | None:
    """None while Redis is away: what can be done is offered all the same."""
    try:
        return RouteHealth.now()
    except RedisError:
        return None


def providers(health: RouteHealth | None) -> list[Glance]:
    """All of them, those in trouble first and those that nobody can call last; two queries."""
    routes: dict[int, list[int]] = {}
    for provider, route in ModelRoute.objects.values_list("provider", "pk"):
        routes.setdefault(provider, []).append(route)
    glances = [of_provider(row, routes.get(row.pk, []), health) for row in Provider.objects.all()]
    return sorted(glances, key=lambda glance: ORDER.index(glance.tone))


def of_provider(row: Provider, routes: list[int], health: RouteHealth | None) -> Glance:
    return seen(row, routes, health, closed_provider(row))


def of_routes(rows: list[ModelRoute], health: RouteHealth | None) -> list[Glance]:
    return [
        seen(row, [row.pk], health, row.why_closed or closed_provider(row.provider)) for row in rows
    ]


def seen(
    row: Provider | ModelRoute, routes: list[int], health: RouteHealth | None, closed: str
) -> Glance:
    signs = health.of(routes) if health else None
    return Glance(row, len(routes), signs, closed, *verdict(signs, closed))


def closed_provider(row: Provider) -> str:
    if row.switched_off_at:
        return "switched off"
    if row.drained_at:
        return "drained"
    return "no credential" if credential_of(row) is None else ""


def verdict(signs: Signs | None, closed: str) -> tuple[str, str]:
    """The state in a word, and its tone."""
    if closed:
        return closed, "" if closed == "no credential" else "accent"
    if signs is None:
        return "unknown", ""
    if signs.open_routes:
        return "fails", "bad"
    if fails(signs.lately):
        return "has trouble", "warn"
    return ("works", "ok") if signs.day.calls else ("not called lately", "")


def fails(lately: Health) -> bool:
    return lately.calls >= ENOUGH and (lately.error_share or 0) > ALARMING
