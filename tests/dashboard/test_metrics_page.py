"""Metrics are for whom the settings let in, and are there also while a server is not."""

from collections.abc import Iterator

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured

from dashboard.settings import long_enough
from tests.dashboard.scraping import failed, values_of
from tests.gateway.conftest import running_site
from tests.gateway.gate import GatedSite
from tests.gateway.site import Site

__all__ = ["running_site"]
TOKEN = "a-token-that-is-long-enough"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def metered(django_db_setup: None, django_db_blocker: object) -> Iterator[Site]:
    site = Site(settings={"KEYPLEX_METRICS_TOKEN": TOKEN})
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        site.start()
    yield site
    assert site.stop() == 0


@pytest.fixture
def gated(transactional_db: None) -> Iterator[GatedSite]:
    site = GatedSite(workers=1, settings={"KEYPLEX_METRICS_TOKEN": TOKEN})
    site.start()
    yield site
    site.open()
    assert site.stop() == 0
    site.close()


def scrape(site: Site, **headers: str) -> httpx.Response:
    return httpx.get(f"{site.url}/metrics", headers=headers, timeout=20)


def test_nobody_sees_metrics_unless_somebody_may(running_site: Site) -> None:
    assert scrape(running_site, **BEARER).status_code == 404


def test_who_knows_the_token_sees_them_and_nobody_else(metered: Site) -> None:
    wrong = [{}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}]

    answers = [scrape(metered, **headers) for headers in wrong]
    answer = scrape(metered, **BEARER)

    assert [refused.status_code for refused in answers] == [401, 401, 401]
    assert {refused.headers["www-authenticate"] for refused in answers} == {"Bearer"}
    assert not any("keyplex_" in refused.text for refused in answers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    assert ("keyplex_scrape_errors", "calls") in values_of(answer.text)


def test_networks_are_let_in_and_a_proxy_does_not_open_them_to_the_world(
    django_db_setup: None, transactional_db: None
) -> None:
    hidden = {"X-Forwarded-For": "198.51.100.7"}
    site = Site(workers=1, settings={"KEYPLEX_METRICS_NETWORKS": "127.0.0.1"})
    site.start()
    here, through_a_proxy = scrape(site), scrape(site, **hidden)
    assert site.stop() == 0
    trusting = {
        "KEYPLEX_METRICS_NETWORKS": "10.0.0.0/8",
        "KEYPLEX_TRUSTED_PROXIES": "127.0.0.1",
        "KEYPLEX_METRICS_TOKEN": TOKEN,
    }
    site = Site(workers=1, settings=trusting)
    site.start()
    inside = {"X-Forwarded-For": "10.1.2.3"}
    answers = [scrape(site, **headers) for headers in (hidden | BEARER, inside, inside | BEARER)]
    assert site.stop() == 0

    assert (here.status_code, through_a_proxy.status_code) == (200, 404)
    assert [answer.status_code for answer in answers] == [404, 401, 200]


def test_a_token_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYPLEX_METRICS_TOKEN", "secret")

    with pytest.raises(ImproperlyConfigured, match="at least 20 characters"):
        long_enough("KEYPLEX_METRICS_TOKEN")


def test_every_worker_tells_the_same_of_everybody_and_its_own_of_itself(metered: Site) -> None:
    pages, pids = [], set[str]()
    while len(pids) < 2:
        with httpx.Client() as fresh:
            page = fresh.get(f"{metered.url}/metrics", headers=BEARER, timeout=20).text
        values = values_of(page)
        pids |= {labels[0] for name, *labels in values if name == "keyplex_calls_running"}
        pages.append({k: v for k, v in values.items() if k[0] == "keyplex_hour_requests"})

    assert pids == {str(pid) for pid in metered.worker_pids()}
    assert all(page == pages[0] for page in pages)


def test_without_postgresql_the_rest_is_told(gated: GatedSite) -> None:
    gated.database.shut()
    values = values_of(scrape(gated, **BEARER).text)
    gated.database.open()

    assert {"calls", "accounts", "stripe", "webhooks"} <= failed(values)
    assert not {"redis", "queues", "routes", "journal", "disk", "process"} & failed(values)
    assert ("keyplex_queue_tasks", "celery") in values


def test_a_silent_postgresql_keeps_nobody_waiting_for_ever(gated: GatedSite) -> None:
    gated.database.silence()
    values = values_of(scrape(gated, **BEARER).text)
    gated.database.open()

    assert {"calls", "accounts"} <= failed(values)
    assert ("keyplex_journal_bytes",) in values


def test_without_redis_the_rest_is_told(gated: GatedSite) -> None:
    gated.redis.shut()
    values = values_of(scrape(gated, **BEARER).text)
    gated.redis.open()

    assert failed(values) == {"redis", "queues", "routes"}
    assert ("keyplex_hour_requests", "this", "ok") in values
