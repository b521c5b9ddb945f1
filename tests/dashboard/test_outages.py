"""Pages do what they can while a server is away, and say so where they can do nothing."""

from collections.abc import Iterator

import httpx
import pytest
from django.test import Client

from tests.gateway.conftest import gated
from tests.gateway.gate import GatedSite
from tests.people import make_account, make_user

__all__ = ["gated"]


@pytest.fixture
def browser(gated: GatedSite) -> Iterator[httpx.Client]:
    """Somebody who is signed in."""
    owner = make_user()
    make_account(owner)
    client = Client()
    client.force_login(owner)
    cookies = {"sessionid": client.cookies["sessionid"].value}
    with httpx.Client(base_url=gated.url, cookies=cookies, timeout=20) as browser:
        yield browser


def test_without_redis_pages_stand_and_the_headroom_is_unknown(
    gated: GatedSite, browser: httpx.Client
) -> None:
    gated.redis.shut()

    pages = {path: browser.get(path) for path in ("/overview", "/usage", "/logs", "/keys")}

    assert {page.status_code for page in pages.values()} == {200}
    assert "What is left cannot be read at the moment" in pages["/usage"].text


def test_without_postgresql_a_page_says_when_to_come_back(
    gated: GatedSite, browser: httpx.Client
) -> None:
    assert browser.get("/keys").status_code == 200

    gated.database.shut()
    answer = browser.get("/keys")
    gated.database.open()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "Back in a moment" in answer.text
    assert browser.get("/keys").status_code == 200
