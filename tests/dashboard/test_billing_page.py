"""The Billing page says what holds, what comes and what was charged; amounts to those who pay."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from billing import plan_changes
from billing.models import Invoice, Override, Plan
from billing.stripe_access import StripeAccess
from gateway.models import LanguageModel
from tests.billing.conftest import paying, stripe_process, stripe_server
from tests.billing.paying import BY, Paying
from tests.billing.stripe_server import KEY, SECRET
from tests.dashboard.conftest import browser_of, text_of
from tests.dashboard.contracts import downgrade, fail, owner_of, page
from tests.people import make_account, make_colleague, make_key, make_user
from tests.usage.calls import make_final
from usage.posting import post

__all__ = ["paying", "stripe_process", "stripe_server"]
pytestmark = pytest.mark.django_db
NOT_THERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


def test_a_colleague_who_does_not_pay_sees_the_plan_and_no_amounts(paying: Paying) -> None:
    fail(paying)
    for role, sees in (("viewer", False), ("developer", False), ("billing", True)):
        answer = browser_of(make_colleague(paying.account, role)).get("/billing")

        text = text_of(answer)
        assert "Plan past due Monthly" in text
        assert "Requests this minute 0 of 10" in text
        assert ("$" in text, "Invoices" in text, "Change plan" in text) == (sees, sees, sees)
        assert ("invoice/" in answer.content.decode()) == sees
        assert ("An owner, admin or billing member can pay." in text) != sees


def test_a_stranger_sees_their_own_plan_alone(paying: Paying) -> None:
    paying.subscribe()
    stranger = make_account(plan=Plan.objects.get(slug="free-trial"))

    text = page(stranger)

    assert "Plan trial Free Trial" in text
    assert str(paying.invoices()[0]) not in text
    assert "No invoices yet" in text


def test_the_next_charge_is_that_of_stripes_upcoming_invoice(paying: Paying) -> None:
    paying.subscribe()
    plan_changes.upgrade(
        paying.account,
        Plan.objects.get(slug="12-months"),
        shown=shown(paying, "12-months"),
        by=BY,
    )

    said = paying.api.invoices.create_preview({"subscription": paying.subscription.stripe_id})

    at = datetime.fromtimestamp(said.next_payment_attempt, UTC)
    assert said.amount_due == 29000
    assert f"Next charge $290.00 on {at:%-d %B %Y}" in page(paying.account)


def shown(paying: Paying, plan: str) -> tuple[int, int]:
    offer = plan_changes.preview(paying.account, Plan.objects.get(slug=plan))
    return offer.due, offer.proration_date


def test_stripe_is_asked_for_it_once_until_something_changes(paying: Paying) -> None:
    paying.subscribe()

    def asked() -> int:
        return str(paying.server.control("requests")).count("create_preview")

    before = asked()
    page(paying.account), page(paying.account)
    assert asked() == before + 1
    plan_changes.cancel(paying.account, by=BY)
    plan_changes.resume(paying.account, by=BY)
    page(paying.account)
    assert asked() == before + 2


def test_while_stripe_is_away_the_price_alone_is_said(paying: Paying, settings: Settings) -> None:
    downgrade(paying)
    settings.STRIPE = StripeAccess("simulated", KEY, SECRET, NOT_THERE)

    text = page(paying.account)

    assert "$29.00 on 1 April 2028, by the price alone: Stripe cannot be asked" in text


def test_what_the_same_use_would_cost_by_the_token_is_said(paying: Paying) -> None:
    paying.subscribe()
    key = make_key(paying.account).api_key
    for name, price in (("paid", 2), ("unknown", None)):
        LanguageModel.objects.create(
            model_id=name,
            owned_by="somebody",
            created_at=timezone.now(),
            input_price=price,
            output_price=price,
        )
        call = {"account_id": paying.account.pk, "api_key_id": key.pk, "model": name}
        post([make_final(**call, prompt_tokens=10**6, completion_tokens=500_000)])

    text = page(paying.account)

    assert "At list prices $3.00 The same use since 1 Jan 2028" in text
    assert "Without unknown, whose list price is not known." in text
    assert "paid 1,000,000 500,000 $3.00" in text


def make_invoice(account: Account, number: int, **facts: Any) -> Invoice:
    at = timezone.now() - timedelta(days=30 * number)
    usual: dict[str, Any] = {"status": "paid", "total": 2900, "amount_paid": 2900, "amount_due": 0}
    return Invoice.objects.create(
        account=account,
        stripe_id=f"in_{account.pk}_{number}",
        number=f"N-{number:04}",
        currency="usd",
        period_start=at,
        period_end=at,
        created_at=at,
        **(usual | facts),
    )


def test_invoices_are_listed_page_by_page_with_what_became_of_them(paying: Paying) -> None:
    account = paying.account
    for number in range(15):
        make_invoice(account, number)
    make_invoice(account, 20, refunded=900, pdf_url="https://stripe.example/pdf")
    make_invoice(account, 21, dispute="needs_response")
    make_invoice(account, 22, status="draft")

    first, last = page(account), page(account, "?page=2")

    assert [f"N-{n:04}" in first for n in (0, 11, 12)] == [True, True, False]
    assert "N-0022" not in first + last
    assert "partly refunded PDF of invoice N-0020" in last
    assert "$9.00 given back" in last
    assert "disputed" in last
    assert page(account, "?page=nonsense") == first


def test_what_was_agreed_is_shown_with_its_reason_until_it_is_over(paying: Paying) -> None:
    now = datetime.fromtimestamp(paying.server.now, UTC)
    for days, reason in ((5, "launch week"), (1, "over soon")):
        Override.objects.agree(
            paying.subscription,
            limits={"requests_per_minute": 2000},
            reason=reason,
            ends_at=now + timedelta(days=days),
            by=BY,
        )

    assert "2,000 requests a minute launch week since 1 Jan 2028, until 6 Jan" in page(
        paying.account
    )
    paying.server.advance(days=2)
    assert "over soon" not in page(paying.account)


def test_without_stripe_nothing_can_be_paid_and_no_button_says_so(
    paying: Paying, settings: Settings
) -> None:
    settings.STRIPE = StripeAccess()

    answer = browser_of(owner_of(paying.account)).get("/billing")

    assert "Plans are given out by whoever runs this server" in text_of(answer)
    assert "/billing/change/" not in answer.content.decode()
    assert "Simulated billing" not in text_of(answer)


def test_who_pays_finds_the_way_to_the_time_of_the_simulation(paying: Paying) -> None:
    link = f"{paying.server.url}/time"

    assert link in browser_of(owner_of(paying.account)).get("/billing").content.decode()
    assert "Simulated billing" in paying.server.visit(link).text
    viewer = browser_of(make_colleague(paying.account, "viewer"))
    assert link not in viewer.get("/billing").content.decode()


def test_who_belongs_to_no_account_sees_nothing(db: None) -> None:
    assert browser_of(make_user()).get("/billing").status_code == 403
    assert Client().get("/billing").status_code == 302
