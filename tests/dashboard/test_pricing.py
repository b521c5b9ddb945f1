"""What plans cost and allow is said in public, as the catalogue says it and nothing else."""

import re

import pytest
from django.test import Client
from pytest_django import Settings

from billing.models import Plan, Subscription
from billing.stripe_access import StripeAccess
from dashboard.instance import ROOT
from gateway import catalog_file
from tests.dashboard.conftest import browser_of, text_of
from tests.people import make_account, make_user

pytestmark = pytest.mark.django_db
YOURS = ">your plan<"
SIMULATED = StripeAccess("simulated", "sk_test_1", "whsec_1", "http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def payments(settings: Settings) -> None:
    settings.STRIPE = SIMULATED


def load(name: str) -> None:
    catalog_file.load(catalog_file.read(ROOT / "catalog" / f"{name}.toml"))


def pricing(browser: Client | None = None) -> str:
    answer = (browser or Client()).get("/pricing")
    assert answer.status_code == 200
    return text_of(answer)


def test_anybody_sees_what_each_plan_costs_and_allows() -> None:
    load("keyplex")

    text = pricing()

    assert "Free for 14 days Without a card, once for each person" in text
    assert "20 requests a minute 40,000 tokens a minute 100,000 tokens a day" in text
    assert "$29.00 a month Cancel whenever you like" in text
    assert "$79.00 every 3 months $26.33 a month" in text
    assert "$290.00 a year $24.17 a month" in text
    assert "Agreed with you" in text
    assert "Request log kept for 365 days" in text
    assert "12 Months $290.00 a year 200 500,000 5,000,000 30 days" in text


def test_the_second_product_has_its_own_plans_and_refuses_nothing_beyond_fair_use() -> None:
    load("keymeai")

    text = pricing()

    assert "Free for good Without a card 100 requests a day" in text
    assert "$9.00 a month" in text
    assert "50,000,000 tokens a month as fair use" in text
    assert "Beyond fair use nothing is refused" in text
    assert "Standard $29.00 a month no hard limit, fair use 30 days" in text


def test_a_price_that_nobody_has_set_is_not_shown() -> None:
    load("keyplex")
    Plan.objects.update(unit_amount=None)

    for path in ("/pricing", "/"):
        text = text_of(Client().get(path))
        assert "Plan Requests a minute" in text
        assert "$" not in text
    assert "One fixed price" not in pricing()
    assert "What if a payment fails?" not in pricing()


def test_a_member_sees_which_plan_is_theirs_and_the_way_to_another_one() -> None:
    load("keyplex")
    owner = make_user()
    account = make_account(owner, plan=Plan.objects.get(slug="monthly"))
    browser = browser_of(owner)

    page = browser.get("/pricing").content.decode()

    assert page.count(YOURS) == 1
    assert re.search(rf"Monthly</h2>\s*<span[^>]*{YOURS}", page)
    assert page.count('href="/billing#plans"') == 2
    assert "/signup/" not in page
    Subscription.objects.get(account=account).expire()
    assert YOURS not in browser.get("/pricing").content.decode()


def test_a_stranger_is_asked_to_sign_up() -> None:
    load("keyplex")

    page = Client().get("/pricing").content.decode()

    assert page.count('href="/signup/"') == 5
    assert "/billing" not in page


def test_the_answers_say_what_this_server_does(settings: Settings) -> None:
    load("keyplex")
    settings.GRACE_DAYS = 3

    assert "your keys work for 3 more days" in pricing()
    assert "Simulated billing: no real money" in pricing()
    settings.STRIPE = StripeAccess("test", "sk_test_1", "whsec_1")
    assert "test mode: no real money" in pricing()
    settings.STRIPE = StripeAccess("live", "sk_live_1", "whsec_1")
    assert "no real money" not in pricing()
    settings.STRIPE = StripeAccess()
    assert "How do I cancel?" not in pricing()


def test_without_plans_the_page_says_so() -> None:
    assert "No plans are loaded yet" in pricing()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_can_only_be_looked_at(method: str) -> None:
    assert getattr(Client(), method)("/pricing").status_code == 405
