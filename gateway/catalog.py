"""Which models there are and how to reach them, in memory; reloaded when its version rises."""

import asyncio
import logging
import os
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.conf import settings

from gateway import database
from gateway.errors import InvalidRequest, Unavailable, UnknownModel
from gateway.models import CatalogVersion, LanguageModel, ModelRoute, Provider

log = logging.getLogger(__name__)
REFRESH_EVERY = 0.5  # seconds between looks at the version
LOOK_AGAIN_EVERY = 0.2  # seconds; callers of unknown models cannot make us ask more often


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a model. ``credential`` is None where the provider has none configured."""

    provider: str
    base_url: str
    credential: str | None
    upstream_model: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that callers can name."""

    model_id: str
    kind: str
    owned_by: str
    created: int
    context_window: int | None
    max_output_tokens: int
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
        """The entry of ``GET /v1/models`` under one of its names."""
        return {
            "id": name,
            "object": "model",
            "created": self.created,
            "owned_by": self.owned_by,
            "context_window": self.context_window,
        }


@dataclass
class Catalog:
    """The offers by name. ``listing`` is the ready body of ``GET /v1/models``."""

    version: int = -1
    offers: dict[str, Offer] = field(default_factory=dict)
    listing: bytes = b""
    _looking: asyncio.Task[None] | None = None
    _looked_at: float = 0.0

    async def find(self, name: str) -> Offer:
        """The model of this id or alias. Raises UnknownModel, Unavailable."""
        offer = self.offers.get(name)
        if offer is None:
            await self._look_again()
            offer = self.offers.get(name)
        if offer is None:
            raise UnknownModel(f"The model '{name[:100]}' does not exist.", param="model")
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
            version, offers = await database.query(load)
            self.listing = msgspec.json.encode(
                {
                    "object": "list",
                    "data": [offer.as_listed(offer.model_id) for offer in offers],
                }
            )
            self.offers = {name: offer for offer, names in offers.items() for name in names}
            self.version = version

    async def keep_fresh(self) -> None:
        """Look at the version again and again, for ever."""
        while True:
            try:
                await self.refresh()
            except Unavailable:
                log.warning("the catalogue could not be refreshed")
            await asyncio.sleep(REFRESH_EVERY)


def current_version() -> int:
    row = CatalogVersion.objects.first()
    return row.number if row else 0


def load() -> tuple[int, dict[Offer, list[str]]]:
    """A version, and its every model that is not disabled with its names, in its order."""
    while True:
        version = current_version()
        offers = offers_now()
        if current_version() == version:  # nobody changed it between two of our queries
            return version, offers


def offers_now() -> dict[Offer, list[str]]:
    models = LanguageModel.objects.filter(disabled_at=None).prefetch_related("routes__provider")
    return {
        Offer(
            model_id=model.model_id,
            kind=model.kind,
            owned_by=model.owned_by,
            created=int(model.created_at.timestamp()),
            context_window=model.context_window,
            max_output_tokens=model.max_output_tokens,
            routes=tuple(route_of(row) for row in model.routes.all() if not row.disabled_at),
        ): [model.model_id, *model.aliases]
        for model in models
    }


def route_of(row: ModelRoute) -> Route:
    provider = row.provider
    here = provider.base_url.startswith("/")
    return Route(
        provider=provider.slug,
        base_url=settings.SELF_URL + provider.base_url if here else provider.base_url,
        credential=settings.SANDBOX_TOKEN if here else credential_of(provider),
        upstream_model=row.upstream_model,
    )


def credential_of(provider: Provider) -> str | None:
    """The provider's key from our environment; a provider that names no variable needs none."""
    if not provider.credential_env:
        return ""
    return os.environ.get(provider.credential_env) or None
