"""The whole road, as a newcomer walks it."""

import re

import pytest
from openai import OpenAI
from playwright.sync_api import BrowserContext, Page, expect

from tests.gateway.site import Site

pytestmark = pytest.mark.browser
WITHIN = 5_000.0  # milliseconds from a call to where it shows


def sign_up(page: Page, site: Site, email: str) -> None:
    page.goto(site.url)
    page.get_by_role("navigation").get_by_role("link", name="Sign up").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("a good long passphrase")
    page.get_by_role("button", name="Sign Up").click()


def verify(page: Page, context: BrowserContext, email: str) -> None:
    """Read the code where the page says that mail goes."""
    with context.expect_page() as opened:
        page.get_by_role("link", name="development mailbox").click(modifiers=["ControlOrMeta"])
    mailbox = opened.value
    letter = mailbox.get_by_role("article").filter(has_text=email).first
    code = letter.locator(".secret").inner_text()
    mailbox.close()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Confirm").click()


def create_key(page: Page, name: str) -> str:
    page.get_by_role("link", name="API Keys").click()
    page.get_by_role("link", name="Create New Key").first.click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create key").click()
    return page.locator("#new-key").inner_text()


def test_sign_up_verify_key_shown_once_first_call_appears_without_a_reload(
    page: Page, context: BrowserContext, recording_site: Site
) -> None:
    sign_up(page, recording_site, "newcomer@example.com")
    verify(page, context, "newcomer@example.com")
    expect(page).to_have_url(f"{recording_site.url}/overview")
    expect(page.get_by_text("Waiting for your first request")).to_be_visible()

    plaintext = create_key(page, "Laptop")
    assert re.fullmatch(r"kpx_\w{48}", plaintext)
    page.goto(f"{recording_site.url}/keys")
    expect(page.get_by_role("rowheader", name="Laptop")).to_be_visible()
    assert plaintext not in page.content()

    logs = context.new_page()
    for tab, path in ((page, "/overview"), (logs, "/logs")):
        tab.goto(recording_site.url + path)
        tab.evaluate("window.sameDocument = true")
    client = OpenAI(base_url=f"{recording_site.url}/api/v1", api_key=plaintext, max_retries=0)
    answer = client.chat.completions.create(
        model="keyplex/echo", messages=[{"role": "user", "content": "Hello, world!"}]
    )

    assert answer.choices[0].message.content == "Hello, world!"
    for tab in (logs, page):
        expect(tab.get_by_role("row").filter(has_text="keyplex/echo").first).to_be_visible(
            timeout=WITHIN
        )
        assert tab.evaluate("window.sameDocument") is True
    expect(page.get_by_text("Waiting for your first request")).to_be_hidden()
