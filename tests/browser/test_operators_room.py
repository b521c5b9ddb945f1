"""The operators' room, as a browser shows it: axe finds nothing, and the ways in and on work."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from billing.models import Subscription
from dashboard.models import Incident
from tests.browser.test_accessibility import (
    AXE,
    BY_TURNS,
    HEAVIEST,
    TOO_MUCH,
    UNFOLDED_BEYOND_THE_EDGE,
    WIDTHS,
    what_axe_finds,
)
from tests.gateway.site import Site
from tests.one_time_codes import code_of
from tests.operators import as_operator
from tests.ops.furniture import furnish
from tests.ops.visits import make_future_operator, set_up_app, signed_in

pytestmark = pytest.mark.browser
LISTS = [
    *("/ops/", "/ops/accounts/apikey/", "/ops/accounts/apikey/?q=nothing-like-it"),
    *("/ops/billing/subscription/?status__exact=active", "/ops/accounts/auditentry/"),
    *("/ops/webhooks/endpoint/", "/ops/gateway/modelroute/?o=-1.2", "/ops/accounts/user/"),
]
STICKS_OUT = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def rows() -> list[str]:
    """The facts about some rows, and acts on them."""
    furnish()
    subscription = f"/ops/billing/subscription/{Subscription.objects.latest('pk').pk}"
    incident = f"/ops/dashboard/incident/{Incident.objects.latest('pk').pk}"
    acts = [f"{subscription}/{act}/" for act in ("grant", "override", "end")]
    return [f"{subscription}/change/", f"{incident}/change/", f"{incident}/update/", *acts]


def enter(context: BrowserContext, site: Site, client: Client) -> None:
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])


def what_is_wrong(page: Page, width: str) -> Iterator[str]:
    page.wait_for_load_state("networkidle")
    yield from page.evaluate(TOO_MUCH, HEAVIEST)
    yield from what_axe_finds(page)
    if overflow := page.evaluate(STICKS_OUT):
        yield f"{overflow} pixels stick out"
    if width == "in a hand":
        yield from page.evaluate(UNFOLDED_BEYOND_THE_EDGE)


@pytest.mark.parametrize("width", BY_TURNS)
def test_axe_finds_nothing_in_the_room_and_at_its_door(
    browser: Browser, site: Site, width: str
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm install)")
    newcomer, elsewhere = make_future_operator(), make_future_operator()
    set_up_app(elsewhere)
    visits = {
        "inside": (as_operator(Client()), ["/mfa/totp/deactivate/", *LISTS, *rows()]),
        "without a factor": (signed_in(newcomer), ["/ops/"]),
        "asked again": (signed_in(elsewhere), ["/ops/accounts/user/"]),
    }
    problems = []
    for who, (client, paths) in visits.items():
        with browser.new_context(
            viewport=WIDTHS[width], reduced_motion="reduce", base_url=site.url
        ) as context:
            enter(context, site, client)
            page = context.new_page()
            for path in paths:
                page.goto(path)
                problems += [f"{who} {path}: {each}" for each in what_is_wrong(page, width)]
            if who == "inside":  # the last of them is a form, and empty
                page.locator("main form .btn-primary").click()
                expect(page.locator(".error").first).to_be_visible()
                problems += [f"refused: {each}" for each in what_is_wrong(page, width)]

    assert not problems, "\n".join(problems)


def test_a_code_leads_to_where_one_was_going(
    context: BrowserContext, page: Page, site: Site
) -> None:
    operator = make_future_operator()
    secret = set_up_app(operator)
    enter(context, site, signed_in(operator))

    page.goto(f"{site.url}/ops/accounts/user/?q=owner")
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Users")
    expect(page.get_by_role("link", name=operator.email)).to_be_visible()
