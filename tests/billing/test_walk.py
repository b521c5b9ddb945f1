"""A person in a browser subscribes, changes the plan and cancels; axe objects to nothing."""

import pytest
from playwright.sync_api import Browser, Page

from dashboard.instance import ROOT
from tests.billing.shop import PRO, Shop, portal
from tests.browser.conftest import browser

__all__ = ["browser"]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.browser


def objections(page: Page) -> list[str]:
    """Those of axe; evaluated beside the page, whose policy allows no script."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_person_finds_their_way(shop: Shop, browser: Browser, scheme: str) -> None:
    customer = shop.customer().id
    back = shop.server.url + "/nothing"
    session = shop.offer(customer, success_url=back, cancel_url=back)
    with browser.new_context(color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(session.url)
        found = objections(page)
        page.get_by_label("Card number").fill("4000 0000 0000 0002")
        page.get_by_role("button", name="Subscribe").click()
        assert page.get_by_role("alert").is_visible()
        page.get_by_label("Card number").fill("4242 4242 4242 4242")
        page.get_by_role("button", name="Subscribe").click()
        page.wait_for_url(back)
        page.goto(portal(shop, customer))
        found += objections(page)
        page.get_by_role("button", name="Change to Pro, 50.00 USD").click()
        found += objections(page)
        page.get_by_role("button", name="Change", exact=True).click()
        page.get_by_role("button", name="Cancel at period end").click()
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("link", name="30.00 USD").click()
        found += objections(page)

    [subscription] = shop.client.v1.subscriptions.list({"customer": customer}).data
    assert found == []
    assert subscription["items"].data[0].price.id == shop.prices[PRO].id
    assert subscription.cancel_at_period_end is False
