"""A site for the whole run, and a way to look at what it recorded."""

import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from django.conf import settings

from dashboard.instance import ROOT
from gateway import catalog_file
from gateway.limits import Limiter
from gateway.models import CatalogVersion
from gateway.redis_link import RedisLink
from tests.gateway.gate import GatedSite
from tests.gateway.scripted import Scripted, scripted_provider
from tests.gateway.site import Site
from usage.models import RequestLog
from usage.recorder import Recorder

Recorded = Callable[[str], RequestLog]


def load_catalog(name: str = "keyplex") -> None:
    """Plans and models; under a version that no site has seen, for tests begin with no rows."""
    catalog_file.load(catalog_file.read(ROOT / "catalog" / f"{name}.toml"))
    CatalogVersion.objects.update(number=time.time_ns())


@pytest.fixture(scope="session")
def running_site(django_db_setup: None, django_db_blocker: object) -> Iterator[Site]:
    site = Site()
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture
def site(running_site: Site, transactional_db: None) -> Site:
    """The running site with the catalogue loaded; accounts of other tests are gone."""
    load_catalog()
    return running_site


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def proxied_site(
    django_db_setup: None, django_db_blocker: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site that believes its neighbours on this host, and knows a scanner of leaked keys."""
    scanners = tmp_path_factory.mktemp("scanners") / "keys.json"
    trusted = {"KEYPLEX_TRUSTED_PROXIES": "127.0.0.1", "KEYPLEX_LEAK_SCANNERS": str(scanners)}
    site = Site(settings=trusted)
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture
def proxied(proxied_site: Site, transactional_db: None) -> Iterator[httpx.Client]:
    load_catalog()
    with httpx.Client(base_url=proxied_site.url, timeout=30) as client:
        yield client


@pytest.fixture
async def link() -> AsyncIterator[RedisLink]:
    link = RedisLink(settings.REDIS_URL)
    yield link
    await link.close()


@pytest.fixture
def limiter(link: RedisLink) -> Limiter:
    return Limiter(link)


@pytest.fixture
def provider(site: Site) -> Iterator[Scripted]:
    with scripted_provider() as provider:
        yield provider


@pytest.fixture
def recorded() -> Recorded:
    """The log row of a request, once the recorder has shipped the journal."""

    def look(request_id: str) -> RequestLog:
        Recorder(settings.JOURNAL_DIR).run_once()
        return RequestLog.objects.get(request_id=request_id)

    return look


@pytest.fixture(scope="module")
def four_running(django_db_setup: None, django_db_blocker: object) -> Iterator[Site]:
    site = Site(workers=4)
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture
def four_workers(four_running: Site, transactional_db: None) -> Site:
    load_catalog()
    return four_running


@pytest.fixture
def four_gated(transactional_db: None) -> Iterator[GatedSite]:
    yield from gated_site(workers=4)


@pytest.fixture
def gated(transactional_db: None) -> Iterator[GatedSite]:
    yield from gated_site(workers=1)


def gated_site(workers: int) -> Iterator[GatedSite]:
    load_catalog()
    site = GatedSite(workers=workers)
    site.start()
    yield site
    site.open()
    assert site.stop() == 0
    site.close()
