"""Upgrades, downgrades and schedules: what is charged, given back, and when."""

from typing import Any

import pytest
import stripe

from tests.billing.shop import DAY, HOUR, MONTHLY, PRO, QUARTERLY, YEARLY, Shop, date, item


def test_an_upgrade_at_once_charges_to_the_cent_what_its_preview_said(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.advance(seconds=10 * DAY + 12_345)
    change: Any = {
        "items": shop.change(subscription, PRO),
        "proration_behavior": "always_invoice",
        "proration_date": shop.server.now,
    }
    preview = shop.client.v1.invoices.create_preview(
        {"subscription": subscription.id, "subscription_details": change}
    )

    shop.server.advance(seconds=600)
    upgraded = shop.client.v1.subscriptions.update(subscription.id, change)

    invoice = shop.invoice(upgraded)
    share = (31 * DAY - 10 * DAY - 12_345) / (31 * DAY)
    assert preview.amount_due == invoice.amount_paid == round(5000 * share) - round(2000 * share)
    assert [line.amount for line in preview.lines] == [line.amount for line in invoice.lines]
    assert preview.id.startswith("upcoming_in_")
    assert item(upgraded).price.id == shop.prices[PRO].id
    assert date(item(upgraded).current_period_end) == "2028-02-01"


def test_a_plan_of_another_length_begins_anew_and_gives_back_what_was_left(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.advance(seconds=15 * DAY + 12 * HOUR)
    change: Any = {"items": shop.change(subscription, YEARLY), "proration_date": shop.server.now}
    preview = shop.client.v1.invoices.create_preview(
        {"subscription": subscription.id, "subscription_details": change}
    )

    upgraded = shop.client.v1.subscriptions.update(subscription.id, change)

    assert shop.invoice(upgraded).amount_paid == preview.amount_due == 19200 - 1000
    assert date(item(upgraded).current_period_start) == "2028-01-16"
    assert date(item(upgraded).current_period_end) == "2029-01-16"


def test_an_upgrade_that_is_not_paid_does_not_happen_if_so_asked(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.control("card", customer=subscription.customer, outcome="card_declined")
    change: Any = {"items": shop.change(subscription, PRO), "proration_behavior": "always_invoice"}
    strictly: Any = {**change, "payment_behavior": "error_if_incomplete"}

    with pytest.raises(stripe.CardError):
        shop.client.v1.subscriptions.update(subscription.id, strictly)
    before = shop.subscription(subscription.id)
    owing = shop.client.v1.subscriptions.update(subscription.id, change)

    assert item(before).price.id == shop.prices[MONTHLY].id
    assert before.latest_invoice == subscription.latest_invoice
    assert (owing.status, item(owing).price.id) == ("past_due", shop.prices[PRO].id)


def test_prorations_that_are_not_invoiced_wait_for_the_next_invoice(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.advance(seconds=15 * DAY + 12 * HOUR)

    shop.client.v1.subscriptions.update(subscription.id, {"items": shop.change(subscription, PRO)})
    upcoming = shop.client.v1.invoices.create_preview({"subscription": subscription.id})
    shop.server.advance(days=17)

    paid = shop.invoice(shop.subscription(subscription.id))
    assert [line.amount for line in upcoming.lines] == [-1000, 2500, 5000]
    assert paid.amount_paid == upcoming.amount_due == 6500


def test_what_waited_for_the_next_invoice_is_on_that_one_alone(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.advance(seconds=15 * DAY + 12 * HOUR)
    update = shop.client.v1.subscriptions.update
    update(subscription.id, {"items": shop.change(subscription, PRO)})

    yearly = update(subscription.id, {"items": shop.change(subscription, YEARLY)})
    upcoming = shop.client.v1.invoices.create_preview({"subscription": subscription.id})

    amounts = [line.amount for line in shop.invoice(yearly).lines]
    assert amounts == [-1000, 2500, -2500, 19200]
    assert [line.amount for line in upcoming.lines] == [19200]


def test_what_a_cheaper_plan_leaves_over_is_credit_for_the_next_invoice(shop: Shop) -> None:
    subscription = shop.subscribe(plan=YEARLY)

    changed = shop.client.v1.subscriptions.update(
        subscription.id, {"items": shop.change(subscription, MONTHLY)}
    )
    customer = shop.client.v1.customers.retrieve(str(subscription.customer))
    shop.server.advance(days=32)

    assert shop.invoice(changed).amount_due == 0
    assert customer.balance == 2000 - 19200
    renewal = shop.invoice(shop.subscription(subscription.id))
    assert (renewal.status, renewal.amount_paid, renewal.total) == ("paid", 0, 2000)
    assert (renewal.starting_balance, renewal.ending_balance) == (-17200, -15200)


def test_a_schedule_changes_the_plan_when_the_period_ends_and_lets_go(shop: Shop) -> None:
    subscription = shop.subscribe(plan=QUARTERLY)
    schedules = shop.client.v1.subscription_schedules
    schedule = schedules.create({"from_subscription": subscription.id})
    [running] = schedule.phases
    now: Any = {"price": shop.prices[QUARTERLY].id, "quantity": 1}
    later: Any = {"price": shop.prices[MONTHLY].id, "quantity": 1}

    schedules.update(
        schedule.id,
        {
            "end_behavior": "release",
            "phases": [
                {"items": [now], "start_date": running.start_date, "end_date": running.end_date},
                {"items": [later], "duration": {"interval": "month", "interval_count": 1}},
            ],
        },
    )
    upcoming = shop.client.v1.invoices.create_preview({"subscription": subscription.id})
    shop.server.advance(days=92)

    changed = shop.subscription(subscription.id)
    assert upcoming.amount_due == shop.invoice(changed).amount_paid == 2000
    assert item(changed).price.id == shop.prices[MONTHLY].id
    assert date(item(changed).current_period_end) == "2028-05-01"
    assert schedules.retrieve(schedule.id).status == "active"
    shop.server.advance(days=31)
    assert schedules.retrieve(schedule.id).status == "released"
    assert shop.subscription(subscription.id).schedule is None


def test_a_schedule_that_is_released_changes_nothing(shop: Shop) -> None:
    subscription = shop.subscribe()
    schedule = shop.client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    released = shop.client.v1.subscription_schedules.release(schedule.id)

    assert (released.status, released.released_subscription) == ("released", subscription.id)
    assert shop.subscription(subscription.id).schedule is None
