"""The status page while PostgreSQL or Redis is away: that is when it is wanted."""

import httpx
import pytest
from pytest_django import Settings

from dashboard.status import site_probes, snapshot
from dashboard.status.parts import State
from dashboard.status.picture import take
from tests.gateway.conftest import gated
from tests.gateway.gate import GatedSite

__all__ = ["gated"]


@pytest.fixture
def copy(gated: GatedSite, settings: object) -> None:
    """That of the running site, which knows nothing of the folder of this test."""
    settings.STATUS_COPY = settings.STATIC_ROOT / "status"  # type: ignore[attr-defined]
    snapshot.write(take())


@pytest.mark.usefixtures("copy")
def test_without_postgresql_the_last_copy_is_shown_and_a_probe_sees_it(
    gated: GatedSite, settings: Settings
) -> None:
    settings.SELF_URL = gated.url
    assert states() == (State.WORKS, State.WORKS)

    gated.database.shut()
    answer = httpx.get(f"{gated.url}/status", timeout=20)
    assert states() == (State.DEGRADED, State.DOWN)
    gated.database.open()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "This is a copy, made at" in answer.text


def test_without_redis_the_page_is_made_and_says_so(gated: GatedSite, settings: Settings) -> None:
    settings.SELF_URL = gated.url
    gated.redis.shut()
    answer = httpx.get(f"{gated.url}/status", timeout=20)

    assert answer.status_code == 200
    assert "There is trouble with: API." in answer.text
    assert "The server that counts limits does not answer." in answer.text
    assert states() == (State.DEGRADED, State.WORKS)


def states() -> tuple[State, State]:
    """Of the API and of the dashboard, as probes find them."""
    return site_probes.api().state, site_probes.dashboard().state
