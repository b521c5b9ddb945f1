"""A passkey, an authenticator app and an invitation, as people go through them."""

import re

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Account, User
from tests.browser.test_first_call import verify
from tests.gateway.site import Site
from tests.one_time_codes import code_of
from tests.people import make_account, make_key, make_user

pytestmark = pytest.mark.browser
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def by_name(site: Site) -> str:
    """The site under a host name: a passkey belongs to a name, not to a number."""
    return site.url.replace("127.0.0.1", "localhost")


def make_member() -> tuple[User, Account]:
    user = make_user()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user, make_account(user)


def sign_in(page: Page, url: str, user: User) -> None:
    page.goto(f"{url}/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign In", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()


def test_a_passkey_is_added_and_signs_in_without_a_password(
    page: Page, context: BrowserContext, site: Site
) -> None:
    user, _ = make_member()
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    sign_in(page, by_name(site), user)

    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Security").click()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name", exact=True).fill("Laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert len(re.findall(r"\b\d{8}\b", page.locator("#recovery-codes").inner_text())) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("rowheader", name="Laptop")).to_be_visible()
    sign_out(page)

    page.goto(f"{by_name(site)}/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/overview$"))
    assert not refused


def test_a_code_from_an_app_is_asked_for_after_the_password(page: Page, site: Site) -> None:
    user, _ = make_member()
    sign_in(page, site.url, user)
    page.goto(f"{site.url}/settings/security")
    page.get_by_role("link", name="Set up an app").click()
    secret = page.locator("#totp-secret").inner_text()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out(page)

    sign_in(page, site.url, user)
    expect(page.get_by_role("heading", name="Two-Factor Authentication")).to_be_visible()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Sign In", exact=True).click()

    expect(page).to_have_url(f"{site.url}/overview")


def test_a_colleague_is_invited_joins_and_is_refused_what_the_role_forbids(
    page: Page, context: BrowserContext, site: Site
) -> None:
    owner, account = make_member()
    make_key(account)
    sign_in(page, site.url, owner)
    page.get_by_role("link", name="Team").click()
    page.get_by_label("Email", exact=True).fill("colleague@example.com")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("rowheader", name="colleague@example.com")).to_be_visible()
    sign_out(page)
    page.goto(f"{site.url}/mailbox")
    letter = page.get_by_role("article").filter(has_text="colleague@example.com").first
    link = re.search(r"/invitations/\S+", letter.inner_text())
    assert link

    page.goto(site.url + link[0])
    page.get_by_role("link", name="Sign up").click()
    sign_up_here(page, "colleague@example.com")
    verify(page, context, "colleague@example.com")
    page.get_by_role("button", name="Accept").click()

    expect(page.get_by_text(f"You are viewer of “{account}” now.")).to_be_visible()
    page.get_by_role("link", name="API Keys").click()
    expect(page.get_by_role("rowheader", name="Development")).to_be_visible()
    expect(page.get_by_role("link", name="Create New Key")).to_have_count(0)
    page.goto(f"{site.url}/keys/new")
    expect(page.get_by_text("Only an owner, admin or developer")).to_be_visible()
    page.goto(f"{site.url}/team")
    expect(page.get_by_role("button", name="Send the invitation")).to_have_count(0)
    page.locator(".switcher summary").click()
    page.locator(".switcher").get_by_role("button", name="colleague owner").click()
    page.get_by_role("link", name="API Keys").click()
    expect(page.get_by_role("link", name="Create New Key").first).to_be_visible()


def sign_up_here(page: Page, email: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("a good long passphrase")
    page.get_by_role("button", name="Sign Up").click()
