"""The keyboard leads everywhere, and paper shows what a page says."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import AXE
from tests.dashboard.conftest import browser_of
from tests.gateway.site import Site
from tests.people import Issued, make_key
from tests.usage.calls import make_final
from usage.posting import post

pytestmark = pytest.mark.browser
CHOSEN = "#palette [aria-selected=true]"


@pytest.fixture
def key(page: Page, context: BrowserContext, site: Site) -> Issued:
    """Of the account at whose Overview the browser is."""
    key = make_key()
    session = browser_of(key.account.members.get()).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])
    page.goto(f"{site.url}/overview")
    return key


def test_a_page_is_found_chosen_and_opened_without_the_mouse(page: Page, key: Issued) -> None:
    page.keyboard.press("Control+k")
    asked = page.get_by_role("combobox", name="A page, a key")
    expect(asked).to_be_focused()
    expect(page.locator(CHOSEN)).to_have_text("Overview")

    page.keyboard.type("key")
    expect(page.get_by_role("option", name="Create a new key")).to_be_visible()
    first = page.locator(CHOSEN)
    expect(first).to_have_text("API Keys")
    page.keyboard.press("ArrowDown")
    expect(first).to_have_text("Create a new key")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(first).to_contain_text("in the documentation")
    assert asked.get_attribute("aria-activedescendant") == first.get_attribute("id")
    if AXE.exists():
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run('#palette').then(result => result.violations)")
        assert [violation["id"] for violation in found] == []

    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url("**/keys")


def test_its_button_opens_it_escape_closes_it_and_whoever_is_faster_gets_the_page(
    page: Page, key: Issued, site: Site
) -> None:
    palette = page.locator("#palette")
    page.get_by_role("link", name="Go to…").click()
    expect(palette).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).not_to_be_visible()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.locator(CHOSEN)).to_have_text("Overview")
    page.route(
        "**/go?q=*",
        lambda route: (
            route.abort() if route.request.headers.get("hx-request") else route.continue_()
        ),
    )
    page.keyboard.type("webhooks")
    page.keyboard.press("Enter")

    page.wait_for_url("**/go?q=webhooks")
    expect(page.get_by_role("main").get_by_role("link", name="Webhooks").first).to_be_visible()


def test_who_was_signed_out_is_asked_to_sign_in_instead(
    page: Page, context: BrowserContext, key: Issued
) -> None:
    context.clear_cookies()

    page.keyboard.press("Control+k")

    page.wait_for_url("**/login/?next=/overview")


def test_paper_shows_a_request_in_black_and_without_the_navigation(
    page: Page, key: Issued, site: Site
) -> None:
    final = make_final(account_id=key.account.pk, api_key_id=key.api_key.pk)
    post([final])
    page.goto(f"{site.url}/logs/{final.request_id}")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    on_screen = page.evaluate("getComputedStyle(document.querySelector('h1')).color")

    page.emulate_media(media="print")

    on_paper = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert (on_screen, on_paper) == ("rgb(241, 241, 244)", "rgb(24, 24, 27)")
    for gone in (".side", ".page-head .btn", ".entry-tools"):
        expect(page.locator(gone).first).not_to_be_visible()
    expect(page.get_by_text(f"/logs/{final.request_id}")).to_be_visible()
    expect(page.get_by_text("What happened when")).to_be_visible()
