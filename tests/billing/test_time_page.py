"""On the page of time a person makes months pass and cards fail, and nobody else does."""

import html
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.billing.shop import DAY, HOUR, Shop
from tests.billing.stripe_server import BEGINNING, StripeServer
from tests.billing.test_pages import NOTICE, Tags
from tests.billing.test_walk import objections
from tests.browser.conftest import browser

__all__ = ["browser"]
CHANGES_NOTHING = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Host": "elsewhere.example"},
    {"Host": "elsewhere.example:80", "Origin": "http://elsewhere.example:80"},
]


@dataclass
class Person:
    server: StripeServer

    @property
    def url(self) -> str:
        return f"{self.server.url}/time"

    def act(self, act: str, customer: Any = "", **headers: str) -> httpx.Response:
        typed = {"action": act, "customer": str(customer)}
        return self.server.browser.post(self.url, data=typed, headers=headers)

    def sees(self) -> str:
        answer = self.server.browser.get(self.url)
        assert answer.status_code == 200
        return html.unescape(answer.text)


@pytest.fixture
def person(stripe_server: StripeServer) -> Person:
    return Person(stripe_server)


def test_the_page_says_that_nothing_is_real_and_needs_nothing_from_elsewhere(
    person: Person,
) -> None:
    answer = person.server.browser.get(person.url)

    assert NOTICE in answer.text
    assert "Nothing here is real" in answer.text
    assert "Nobody has subscribed yet." in answer.text
    assert "<script" not in answer.text
    assert Tags(answer.text).links == []
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_it_says_how_far_it_is_ahead(person: Person) -> None:
    person.server.control("reset")
    beginning = person.sees()

    person.act("day")
    person.act("week")

    assert "That is the real time, or almost." in beginning
    assert "That is 8 days ahead of the real time." in person.sees()


def test_a_month_passes_and_the_invoice_is_there(shop: Shop, person: Person) -> None:
    subscription = shop.subscribe()

    answer = person.act("month")
    draft = shop.invoice(shop.subscription(subscription.id))
    written = person.sees()
    person.act("renewal")
    paid = shop.invoice(shop.subscription(subscription.id))

    assert (answer.status_code, answer.headers["location"]) == (303, "/time")
    assert (draft.status, paid.status, paid.id) == ("draft", "paid", draft.id)
    assert "It is 1 February 2028, 00:00 UTC." in written
    assert "is due on 1 February 2028, 01:00 UTC." in written
    assert "Next attempt to charge: 1 February 2028, 01:00 UTC" in written
    assert str(paid.number) in person.sees()


def test_time_goes_to_the_renewal_that_is_next_of_all(shop: Shop, person: Person) -> None:
    first = shop.subscribe()
    person.act("day")
    second = shop.subscribe(shop.customer("bob@example.org").id)

    moments = []
    for _ in range(2):
        person.act("renewal")
        moments.append(shop.server.now - BEGINNING)

    assert moments == [31 * DAY + HOUR + 60, 32 * DAY + HOUR + 60]
    for one in (first, second):
        assert shop.invoice(shop.subscription(one.id)).status == "paid"
        assert shop.subscription(one.id).latest_invoice != one.latest_invoice


def test_a_declined_card_makes_a_debtor_until_it_pays_again(shop: Shop, person: Person) -> None:
    alice, bob = shop.subscribe(), shop.subscribe(shop.customer("bob@example.org").id)

    person.act("decline", alice.customer)
    person.act("renewal")
    owing, sees = shop.subscription(alice.id), person.sees()
    person.act("accept", alice.customer)
    person.act("week")

    assert owing.status == "past_due"
    assert "Monthly, 20.00 USD every month: past due" in sees
    assert "Card: ends in 4242, is declined" in sees
    assert "Next attempt to charge: 4 February 2028" in sees
    assert shop.subscription(alice.id).status == shop.subscription(bob.id).status == "active"
    assert shop.invoice(shop.subscription(bob.id)).attempt_count == 1


def test_who_never_pays_is_seen_to_end(shop: Shop, person: Person) -> None:
    subscription = shop.subscribe()

    person.act("decline", subscription.customer)
    for act in ("renewal", "week", "week", "week"):
        person.act(act)

    assert shop.subscription(subscription.id).status == "canceled"
    assert "Ended on 16 February 2028, 01:00 UTC" in person.sees()
    answer = person.act("renewal")
    assert answer.status_code == 422
    assert "Nobody has a subscription that goes on." in answer.text


def test_the_last_payment_is_refunded_once(shop: Shop, person: Person) -> None:
    subscription = shop.subscribe()

    first = person.act("refund", subscription.customer)
    again = person.act("refund", subscription.customer)

    assert (first.status_code, again.status_code) == (303, 422)
    assert "This cannot happen to Alice, alice@example.org now." in again.text
    [refund] = shop.client.v1.refunds.list().data
    assert refund.amount == 2000
    assert shop.server.events("charge.refunded")[0].document["request"]["id"] is None


@pytest.mark.parametrize(("act", "status"), [("lose", "lost"), ("win", "won")])
def test_the_last_payment_is_disputed_and_decided(
    shop: Shop, person: Person, act: str, status: str
) -> None:
    subscription = shop.subscribe()
    early = person.act(act, subscription.customer)

    person.act("dispute", subscription.customer)
    refund = person.act("refund", subscription.customer)
    person.act(act, subscription.customer)

    assert (early.status_code, refund.status_code) == (422, 422)
    [dispute] = shop.client.v1.disputes.list().data
    assert dispute.status == status


@pytest.mark.parametrize(
    ("act", "customer", "said"),
    [
        ("explode", "", "This page knows no act 'explode'."),
        ("", "", "This page knows no act ''."),
        ("decline", "cus_none", "There is no customer 'cus_none'."),
        ("decline", "", "There is no customer ''."),
        ("renewal", "", "Nobody has a subscription that goes on."),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    person: Person, act: str, customer: str, said: str
) -> None:
    answer = person.act(act, customer)

    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert person.server.now == BEGINNING


@pytest.mark.parametrize("headers", CHANGES_NOTHING, ids=str)
def test_a_page_of_another_site_makes_nothing_happen(
    person: Person, headers: dict[str, str]
) -> None:
    answer = person.act("month", **headers)

    assert answer.status_code == 403
    assert "Another site asked for this" in answer.text
    assert person.server.now == BEGINNING


def test_our_own_page_may_whatever_we_are_called_on_this_host(person: Person) -> None:
    for host in ("127.0.0.1", "localhost"):
        name = f"{host}:{person.server.port}"
        headers = {"Host": name, "Origin": f"http://{name}", "Sec-Fetch-Site": "same-origin"}
        assert person.act("day", **headers).status_code == 303

    assert person.server.now == BEGINNING + 2 * DAY


def test_another_site_that_calls_itself_us_reads_nothing(shop: Shop, person: Person) -> None:
    shop.subscribe()

    answer = shop.server.browser.get(person.url, headers={"Host": "elsewhere.example"})

    assert answer.status_code == 403
    assert "alice" not in answer.text


def test_it_says_how_deliveries_went(shop: Shop, person: Person) -> None:
    shop.server.settle()
    shop.server.control("deliveries", held=True)
    shop.customer()
    waiting = person.sees()

    shop.server.control("deliveries", held=False)
    shop.server.settle()

    assert "customer.created</td><td>waits" in waiting
    assert "customer.created</td><td>arrived" in person.sees()


def test_what_people_call_themselves_is_text(shop: Shop, person: Person) -> None:
    evil = {"email": "a@example.org", "name": "<script>alert(1)</script>"}
    shop.subscribe(shop.client.v1.customers.create(evil).id)

    text = shop.server.browser.get(person.url).text

    assert "&lt;script&gt;" in text
    assert "<script" not in text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_person_does_all_this_without_scripts(
    shop: Shop, person: Person, browser: Browser, scheme: Any
) -> None:
    subscription = shop.subscribe()
    viewport: Any = {"width": 390, "height": 844}
    with browser.new_context(color_scheme=scheme, viewport=viewport) as context:
        page = context.new_page()
        page.goto(person.url)
        found = objections(page)
        page.get_by_role("button", name="Their card is declined from now on").click()
        page.get_by_role("button", name="Until just after the next renewal").click()
        page.get_by_role("button", name="Dispute the last payment").click()
        assert page.get_by_text("past due").is_visible()
        found += objections(page)
        wide = page.evaluate("document.documentElement.scrollWidth")

    assert found == []
    assert wide <= 390
    assert shop.subscription(subscription.id).status == "past_due"
    assert len(shop.client.v1.disputes.list().data) == 1


@pytest.mark.browser
def test_a_browser_on_another_site_is_refused(person: Person, browser: Browser) -> None:
    form = f'<form method="post" action="{person.url}"><button name="action" value="month">'
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"http://localhost:{person.server.port}/nothing")
        page.evaluate("form => document.body.innerHTML = form", form)
        page.get_by_role("button").click()
        assert page.get_by_text("Another site asked for this").is_visible()

    assert person.server.now == BEGINNING
