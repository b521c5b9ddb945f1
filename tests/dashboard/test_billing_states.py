"""However a contract stands, the Billing page says so, and every page what is in the way."""

import pytest

from billing import plan_changes
from billing.models import Plan
from tests.billing.conftest import paying, stripe_process, stripe_server
from tests.billing.paying import BY, Paying
from tests.dashboard.conftest import browser_of, text_of
from tests.dashboard.contracts import STATES, owner_of, page
from tests.people import make_colleague

__all__ = ["paying", "stripe_process", "stripe_server"]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", STATES)
def test_the_page_says_how_the_plan_stands(paying: Paying, state: str) -> None:
    reach, words = STATES[state]
    reach(paying)

    text = page(paying.account)

    assert [word for word in words if word not in text] == [], text


@pytest.mark.parametrize("state", ["past due", "a trial in review", "a trial that is over", "paid"])
def test_every_page_of_the_account_says_what_is_in_the_way(paying: Paying, state: str) -> None:
    STATES[state][0](paying)
    words = {
        "past due": "The last payment failed. Your keys work until 8 February 2028",
        "a trial in review": "Every request is refused. The trial of this account is being looked",
        "a trial that is over": "Every request is refused. The trial of this account is over",
    }

    for person in (owner_of(paying.account), make_colleague(paying.account, "viewer")):
        text = text_of(browser_of(person).get("/keys"))
        assert (words.get(state, "Every request is refused") in text) == (state in words)
        assert "The last payment failed" not in text or state == "past due"


def test_the_foot_of_the_navigation_says_what_comes_next(paying: Paying) -> None:
    browser = browser_of(owner_of(paying.account))

    def foot() -> str:
        return text_of(browser.get("/keys"))

    assert "Free Trial · ends 15 Jan 2028" in foot()
    paying.subscribe("3-months")
    assert "3-Months · renews 1 Apr 2028" in foot()
    plan_changes.downgrade(paying.account, Plan.objects.get(slug="monthly"), by=BY)
    assert "3-Months · Monthly from 1 Apr 2028" in foot()
    plan_changes.cancel(paying.account, by=BY)
    assert "3-Months cancelled · ends 1 Apr 2028" in foot()
    paying.advance(days=92)
    assert "3-Months ended" in foot()
