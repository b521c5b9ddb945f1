"""Which models there are and how to reach them, in memory; reloaded when its version rises."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from operator import attrgetter
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Prefetch

from accounts import keys
from gateway import database
from gateway.dialects import Deadlines, Rule
from gateway.errors import InvalidRequest, Unavailable, UnknownModel
from gateway.models import CatalogVersion, LanguageModel, ModelRoute, Provider

log = logging.getLogger(__name__)
REFRESH_EVERY = 0.5  # seconds between looks at the version
LOOK_AGAIN_EVERY = 0.2  # seconds; callers of unknown models cannot make us ask more often
MOST_KEPT = 200  # characters of a name that is not ours
MOST_CLEANED = 4096  # so many that no key which is cut off here is among those that are kept


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a model. ``credential`` is None where the provider has none configured."""

    pk: int
    provider: str
    base_url: str
    credential: str | None = field(repr=False)
    upstream_model: str
    priority: int
    weight: int
    closed: str  # why no call begins this way; empty where calls do
    deadlines: Deadlines
    rules: tuple[Rule, ...]  # those that hold for this model

    @property
    def switched_off(self) -> bool:
        return bool(self.closed)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that callers can name. ``parameters`` are sent where a caller sets none."""

    model_id: str
    names: tuple[str, ...]
    kind: str
    owned_by: str
    created: int
    context_window: int | None
    max_output_tokens: int
    dimensions: int | None
    best_for: str
    parameters: dict[str, Any]
    routes: tuple[Route, ...]

    def require(self, kind: str) -> None:
        """Raise InvalidRequest where the model is of another kind than the endpoint."""
        if self.kind != kind:
            raise InvalidRequest(
                f"The model '{self.model_id}' is for {self.kind}, not for {kind}.",
                code="wrong_kind_of_model",
                param="model",
            )

    def as_listed(self, name: str) -> dict[str, Any]:
        """The entry of ``GET /v1/models`` under one of its names.

        ``max_output_tokens`` is missing on purpose: it is what we reserve, not what there is.
        """
        return {
            "id": name,
            "object": "model",
            "created": self.created,
            "owned_by": self.owned_by,
            "context_window": self.context_window,
            **({"dimensions": self.dimensions} if self.dimensions else {}),
            "kind": self.kind,
            "best_for": self.best_for,
            "aliases": [other for other in self.names if other != name],
        }


@dataclass
class Catalog:
    """The offers by name. ``listing`` is the ready body of ``GET /v1/models``.

    ``shut`` is told which providers are switched off, whenever there is a new version.
    """

    version: int = -1
    offers: dict[str, Offer] = field(default_factory=dict)
    listing: bytes = b""
    shut: Callable[[frozenset[str]], None] | None = None
    _looking: asyncio.Task[None] | None = None
    _looked_at: float = 0.0

    async def find(self, name: str) -> Offer:
        """The model of this id or alias. Raises UnknownModel, Unavailable."""
        offer = self.offers.get(name)
        if offer is None:
            await self._look_again()
            offer = self.offers.get(name)
        if offer is None:
            raise UnknownModel(fit_to_keep(name))
        return offer

    async def _look_again(self) -> None:
        """Refresh for whoever misses a name: once for all who ask within ``LOOK_AGAIN_EVERY``."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._refresh_in_turn())
        await asyncio.shield(self._looking)

    async def _refresh_in_turn(self) -> None:
        await asyncio.sleep(max(0.0, self._looked_at + LOOK_AGAIN_EVERY - time.monotonic()))
        self._looked_at = time.monotonic()
        await self.refresh()

    async def ready(self) -> None:
        """Load the catalogue if it never was. Raises Unavailable."""
        if self.version < 0:
            await self.refresh()

    async def refresh(self) -> None:
        """Take over the newest version. Raises Unavailable; the last good one then stays."""
        if await database.query(current_version) != self.version:
            version, offers, switched_off = await database.query(load)
            self.listing = listing(offers)
            self.offers = {name: offer for offer in offers for name in offer.names}
            self.version = version
            if self.shut:
                self.shut(switched_off)

    def listing_for(self, names: frozenset[str]) -> bytes:
        """The same for a key that may use these models only; for others the ready one."""
        if not names:
            return self.listing
        allowed = {offer.model_id: offer for name, offer in self.offers.items() if name in names}
        return listing(allowed.values())

    async def keep_fresh(self) -> None:
        """Look at the version again and again, for ever."""
        while True:
            try:
                await self.refresh()
            except Unavailable:
                log.warning("the catalogue could not be refreshed")
            except Exception:  # whatever stands in a row: the next one is looked at all the same
                log.exception("the catalogue could not be understood")
            await asyncio.sleep(REFRESH_EVERY)


def fit_to_keep(name: str) -> str:
    """What a client called a model: not too long, and no key that came in the wrong field."""
    return keys.without_keys(name[:MOST_CLEANED])[:MOST_KEPT]


def listing(offers: Iterable[Offer]) -> bytes:
    data = [offer.as_listed(offer.model_id) for offer in offers]
    return msgspec.json.encode({"object": "list", "data": data})


def current_version() -> int:
    row = CatalogVersion.objects.first()
    return row.number if row else 0


def load() -> tuple[int, list[Offer], frozenset[str]]:
    """A version, its every model that is not disabled, in order, and who is switched off."""
    while True:
        version = current_version()
        offers, switched_off = offers_now(), switched_off_now()
        if current_version() == version:  # nobody changed it between two of our queries
            return version, offers, switched_off


def switched_off_now() -> frozenset[str]:
    """The providers that nothing may run with."""
    off = Provider.objects.filter(switched_off_at__isnull=False)
    return frozenset(off.values_list("slug", flat=True))


def offers_now() -> list[Offer]:
    routes = ModelRoute.objects.select_related("provider")  # a route never without its provider
    models = LanguageModel.objects.filter(disabled_at=None).prefetch_related(
        Prefetch("routes", routes)
    )
    opened: dict[int, str | None] = {}
    return [
        Offer(
            model_id=model.model_id,
            names=(model.model_id, *model.aliases),
            kind=model.kind,
            owned_by=model.owned_by,
            created=int(model.created_at.timestamp()),
            context_window=model.context_window,
            max_output_tokens=model.max_output_tokens,
            dimensions=model.dimensions,
            best_for=model.best_for,
            parameters=model.parameters,
            routes=routes_to(model, opened),
        )
        for model in models
    ]


def routes_to(model: LanguageModel, opened: dict[int, str | None]) -> tuple[Route, ...]:
    """In the order in which they are tried. ``opened`` keeps the credential of each provider."""
    rows = sorted(model.routes.all(), key=attrgetter("priority_now"))
    for row in rows:
        if row.provider_id not in opened:
            opened[row.provider_id] = credential_of(row.provider)
    return tuple(route_of(row, opened[row.provider_id]) for row in rows)


def route_of(row: ModelRoute, credential: str | None) -> Route:
    provider, path = row.provider, row.provider.base_url
    return Route(
        pk=row.pk,
        provider=provider.slug,
        base_url=settings.SELF_URL + path if provider.is_here else path,
        credential=credential,
        upstream_model=row.upstream_model,
        priority=row.priority_now,
        weight=row.weight_now,
        closed=row.why_closed,
        deadlines=msgspec.convert(provider.deadlines, Deadlines),
        rules=rules_for(msgspec.convert(provider.rules, list[Rule]), row.upstream_model),
    )


def rules_for(rules: list[Rule], upstream_model: str) -> tuple[Rule, ...]:
    """Those that hold for this model of their provider."""
    return tuple(rule for rule in rules if fnmatch(upstream_model, rule.models))


def credential_of(provider: Provider) -> str | None:
    """What was set by hand, else the variable; a provider that names no variable needs none.

    What cannot be opened counts as none: another credential, perhaps of another account at the
    provider, is not what the operator wanted.
    """
    if provider.is_here:
        return settings.SANDBOX_TOKEN
    if provider.sealed_credential:
        credential = provider.credential
        if credential is None:
            log.warning("the credential of %s was sealed under another key", provider.slug)
        return credential
    if not provider.credential_env:
        return ""
    return os.environ.get(provider.credential_env) or None
