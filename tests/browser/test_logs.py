"""Somebody looks for a request: watches the tail, finds the one that failed, takes it home."""

import json
import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from accounts.models import APIKey
from tests.gateway.site import Site
from tests.people import make_account, make_key, make_user
from tests.usage.calls import make_final
from usage.posting import post

pytestmark = pytest.mark.browser
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"  # as often as anybody likes


@pytest.fixture
def key(context: BrowserContext, site: Site) -> APIKey:
    """A key of the account whose owner looks at the pages of ``context``."""
    owner = make_user()
    key = make_key(make_account(owner)).api_key
    client = Client()
    client.force_login(owner)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    return key


def call(key: APIKey, **fields: object) -> str:
    final = make_final(account_id=key.account_id, api_key_id=key.pk, **fields)
    post([final])
    return final.request_id


def test_the_tail_shows_what_comes_until_it_is_paused(page: Page, site: Site, key: APIKey) -> None:
    call(key, model="first")
    page.goto(f"{site.url}/logs")

    second = call(key, model="second")
    expect(page.locator(f"#row-{second}")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    third = call(key, model="third")
    page.evaluate(LOOK)
    assert asked == []
    expect(page.get_by_text("Paused")).to_be_visible()

    page.get_by_role("button", name="Resume").click()
    expect(page.locator(f"#row-{third}")).to_be_visible()


def test_a_click_counts_while_the_page_is_still_asking_for_news(
    page: Page, site: Site, key: APIKey
) -> None:
    request_id = call(key)
    page.route(re.compile("seen="), lambda route: None)  # no answer, for as long as it takes
    with page.expect_request(re.compile("seen=")):
        page.goto(f"{site.url}/logs")

    page.locator(f"#row-{request_id}").click()

    expect(page.get_by_label("The open request")).to_be_visible()


def test_a_failed_request_is_found_kept_as_a_filter_and_exported(
    page: Page, site: Site, key: APIKey, tmp_path: Path
) -> None:
    post([make_final(account_id=key.account_id, api_key_id=key.pk) for _ in range(60)])
    failed = call(key, outcome="upstream_error", status_code=502, error_message="The needle broke.")
    post([make_final(account_id=key.account_id, api_key_id=key.pk) for _ in range(60)])

    page.goto(f"{site.url}/logs")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Error text").fill("needle")
    page.get_by_label("Error text").press("Enter")
    expect(page).to_have_url(f"{site.url}/logs?error=needle")
    page.locator(f"#row-{failed}").click()
    expect(page.get_by_text("The needle broke.").first).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_label("The open request")).to_have_count(0)

    page.get_by_text("Saved filters").click()
    page.get_by_label("Save what is shown now as").fill("Needles")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{site.url}/logs")
    page.get_by_text("Saved filters").click()
    page.get_by_role("link", name="Needles", exact=True).click()
    page.get_by_role("link", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSONL").click()
    download.value.save_as(tmp_path / "found.jsonl")

    [line] = (tmp_path / "found.jsonl").read_text().splitlines()
    assert json.loads(line)["request_id"] == failed
    expect(page.get_by_text("complete: 1 request")).to_be_visible()


def test_on_a_phone_a_request_opens_as_a_page_and_leads_back_to_the_list(
    browser: Browser, context: BrowserContext, site: Site, key: APIKey
) -> None:
    request_id = call(key, error_message="The needle broke.", model="wanted")
    with browser.new_context(viewport=PHONE, storage_state=context.storage_state()) as phone:
        page = phone.new_page()
        page.goto(f"{site.url}/logs?model=wanted")
        page.locator(f"#{request_id}").click()
        expect(page).to_have_url(f"{site.url}/logs/{request_id}?model=wanted")
        expect(page.get_by_text("The needle broke.")).to_be_visible()

        page.get_by_role("link", name="Back to the list").click()
        expect(page).to_have_url(f"{site.url}/logs?model=wanted#{request_id}")
        expect(page.locator(f"#{request_id}")).to_be_visible()


def test_escape_closes_first_the_menu_and_then_the_preview(
    page: Page, site: Site, key: APIKey
) -> None:
    page.goto(f"{site.url}/logs?open={call(key)}")
    page.get_by_text("Columns", exact=True).click()
    preview = page.get_by_label("The open request")

    page.keyboard.press("Escape")
    expect(page.get_by_text("Beside the time, show")).to_be_hidden()
    expect(preview).to_be_visible()
    page.keyboard.press("Escape")
    expect(preview).to_have_count(0)


def test_one_search_is_one_request(page: Page, site: Site, key: APIKey) -> None:
    call(key, end_user="u_77")
    page.goto(f"{site.url}/logs")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))  # and an icon, if it likes

    page.get_by_role("searchbox").fill("u_77")
    page.get_by_role("searchbox").press("Enter")

    expect(page).to_have_url(f"{site.url}/logs?q=u_77")
    page.wait_for_load_state("networkidle")
    assert len([url for url in asked if "/logs?" in url]) == 1
