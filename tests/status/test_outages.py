"""The status page while PostgreSQL or Redis is away: that is when it is wanted."""

import httpx
import pytest

from dashboard.status import snapshot
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
def test_without_postgresql_the_last_copy_is_shown(gated: GatedSite) -> None:
    gated.database.shut()
    answer = httpx.get(f"{gated.url}/status", timeout=20)
    gated.database.open()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "This is a copy, made at" in answer.text


def test_without_redis_the_page_is_made_and_says_so(gated: GatedSite) -> None:
    gated.redis.shut()
    answer = httpx.get(f"{gated.url}/status", timeout=20)

    assert answer.status_code == 200
    assert "There is trouble with: API." in answer.text
    assert "The server that counts limits does not answer." in answer.text
