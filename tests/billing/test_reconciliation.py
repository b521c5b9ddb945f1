"""B-6: a night's look finds the one of many that differs, says so, and mends it."""

import pytest

from accounts.models import Notice
from billing import endings, price_sync, reconciliation, reminders
from billing.models import Drift, Invoice, Plan, Price, StripeEvent, Subscription
from tests.billing.paying import Paying
from tests.people import make_account


def others(paying: Paying, number: int) -> list[Paying]:
    """More accounts that pay, of which all is known."""
    several = [
        Paying(paying.server, make_account(plan=Plan.objects.get(slug="free-trial")))
        for _ in range(number)
    ]
    for one in several:
        one.subscribe("monthly")
    return several


def test_where_all_agree_nothing_is_found(paying: Paying) -> None:
    paying.subscribe("monthly")
    others(paying, 3)

    assert reconciliation.reconcile() == []
    assert not Drift.objects.exists()


def test_the_one_that_differs_is_found_told_and_mended(paying: Paying) -> None:
    paying.subscribe("monthly")
    others(paying, 5)
    Subscription.objects.filter(account=paying.account).update(
        status="canceled", ended_because="unpaid"
    )

    [drift] = reconciliation.reconcile()

    assert (drift.account, drift.what) == (paying.account, "has another status")
    assert drift.mended_at
    assert paying.state == ("monthly", "active")
    assert "do not agree in 1 place" in Notice.objects.get(account=None).subject
    assert reconciliation.reconcile() == []


def test_a_change_that_nobody_told_us_of_is_made_ours(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.api.subscriptions.update(paying.subscription.stripe_id, {"cancel_at_period_end": True})
    paying.new()  # lost on the way

    [drift] = reconciliation.reconcile()

    assert drift.what == "ends with its period"
    assert paying.subscription.cancel_at_period_end


def test_what_has_ended_at_stripe_unheard_ends_here(paying: Paying) -> None:
    paying.subscribe("monthly")
    paying.api.subscriptions.cancel(paying.subscription.stripe_id)
    paying.new()

    [drift] = reconciliation.reconcile()

    assert drift.what == "does not run at Stripe"
    assert drift.mended_at
    assert paying.state == ("monthly", "canceled")


def test_what_runs_at_stripe_and_is_nobody_s_stays_open_for_a_person(paying: Paying) -> None:
    paying.begin("monthly")
    by_hand = paying.api.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": paying.customer.stripe_id,
            "line_items": [{"price": paying.price("monthly").stripe_id, "quantity": 1}],
            "success_url": "https://keyplex.example/",
        }
    )
    paying.pay(by_hand.url)

    found = reconciliation.reconcile() + reconciliation.reconcile()

    assert [drift.mended_at for drift in found] == [None, None]
    assert Drift.objects.count() == 1
    assert paying.state == ("free-trial", "trialing")


def test_a_renewal_that_nobody_told_us_of_is_asked_for(paying: Paying) -> None:
    paying.subscribe("monthly")
    stranger = others(paying, 1)[0]
    paying.server.advance(days=32)
    paying.new()
    StripeEvent.objects.all().delete()

    asked = endings.ask_about_late()

    assert asked == 2
    assert Invoice.objects.filter(account=paying.account, reason="subscription_cycle").exists()
    assert stranger.told("subscription.renewed") == 1
    assert endings.ask_about_late() == 0


def test_a_trial_ends_by_the_clock_and_is_announced_before(paying: Paying) -> None:
    paying.server.advance(days=12)
    told = reminders.remind() + reminders.remind()
    early = endings.end_what_is_over()

    paying.server.advance(days=3)
    ended = endings.end_what_is_over() + endings.end_what_is_over()

    assert (told, early, ended) == (1, 0, 1)
    assert paying.state == ("free-trial", "canceled")
    assert paying.subscription.ended_because == "trial"
    assert paying.told("subscription.expired") == 1


def test_long_periods_are_announced_before_they_renew(paying: Paying) -> None:
    paying.subscribe("12-months")
    paying.advance(days=355)
    early = reminders.remind()
    paying.advance(days=6)

    assert early == 0
    assert (reminders.remind(), reminders.remind()) == (1, 0)
    assert any("renews on" in subject for subject in paying.letters())


def test_prices_are_made_once_and_a_new_one_leaves_the_old_to_who_has_it(paying: Paying) -> None:
    paying.subscribe("monthly")
    again = price_sync.sync()
    Plan.objects.filter(slug="monthly").update(unit_amount=3900)

    said = price_sync.sync()
    paying.advance(days=32)

    assert again == []
    assert said == ["Monthly: $39.00 every month"]
    assert paying.price("monthly").unit_amount == 3900
    assert paying.state == ("monthly", "active")
    assert paying.invoices()[0].in_words == "$29.00"


def test_a_plan_that_is_no_longer_for_sale_cannot_be_bought(paying: Paying) -> None:
    old = paying.price("monthly").stripe_id
    Plan.objects.filter(slug="monthly").update(unit_amount=None)

    said = price_sync.sync()

    assert said == ["Monthly: no longer for sale"]
    assert paying.api.prices.retrieve(old).active is False
    assert not Price.objects.filter(plan__slug="monthly", retired_at=None).exists()


def test_a_price_that_comes_back_is_the_one_it_was(paying: Paying) -> None:
    old = paying.price("monthly").stripe_id
    for amount in (3900, 2900):
        Plan.objects.filter(slug="monthly").update(unit_amount=amount)
        price_sync.sync()

    assert paying.price("monthly").stripe_id == old
    assert price_sync.sync() == []


def test_a_dry_run_only_talks(paying: Paying) -> None:
    Plan.objects.filter(slug="monthly").update(unit_amount=3900)

    assert price_sync.sync(dry=True) == ["Monthly: $39.00 every month"]
    assert paying.price("monthly").unit_amount == 2900


@pytest.mark.parametrize("events", [1, 3])
def test_reconciling_tells_operators_once_a_day(paying: Paying, events: int) -> None:
    paying.subscribe("monthly")
    for _ in range(events):
        Subscription.objects.filter(account=paying.account).update(cancel_at_period_end=True)
        reconciliation.reconcile()

    assert Notice.objects.filter(account=None).count() == 1
