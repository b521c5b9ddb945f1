"""The documentation as a visitor of either product reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker, Settings

from dashboard.docs.contents import ORDER
from dashboard.docs.filling import fill
from dashboard.instance import ROOT
from gateway import product
from tests.gateway.conftest import load_catalog, running_site, site
from tests.gateway.site import Site

__all__ = ["running_site", "site"]
PRODUCTS = ["keyplex", "keymeai"]
Pages = dict[str, str]


@pytest.fixture(scope="session")
def second_site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    site = Site(workers=1, catalog="catalog/keymeai.toml")
    with django_db_blocker.unblock():
        site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture(params=PRODUCTS)
def brand(request: pytest.FixtureRequest, db: None, settings: Settings) -> str:
    """This process serves that product, with its catalogue loaded."""
    name: str = request.param
    settings.PRODUCT = product.read(Path(ROOT) / "catalog" / f"{name}.toml")
    load_catalog(name)
    return name


@pytest.fixture
def pages(brand: str) -> Pages:
    """The Markdown of every page, as it is filled for ``brand``."""
    return {page.slug: fill(page) for page in ORDER}
