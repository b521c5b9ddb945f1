"""A person buys a plan, changes it, cancels it and takes that back; axe objects to nothing."""

from copy import deepcopy
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.billing.conftest import paying, stripe_process, stripe_server
from tests.billing.paying import Paying
from tests.billing.stripe_server import GOOD
from tests.browser.conftest import browser
from tests.browser.test_accessibility import AXE, LOOKS
from tests.dashboard.contracts import fail, owner_of

__all__ = ["browser", "paying", "stripe_process", "stripe_server"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"


@pytest.fixture
def at_home(live_server: LiveServer, settings: Settings) -> str:
    """The site in this process, whose forms may lead to the Stripe of this test."""
    cache.clear()
    policy = deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["form-action"] = ["'self'", "http://127.0.0.1:*"]
    settings.CONTENT_SECURITY_POLICY = policy
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": PLAIN}}
    settings.PUBLIC_URL = live_server.url
    return live_server.url


def enter(browser: Browser, url: str, paying: Paying, **look: Any) -> Page:
    client = Client()
    client.force_login(owner_of(paying.account))
    context = browser.new_context(base_url=url, **look)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    return context.new_page()


def objections(page: Page) -> list[str]:
    """Those of axe, and what sticks out."""
    page.wait_for_load_state("networkidle")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then(result => result.violations)")
    said = [f"{page.url} {one['id']}: {node['html']}" for one in found for node in one["nodes"]]
    root = "document.documentElement"
    over = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
    return said + ([f"{page.url}: {over} pixels stick out"] if over else [])


@pytest.mark.parametrize(
    "look", ["light", *(pytest.param(look, marks=pytest.mark.t2) for look in ("dark", "narrow"))]
)
def test_a_person_buys_changes_and_cancels_a_plan(
    at_home: str, paying: Paying, browser: Browser, look: str
) -> None:
    page = enter(browser, at_home, paying, **LOOKS[look])
    page.goto("/pricing")
    found = objections(page)
    page.get_by_role("link", name="Choose Monthly").click()
    found += objections(page)

    page.get_by_role("button", name="Choose Monthly").click()
    page.get_by_label("Card number").fill(GOOD)
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("Monthly is paid.")).to_be_visible()
    found += objections(page)
    page.get_by_role("link", name="Upgrade… to 12-Months").click()
    found += objections(page)
    page.get_by_role("button", name="Pay $261.00 and change now").click()
    expect(page.get_by_text("12-Months holds from now on.")).to_be_visible()
    page.get_by_role("link", name="Change at the end of the period… to Monthly").click()
    found += objections(page)
    page.get_by_role("button", name="Change on 1 January 2029").click()
    expect(page.get_by_role("button", name="Keep 12-Months")).to_be_visible()
    found += objections(page)
    page.get_by_role("link", name="Cancel the plan…").click()
    found += objections(page)
    page.get_by_role("button", name="Cancel the plan").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("as if it had never been cancelled")).to_be_visible()
    page.context.close()

    assert found == []
    assert paying.state == ("12-months", "active")
    assert not paying.theirs.cancel_at_period_end


def test_the_page_thanks_by_itself_once_the_payment_has_arrived(
    at_home: str, paying: Paying, browser: Browser
) -> None:
    page = enter(browser, at_home, paying)
    url = paying.begin()
    token = paying.customer.checkouts.get().token
    page.goto(f"/billing?paid={token}")
    expect(page.get_by_text("Stripe has not confirmed the payment yet.")).to_be_visible()
    found = objections(page)

    paying.pay(url)
    paying.hear()

    expect(page.get_by_text("Monthly is paid.")).to_be_visible()
    page.context.close()
    assert found == []


@pytest.mark.parametrize("look", LOOKS)
def test_who_has_not_paid_is_led_to_the_invoice_from_every_page(
    at_home: str, paying: Paying, browser: Browser, look: str
) -> None:
    fail(paying)
    page = enter(browser, at_home, paying, **LOOKS[look])
    page.goto("/keys")
    found = objections(page)
    page.get_by_role("link", name="Pay").click()
    found += objections(page)

    page.get_by_role("link", name="Pay $29.00").click()

    assert page.url == paying.invoices()[0].hosted_url
    page.context.close()
    assert found == []
