"""axe finds nothing on any page, in either theme, on a desk or in a hand."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser

from accounts.audit import SYSTEM
from dashboard.instance import ROOT
from dashboard.models import Incident
from dashboard.status import banner
from tests.gateway.site import Site
from tests.people import make_account, make_key, make_user
from tests.usage.calls import make_final
from tests.webhooks.things import make_delivery
from usage.posting import post
from webhooks import sending
from webhooks.claims import claim
from webhooks.posting import Reply

pytestmark = pytest.mark.browser
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
PUBLIC += ["/status", "/status/subscribe", "/status/days/part/api"]
MEMBERS = [
    *("/overview", "/keys", "/keys/new", "/usage", "/usage?range=1h&by=user&zone=Asia/Kolkata"),
    *("/logs", "/password/change/"),
    *("/models", "/playground", "/logs/export", "/audit?verify=1"),
    *("/team", "/team/leave", "/team/transfer", "/settings", "/settings/security", "/email/"),
    *("/settings/account", "/settings/danger", "/settings/danger/account"),
    *("/webhooks", "/webhooks/new", "/billing"),
    *("/settings/danger/user", "/mfa/totp/activate/", "/mfa/webauthn/add/", "/reauthenticate/"),
]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 860}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 860}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
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
    refused_there = Reply(500, excerpt="not today", error="", duration_ms=12)
    claimed = claim(delivery.endpoint_id)
    assert claimed
    sending.finish(claimed, delivery.endpoint, refused_there)
    endpoint = f"/webhooks/{delivery.endpoint_id}"
    Incident.objects.open("Calls fail", "We look.", by=SYSTEM, impact="major", parts=["api"])
    banner.renew()
    client = Client()
    client.force_login(owner)
    more = [endpoint, f"{endpoint}/rotate", f"{endpoint}/remove"]
    more += [f"/webhooks/deliveries/{delivery.pk}"]
    more += [f"/logs/{final.request_id}", f"/logs?open={final.request_id}&status=429"]
    return client.cookies["sessionid"].value, more


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_sticks_out(browser: Browser, site: Site, look: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm install)")
    context = browser.new_context(**LOOKS[look], base_url=site.url)
    page = context.new_page()
    found = {}
    session, more = member_of_a_busy_account()
    for path in [*PUBLIC, *MEMBERS, *more]:
        if path == MEMBERS[0]:
            cookie = {"name": "sessionid", "value": session, "url": site.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.evaluate(AXE.read_text())
        violations = page.evaluate("axe.run().then(result => result.violations)")
        found[path] = [f"{v['id']}: {node['html']}" for v in violations for node in v["nodes"]]
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        found[path] += [f"{overflow} pixels stick out"] if overflow else []
        if look == "narrow":
            found[path] += page.evaluate(UNFOLDED_BEYOND_THE_EDGE)
    context.close()
    cache.delete(banner.KEY)  # of an incident that is gone with this test
    problems = [f"{path}: {problem}" for path, several in found.items() for problem in several]
    assert not problems, "\n".join(problems)
