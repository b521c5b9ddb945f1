"""Models of the seeds, served by a provider of the test's own; the site is the gateway tests'."""

from collections.abc import Iterator

import pytest
from django.db.models import F

from gateway.models import CatalogVersion, LanguageModel, ModelRoute
from gateway.models import Provider as ProviderRow
from tests.gateway.conftest import recorded, running_site, site
from tests.gateway.site import Site
from tests.provider import Provider

__all__ = ["recorded", "running_site", "site"]


def route_to(provider: Provider, *model_ids: str) -> None:
    """Serve these models through ``provider``, before any other."""
    row, _ = ProviderRow.objects.update_or_create(
        slug="test", defaults={"name": "Test", "base_url": provider.base_url}
    )
    for model in LanguageModel.objects.filter(model_id__in=model_ids):
        ModelRoute.objects.filter(model=model).update(priority=9)
        ModelRoute.objects.create(model=model, provider=row, upstream_model="m")
    CatalogVersion.objects.update(number=F("number") + 1)


@pytest.fixture
def seeds(site: Site) -> Iterator[Site]:
    """The site, with the models that the seeds' snippets name within reach."""
    with Provider(tokens=5, pace=0.001) as provider:
        route_to(provider, "openai/gpt-4o-mini", "deepseek/deepseek-chat")
        site.see_catalog()
        yield site
