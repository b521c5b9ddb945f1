"""axe finds nothing on any page, in either theme, on a desk or in a hand; and no page is heavy."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, Page, ViewportSize

from accounts.audit import SYSTEM
from dashboard.instance import ROOT
from dashboard.models import Incident, SupportRequest
from dashboard.status import banner
from tests.dashboard.test_billing_page import make_invoice
from tests.gateway.site import Site
from tests.people import make_account, make_key, make_user
from tests.usage.calls import make_final
from tests.webhooks.things import make_delivery
from usage.posting import post
from webhooks import sending
from webhooks.claims import claim
from webhooks.posting import Reply

pytestmark = pytest.mark.browser
MATRIX = ROOT / "tests" / "access" / "matrix.txt"
NO_PAGES = {"llms.txt", "usage.csv", "status.json", "status/feed.atom", "status/maintenance.ics"}
OF_OPERATORS = {"mfa/totp/deactivate/", "mfa/reauthenticate/"}  # who alone have a second factor
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
DOCS = ["/docs", "/docs/errors", "/docs/models", "/docs/webhooks", "/docs/migrate-anthropic"]
DOCS += ["/docs/search?q=key", "/docs/search?q=zebra", "/changelog"]
PUBLIC = [
    *DOCS,
    "/",
    "/pricing",
    "/login/",
    "/signup/",
    "/password/reset/",
    "/mailbox",
    "/nothing-here",
]
PUBLIC += ["/status", "/status/subscribe", "/status/webhook", "/status/days/part/api"]
PUBLIC += ["/help", "/contact", "/sales", "/enterprise", "/password/reset/done/", "/inactive/"]
PUBLIC += ["/invitations/void", "/status/confirm/void", "/status/unsubscribe/void"]
MEMBERS = [
    *("/overview", "/keys", "/keys/new", "/usage", "/usage?range=1h&by=user&zone=Asia/Kolkata"),
    *("/logs", "/password/change/", "/go", "/go?q=key"),
    *("/models", "/playground", "/logs/export", "/audit?verify=1"),
    *("/team", "/team/leave", "/team/transfer", "/settings", "/settings/security", "/email/"),
    *("/settings/account", "/settings/danger", "/settings/danger/account"),
    *("/webhooks", "/webhooks/new", "/billing", "/help", "/help/requests"),
    *("/settings/danger/user", "/mfa/totp/activate/", "/mfa/webauthn/add/", "/reauthenticate/"),
    *("/keys/freeze", "/models/keyplex/echo", "/mfa/recovery-codes/generate/", "/logout/"),
    *("/nothing-here", "/logs/req_void"),
]
OF_THINGS = [
    *("/keys/{key}", "/keys/{key}/capture", "/keys/{key}/rotate", "/keys/{key}/revoke"),
    *("/webhooks/{endpoint}", "/webhooks/{endpoint}/rotate", "/webhooks/{endpoint}/remove"),
    *("/webhooks/deliveries/{delivery}", "/help/requests/{asked}", "/billing/invoices/{invoice}"),
    *("/logs/{request}", "/logs?open={request}&status=429"),
]
WIDTHS: dict[str, ViewportSize] = {
    "on a desk": {"width": 1280, "height": 860},
    "in a hand": {"width": 390, "height": 844},
}
BY_TURNS = ["on a desk", pytest.param("in a hand", marks=pytest.mark.t2)]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": WIDTHS["on a desk"]},
    "dark": {"color_scheme": "dark", "viewport": WIDTHS["on a desk"]},
    "narrow": {"color_scheme": "light", "viewport": WIDTHS["in a hand"]},
}
OF_COLOUR = ["color-contrast", "link-in-text-block"]  # the rules to which a theme matters
RUN_AXE = """
(only) => axe.run(only ? {runOnly: only} : {}).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)))
"""
UNFOLDED_BEYOND_THE_EDGE = """
Array.from(document.querySelectorAll("main details"), (details) => {
  details.open = true;
  const shown = [...details.children].filter((child) => child.tagName !== "SUMMARY");
  const edges = shown.map((child) => child.getBoundingClientRect());
  details.open = false;
  const wide = edges.some(({ left, right }) => left < 0 || right > innerWidth);
  return wide ? `opens beyond the edge: ${details.querySelector("summary").textContent}` : "";
}).filter(Boolean)
"""
HEAVIEST = 400_000  # bytes of a page with all that it loads, for who has nothing of it yet
TOO_MUCH = """
(heaviest) => {
  const [page] = performance.getEntriesByType("navigation");
  const loaded = [page, ...performance.getEntriesByType("resource")];
  const weight = loaded.reduce((sum, one) => sum + one.encodedBodySize, 0);
  const foreign = loaded.filter(({ name }) => new URL(name).origin !== location.origin);
  return [
    ...(weight > 0 && weight <= heaviest ? [] : [`weighs ${weight} bytes`]),
    ...foreign.map(({ name }) => `loads ${name}`),
  ];
}
"""


def member_of_a_busy_account() -> tuple[str, list[str]]:
    """The session of somebody with keys, requests and refusals to look at, and more pages."""
    owner = make_user()
    account = make_account(owner)
    key = make_key(account).api_key
    mine = {"account_id": account.pk, "api_key_id": key.pk, "latency_ms": 240}
    refused = {"outcome": "refused", "status_code": 429, "lease": "", "error_code": "rate_limited"}
    post([make_final(**mine, completion_tokens=40 * n, model=f"model-{n}") for n in range(1, 8)])
    final = make_final(**mine, **refused)
    post([final])
    delivery = make_delivery(account=account)
    endpoint = delivery.endpoint
    refused_there = Reply(500, excerpt="not today", error="", duration_ms=12)
    claimed = claim(endpoint.pk)
    assert claimed
    sending.finish(claimed, endpoint, refused_there)
    Incident.objects.open("Calls fail", "We look.", by=SYSTEM, impact="major", parts=["api"])
    banner.renew()
    client = Client()
    client.force_login(owner)
    asked = SupportRequest.objects.open(email="a@b.example", text="Why?", mark="m", account=account)
    asked.answer("So it is.", by=SYSTEM)
    things = {"key": key.pk, "endpoint": endpoint.pk, "delivery": delivery.pk}
    things |= {"asked": asked.number, "invoice": make_invoice(account, 1).pk}
    more = [address.format(**things, request=final.request_id) for address in OF_THINGS]
    return client.cookies["sessionid"].value, more


def what_axe_finds(page: Page) -> Iterator[str]:
    """In both themes; without a second visit, since no page knows of its theme."""
    page.evaluate(AXE.read_text())
    for theme, only in ("light", None), ("dark", OF_COLOUR):
        page.emulate_media(color_scheme=theme)
        yield from (f"{theme}: {violation}" for violation in page.evaluate(RUN_AXE, only))
    page.emulate_media(color_scheme="light")


@pytest.mark.parametrize("width", BY_TURNS)
def test_axe_finds_nothing_and_nothing_sticks_out(browser: Browser, site: Site, width: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm install)")
    context = browser.new_context(
        viewport=WIDTHS[width], color_scheme="light", reduced_motion="reduce", base_url=site.url
    )
    page = context.new_page()
    found: dict[str, list[str]] = {}
    session, more = member_of_a_busy_account()
    for path in [*PUBLIC, *MEMBERS, *more]:
        if path == MEMBERS[0]:
            cookie = {"name": "sessionid", "value": session, "url": site.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page.goto(path)
        page.wait_for_load_state("networkidle")
        found[path] = page.evaluate(TOO_MUCH, HEAVIEST)
        found[path] += what_axe_finds(page)
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        found[path] += [f"{overflow} pixels stick out"] if overflow else []
        if width == "in a hand":
            found[path] += page.evaluate(UNFOLDED_BEYOND_THE_EDGE)
    context.close()
    cache.delete(banner.KEY)  # of an incident that is gone with this test
    problems = [f"{path}: {problem}" for path, several in found.items() for problem in several]
    assert not problems, "\n".join(problems)


def test_every_page_of_members_and_of_everybody_is_looked_at() -> None:
    """Whatever answers somebody with 200, as the matrix of access knows, is in our lists."""
    rows = re.findall(r"^/(\S*) +GET .*\b200\b", MATRIX.read_text(), re.MULTILINE)
    elsewhere = NO_PAGES | OF_OPERATORS
    rows = [row for row in rows if not row.startswith("ops/") and row not in elsewhere]
    listed = {re.sub(r"\{\w+\}", "1", path).partition("?")[0][1:] for path in looked_at()}

    assert len(rows) > 40
    assert {row for row in rows if "<" not in row} <= listed
    for row in [row for row in rows if "<" in row]:
        route = re.compile(re.sub(r"<[^>]+>", "[^/]+", re.sub(r"<path:\w+>", ".+", row)))
        assert [path for path in listed - set(rows) if route.fullmatch(path)], row


def looked_at() -> list[str]:
    return [*PUBLIC, *MEMBERS, *OF_THINGS]
