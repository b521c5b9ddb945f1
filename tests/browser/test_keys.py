"""A key's whole life, as its keeper walks it; and its pages as everybody can use them."""

from datetime import timedelta

import httpx
import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.audit import SYSTEM
from accounts.models import Account, APIKey
from billing.models import limit_key
from tests.browser.test_accessibility import AXE, LOOKS
from tests.gateway.site import Site
from tests.people import Issued, make_account, make_key, make_user

pytestmark = pytest.mark.browser
HELLO = {"model": "keyplex/echo", "messages": [{"role": "user", "content": "hello"}]}


def sign_in(context: BrowserContext, site: Site, account: Account) -> None:
    client = Client()
    client.force_login(account.members.get())
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])


def call(site: Site, plaintext: str) -> int:
    headers = {"Authorization": f"Bearer {plaintext}"}
    return httpx.post(f"{site.url}/v1/chat/completions", headers=headers, json=HELLO).status_code


def test_a_key_is_made_bound_rotated_and_revoked(
    page: Page, context: BrowserContext, recording_site: Site
) -> None:
    site, account = recording_site, make_account(make_user())
    sign_in(context, site, account)
    page.goto(f"{site.url}/keys/new")
    page.get_by_label("Name").fill("Web site")
    page.get_by_label("Environment").fill("production")
    page.get_by_text("Expiry, models, endpoints, addresses").click()
    page.get_by_label("Models", exact=True).fill("keyplex/echo")
    page.get_by_role("button", name="Create key").click()
    old = page.locator("#new-key").inner_text()
    assert call(site, old) == 200

    page.get_by_role("link", name="Its page").click()
    page.get_by_label("Requests in its lifetime").fill("1000")
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_text("hold from now on")).to_be_visible()
    page.get_by_role("link", name="Rotate").click()
    page.get_by_role("button", name="Rotate").click()
    new = page.locator("#new-key").inner_text()
    assert {call(site, key) for key in (old, new, old)} == {200}

    page.get_by_role("link", name="Its page").click()
    expect(page.get_by_text("It works until")).to_be_visible()
    page.get_by_role("link", name="its successor").click()
    page.get_by_role("link", name="Revoke").click()
    page.get_by_label("It may be in wrong hands").check()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("is revoked")).to_be_visible()
    assert (call(site, new), call(site, old)) == (401, 200)

    page.get_by_role("link", name="Freeze all").click()
    page.get_by_role("button", name="Freeze all keys").click()
    expect(page.get_by_text("All keys are frozen")).to_be_visible()
    assert call(site, old) == 403
    page.get_by_role("button", name="Thaw").click()
    expect(page.get_by_text("All keys are frozen")).not_to_be_visible()


def keys_of_every_kind(account: Account) -> dict[str, APIKey]:
    now = timezone.now()
    keys = {
        name: Issued(*APIKey.objects.issue(account, name=name, scopes=["chat:write"], by=SYSTEM))
        for name in ("Web site", "Nightly batch", "Old laptop", "Demo", "Forgotten")
    }
    rows = {name: key.api_key for name, key in keys.items()}
    rows["Web site"].change(
        by=SYSTEM,
        environment="production",
        allowed_models=["keyplex/echo", "openai/gpt-4o-mini"],
        allowed_networks=["203.0.113.0/24", "2001:db8::/32"],
        expires_at=now + timedelta(days=5),
    )
    limit_key(rows["Web site"], {"tokens_per_lifetime": 5_000_000}, by=SYSTEM)
    rows["Nightly batch"].rotate(by=SYSTEM, until=now + timedelta(days=1))
    rows["Old laptop"].deactivate(by=SYSTEM)
    rows["Demo"].report_leaked("https://example.com/paste/17", by=SYSTEM, only_tell=True)
    rows["Forgotten"].revoke(by=SYSTEM)
    bait = {"name": "Bait", "scopes": ["chat:write"], "environment": "production"}
    honey, _ = APIKey.objects.issue(account, by=SYSTEM, honey=True, **bait)  # type: ignore[arg-type]
    honey.alarm("198.51.100.7")
    return rows


@pytest.mark.t2
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_the_pages_of_a_key(browser: Browser, site: Site, look: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm install)")
    account = make_account(make_user())
    make_key(account)
    keys = keys_of_every_kind(account)
    web, batch = keys["Web site"].pk, keys["Nightly batch"].pk
    paths = ["/keys", "/keys/new", "/keys/freeze", f"/keys/{web}", f"/keys/{batch}"]
    paths += [f"/keys/{web}/rotate", f"/keys/{web}/revoke", f"/keys/{keys['Forgotten'].pk}"]
    problems = []
    with browser.new_context(**LOOKS[look], base_url=site.url) as context:
        sign_in(context, site, account)
        page = context.new_page()
        for path in paths:
            page.goto(path)
            for details in page.locator("main details").all():
                details.evaluate("element => { element.open = true }")
            page.evaluate(AXE.read_text())
            found = page.evaluate("axe.run().then(result => result.violations)")
            problems += [f"{path}: {v['id']}: {n['html']}" for v in found for n in v["nodes"]]
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            problems += [f"{path}: {wide} pixels stick out"] if wide else []
    assert not problems, "\n".join(problems)
