"""The models of the catalogue by who makes them, for people who look at it for the first time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dashboard.docs.tables import practised
from dashboard.status.facts import is_public
from gateway.catalog import Offer

SHOWN = 4
MAKERS = {  # as they write themselves; others are called what the catalogue calls them
    "alibaba-cloud": "Alibaba Cloud",
    "anthropic": "Anthropic",
    "bytedance": "ByteDance",
    "deepseek": "DeepSeek",
    "google": "Google",
    "meta": "Meta",
    "mistralai": "Mistral AI",
    "openai": "OpenAI",
    "voyageai": "Voyage AI",
    "xai": "xAI",
}


@dataclass(frozen=True, slots=True)
class Family:
    """The models of one maker. ``is_served`` if a provider is asked for one of them here."""

    maker: str
    models: tuple[str, ...]
    is_served: bool

    @property
    def shown(self) -> tuple[str, ...]:
        return self.models[:SHOWN]

    @property
    def more(self) -> int:
        return len(self.models) - len(self.shown)


def families(offers: Iterable[Offer]) -> list[Family]:
    """In the order of the catalogue, without models that are only there to practise with."""
    by_owner: dict[str, list[Offer]] = {}
    for offer in offers:
        if not practised(offer):
            by_owner.setdefault(offer.owned_by, []).append(offer)
    return [
        Family(
            MAKERS.get(owner, owner),
            tuple(offer.model_id for offer in several),
            any(is_public(offer) for offer in several),
        )
        for owner, several in by_owner.items()
    ]
