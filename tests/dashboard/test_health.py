"""A process that lives says so whatever is away; one that cannot serve says what it misses."""

import time
from pathlib import Path

import httpx
import pytest

from tests.gateway.conftest import gated
from tests.gateway.gate import Gate, GatedSite, postgresql, redis_server
from tests.gateway.site import Site

__all__ = ["gated"]


def ready(site: Site) -> tuple[int, list[str]]:
    """The status, and what is missing."""
    answer = httpx.get(f"{site.url}/readyz", timeout=20)
    said = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert said["status"] == ("ok" if answer.status_code == 200 else "unavailable")
    assert list(said.get("reasons", {})) == said.get("missing", [])
    return answer.status_code, said.get("missing", [])


def wait_until_alive(site: Site) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{site.url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the site did not come up")


def test_what_is_away_is_named_and_the_process_lives(gated: GatedSite) -> None:
    assert ready(gated) == (200, [])

    gated.redis.shut()
    without_redis = ready(gated)
    gated.database.shut()
    without_both = ready(gated)
    alive = httpx.get(f"{gated.url}/healthz")
    gated.open()

    assert without_redis == (503, ["redis"])
    assert without_both == (503, ["postgresql", "redis"])
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert ready(gated) == (200, [])


def test_a_process_without_a_catalogue_is_not_ready_yet(transactional_db: None) -> None:
    site = GatedSite(workers=1)
    site.database, site.redis = Gate(postgresql()), Gate(redis_server())
    site.database.shut()
    site.spawn()
    wait_until_alive(site)
    early = ready(site)
    site.database.open()
    site.wait()

    assert early == (503, ["postgresql", "catalogue"])
    assert site.stop() == 0
    site.close()


def test_a_host_that_cannot_record_is_not_ready_until_it_can(
    transactional_db: None, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "journal"
    in_the_way.touch()
    site = Site(workers=1, settings={"KEYPLEX_DATA": str(tmp_path)})
    site.spawn()
    wait_until_alive(site)
    for _ in range(100):
        if ready(site)[1] == ["journal"]:  # the catalogue was still being read
            break
        time.sleep(0.1)
    before = ready(site)
    in_the_way.unlink()
    after = ready(site)

    assert before == (503, ["journal"])
    assert after == (200, [])
    assert site.stop() == 0
