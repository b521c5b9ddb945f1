"""Members buy, change and cancel a plan; each sees what it costs before, and pays just that."""

import re

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from billing import plan_changes
from billing.models import Checkout, Plan, Subscription
from billing.stripe_access import StripeAccess
from tests.billing.conftest import paying, stripe_process, stripe_server
from tests.billing.paying import BY, Paying
from tests.billing.stripe_server import KEY, SECRET
from tests.dashboard.conftest import browser_of, part, text_of
from tests.dashboard.contracts import downgrade, fail, owner_of
from tests.people import make_account, make_colleague

__all__ = ["paying", "stripe_process", "stripe_server"]
pytestmark = pytest.mark.django_db
ACTS = [
    *("/billing/change/monthly", "/billing/change/12-months", "/billing/cancel"),
    *("/billing/resume", "/billing/keep", "/billing/portal"),
]


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def owner(paying: Paying) -> Client:
    return browser_of(owner_of(paying.account))


def buy(owner: Client, plan: str = "monthly") -> str:
    answer = owner.post(f"/billing/change/{plan}")
    assert answer.status_code == 303
    return str(answer["Location"])


def back(owner: Client) -> str:
    """The address that Stripe's page leads back to."""
    return f"/billing?paid={Checkout.objects.latest('pk').token}"


def offered(page: str) -> dict[str, str]:
    """What the form of an upgrade would post."""
    return dict(re.findall(r'name="(due|proration_date)" value="(\d+)"', page))


def test_a_plan_is_bought_on_a_page_of_stripes_and_holds_on_return(
    paying: Paying, owner: Client
) -> None:
    url = buy(owner)
    assert paying.pay(url) == 303

    text = text_of(owner.get(back(owner)))

    assert paying.state == ("monthly", "active")
    assert "Thank you. Monthly is paid." in text
    assert "Plan active Monthly $29.00 a month" in text
    assert str(paying.invoices()[0]) in text


def test_until_stripe_says_that_it_was_paid_nobody_is_thanked(
    paying: Paying, owner: Client
) -> None:
    url = buy(owner)
    address = back(owner)

    page = owner.get(address)

    assert "Stripe has not confirmed the payment yet" in text_of(page)
    assert "Thank you" not in text_of(page)
    assert "data-live" in page.content.decode()
    assert owner.get(address, headers=part("paid")).status_code == 204
    paying.pay(url)
    paying.hear()
    answer = owner.get(address, headers=part("paid"))
    assert answer["HX-Refresh"] == "true"
    assert "data-live" not in owner.get(address).content.decode()


def test_stripe_is_not_asked_each_time_that_the_page_looks_again(
    paying: Paying, owner: Client
) -> None:
    buy(owner)
    owner.get(back(owner))
    before = len(paying.server.control("requests"))

    for _ in range(3):
        owner.get(back(owner), headers=part("paid"))

    assert len(paying.server.control("requests")) == before


def test_a_payment_of_somebody_else_is_nobodys_business(paying: Paying, owner: Client) -> None:
    paying.pay(buy(owner))
    paying.hear()
    stranger = browser_of(owner_of(make_account()))
    viewer = browser_of(make_colleague(paying.account, "viewer"))

    for browser in (stranger, viewer):
        text = text_of(browser.get(back(owner)))
        assert "Thank you" not in text
        assert "not confirmed" not in text
    for token in ("1", "nonsense", "00000000-0000-0000-0000-000000000000", "\0"):
        assert owner.get("/billing", {"paid": token}).status_code == 200


def test_a_payment_that_was_not_made_says_so(paying: Paying, owner: Client) -> None:
    buy(owner)
    Checkout.objects.get().finish(Checkout.State.CLOSED)
    assert "This payment was not made" in text_of(owner.get(back(owner)))
    Checkout.objects.get().finish(Checkout.State.REFUSED, because="amount")
    assert "not what we offered" in text_of(owner.get(back(owner)))


def test_an_upgrade_costs_what_was_shown_and_holds_at_once(paying: Paying, owner: Client) -> None:
    paying.subscribe()
    paying.advance(days=10)
    page = owner.get("/billing/change/12-months").content.decode()
    shown = offered(page)
    words = f"${int(shown['due']) / 100:,.2f}"

    answer = owner.post("/billing/change/12-months", shown, follow=True)

    assert f"Pay {words} and change now" in page
    assert re.search(r"Requests a minute</th><td[^>]*>10</td><td[^>]*><strong>30<", page)
    assert "12-Months holds from now on" in text_of(answer)
    assert paying.state == ("12-months", "active")
    paying.hear()
    assert paying.invoices()[0].amount_paid == int(shown["due"])


def test_looking_at_an_upgrade_changes_nothing(paying: Paying, owner: Client) -> None:
    paying.subscribe()

    pages = [
        owner.get("/billing/change/12-months"),
        owner.post("/billing/change/12-months"),
        owner.post("/billing/change/12-months", {"due": "x", "proration_date": "-1"}),
    ]

    assert [page.status_code for page in pages] == [200] * 3
    assert all("$261.00 and change now" in text_of(page) for page in pages)
    assert paying.state == ("monthly", "active")


@pytest.mark.parametrize("wrong", [{"due": "1"}, {"proration_date": "1"}])
def test_who_agreed_to_another_amount_sees_the_new_one_first(
    paying: Paying, owner: Client, wrong: dict[str, str]
) -> None:
    paying.subscribe()
    shown = offered(owner.get("/billing/change/12-months").content.decode())

    answer = owner.post("/billing/change/12-months", shown | wrong)

    assert answer.status_code == 409
    assert "Nothing was charged. This is how it stands now." in text_of(answer)
    assert offered(answer.content.decode()) == shown
    paying.hear()
    assert len(paying.invoices()) == 1
    assert paying.state == ("monthly", "active")


def test_a_card_that_does_not_pay_changes_nothing_and_can_be_changed(
    paying: Paying, owner: Client
) -> None:
    paying.subscribe()
    paying.card("card_declined")
    shown = offered(owner.get("/billing/change/12-months").content.decode())

    answer = owner.post("/billing/change/12-months", shown)

    assert answer.status_code == 402
    assert "The card did not pay" in text_of(answer)
    assert "payment_method_update" in answer.content.decode()
    assert paying.state == ("monthly", "active")


def test_a_smaller_plan_follows_when_the_period_ends_unless_it_is_taken_back(
    paying: Paying, owner: Client
) -> None:
    paying.subscribe("3-months")
    looked = owner.get("/billing/change/monthly")
    owner.post("/billing/change/monthly")
    assert "Change on 1 April 2028" in text_of(looked)
    assert paying.subscription.next_plan is None

    answer = owner.post("/billing/change/monthly", {"confirmed": "1"}, follow=True)

    assert "Monthly follows on 1 Apr 2028." in text_of(answer)
    assert paying.subscription.next_plan == Plan.objects.get(slug="monthly")
    assert "does not follow" in text_of(owner.post("/billing/keep", follow=True))
    assert paying.subscription.next_plan is None


def test_a_plan_is_cancelled_and_the_cancellation_taken_back(paying: Paying, owner: Client) -> None:
    paying.subscribe()
    looked = owner.get("/billing/cancel")
    assert "Then every request is refused" in text_of(looked)
    assert not paying.subscription.cancel_at_period_end

    answer = owner.post("/billing/cancel", follow=True)

    assert "It works until 1 Feb 2028, and nothing more is charged" in text_of(answer)
    assert paying.subscription.cancel_at_period_end
    assert owner.get("/billing/cancel")["Location"] == "/billing"
    assert "goes on" in text_of(owner.post("/billing/resume", follow=True))
    assert not paying.subscription.cancel_at_period_end


def test_the_way_to_the_card_and_the_open_invoice_leads_to_stripe(
    paying: Paying, owner: Client
) -> None:
    fail(paying)

    answer = owner.post("/billing/portal", {"flow": "payment_method_update"})

    assert answer.status_code == 303
    assert answer["Location"].startswith(paying.server.url)
    assert paying.invoices()[0].hosted_url in owner.get("/billing").content.decode()
    assert owner.post("/billing/portal", {"flow": "subscription_cancel"}).status_code == 303


def test_what_is_not_possible_is_said_and_done_is_nothing(paying: Paying, owner: Client) -> None:
    def said(path: str) -> str:
        return text_of(owner.post(path, follow=True))

    assert "pays for no plan that could be changed" in said("/billing/cancel")
    assert "pays for no plan that could be changed" in said("/billing/resume")
    assert "nothing has been bought here" in said("/billing/portal")
    assert owner.get("/billing/change/monthly")["Location"] == "/billing"
    assert owner.post("/billing/change/free-trial").status_code == 404
    fail(paying)
    assert "An invoice of this account is unpaid" in said("/billing/change/12-months")
    Subscription.objects.filter(account=paying.account).delete()
    assert "This account has no plan" in said("/billing/cancel")
    assert "No plan" in text_of(owner.get("/billing"))


def test_where_there_is_no_stripe_nothing_can_be_bought(
    paying: Paying, owner: Client, settings: Settings
) -> None:
    settings.STRIPE = StripeAccess()

    for act in ACTS:
        assert "Nothing can be paid here" in text_of(owner.post(act, follow=True))


def test_while_stripe_is_away_nothing_is_charged_and_that_is_said(
    paying: Paying, owner: Client, settings: Settings
) -> None:
    downgrade(paying)
    shown = offered(owner.get("/billing/change/12-months").content.decode())
    settings.STRIPE = StripeAccess("simulated", KEY, SECRET, "http://127.0.0.1:9")

    for act in ACTS:
        answer = owner.post(act, {"confirmed": "1"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "60"), act
        assert "Nothing was charged, and nothing was changed." in text_of(answer)
    answer = owner.post("/billing/change/12-months", shown)
    assert answer.status_code == 503
    assert "We do not know yet whether your payment went through." in text_of(answer)


@pytest.mark.parametrize("role", ["viewer", "developer"])
def test_who_does_not_pay_can_do_none_of_it(paying: Paying, role: str) -> None:
    paying.subscribe()
    colleague = browser_of(make_colleague(paying.account, role))
    before = paying.theirs.to_dict()

    answers = [getattr(colleague, method)(act) for act in ACTS for method in ("get", "post")]

    assert {answer.status_code for answer in answers} <= {403, 405}
    assert "Only an owner, admin or billing may" in text_of(colleague.post("/billing/cancel"))
    assert paying.theirs.to_dict() == before


def test_what_a_stranger_does_is_about_their_own_account(paying: Paying) -> None:
    paying.subscribe()
    stranger = browser_of(owner_of(make_account(plan=Plan.objects.get(slug="free-trial"))))
    before = paying.theirs.to_dict()

    for act in ACTS:
        assert stranger.post(act).status_code in (302, 303)

    assert paying.theirs.to_dict() == before


def test_nothing_is_done_for_a_form_that_came_from_elsewhere(paying: Paying) -> None:
    paying.subscribe()
    plan_changes.cancel(paying.account, by=BY)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner_of(paying.account))

    assert {browser.post(act).status_code for act in ACTS} == {403}
    assert paying.subscription.cancel_at_period_end
