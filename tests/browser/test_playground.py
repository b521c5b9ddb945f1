"""A conversation as somebody has it: tokens appear one by one, can be stopped, and are counted."""

import re

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from tests.gateway.site import Site
from tests.people import make_account, make_user

pytestmark = pytest.mark.browser
LONG = "one two three four five six seven eight nine ten " * 40
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture
def player(context: BrowserContext, page: Page, recording_site: Site) -> Page:
    """The page of somebody signed in, on the playground."""
    owner = make_user()
    make_account(owner)
    client = Client()
    client.force_login(owner)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": recording_site.url}])
    page.goto(f"{recording_site.url}/playground")
    return page


def say(page: Page, words: str, model: str = "keyplex/echo") -> None:
    page.get_by_label("Model", exact=True).select_option(model)
    page.get_by_role("textbox", name="Message").fill(words)
    page.get_by_role("button", name="Send").click()


def test_an_answer_is_counted_and_leads_to_its_log(player: Page) -> None:
    say(player, "Hello, world!")

    facts = player.locator(".play-facts")
    expect(player.locator(".said-assistant [data-content]")).to_have_text("Hello, world!")
    expect(facts.locator("[data-tokens]")).to_have_text("8 (4 prompt + 4 completion)")
    expect(facts.locator("[data-status]")).to_have_text("200")
    expect(facts.locator("[data-first]")).to_have_text(re.compile(r"\d+ m?s"))
    expect(facts.locator("[data-left]")).to_have_text(re.compile(r"9,999 of 10,000 requests"))
    expect(player.get_by_text("The same as a program")).to_be_visible()
    expect(player.locator("#snippet-curl")).to_contain_text('"content": "Hello, world!"')
    say(player, "And again.")
    expect(player.locator(".said-assistant")).to_have_count(2)
    expect(player.locator("#snippet-curl")).to_contain_text('"role": "assistant"')
    request_id = facts.locator("[data-id]").inner_text()
    for _ in range(20):
        answer = player.request.get(player.url.replace("/playground", f"/logs/{request_id}"))
        if answer.ok:
            break
        player.wait_for_timeout(500)
    assert "Playground" in answer.text()


def test_tokens_appear_one_by_one_until_somebody_stops_it(player: Page) -> None:
    say(player, LONG, "keyplex/slow")

    answer = player.locator(".said-assistant [data-content]")
    expect(answer).to_contain_text("one two three")
    begun = answer.inner_text()
    expect(answer).not_to_have_text(begun)
    player.get_by_role("button", name="Stop").click()

    expect(player.locator("code[data-code]")).to_have_text("stopped")
    assert begun in answer.inner_text()
    assert len(answer.inner_text()) < len(LONG)
    expect(player.get_by_role("button", name="Stop")).to_be_hidden()
    expect(player.get_by_role("button", name="Send")).to_be_enabled()


def test_a_failure_says_why_and_markup_stays_text(player: Page) -> None:
    dialogs: list[str] = []
    player.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    player.get_by_label("Compare with").select_option("keyplex/midstream-error")
    say(player, MARKUP)

    good, bad = player.locator("[data-column]").nth(0), player.locator("[data-column]").nth(1)
    expect(good.locator(".said-assistant [data-content]")).to_have_text(MARKUP)
    expect(bad.locator("[data-error]")).to_be_visible()
    expect(bad.get_by_role("link", name="Why?")).to_have_attribute(
        "href", re.compile(r"^/logs/req_\w{28}$")
    )
    assert not dialogs
    assert player.locator("#columns img, #columns script").count() == 0


def test_what_a_request_would_meet_is_shown_before_it_is_sent(player: Page) -> None:
    player.get_by_role("textbox", name="Message").fill("Hello")
    player.get_by_role("button", name="Preview").click()

    expect(player.get_by_text("If you sent it now")).to_be_visible()
    expect(player.get_by_text("would pass", exact=True)).to_be_visible()
    expect(player.locator(".said")).to_have_count(0)
