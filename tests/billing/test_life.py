"""Renewals, debts and their payment, and a whole life as Stripe would tell it."""

from typing import Any

import pytest
import stripe

from tests.billing.shop import DAY, HOUR, PRO, Shop, date, item
from tests.billing.stripe_server import ASKING, BEGINNING, GOOD, LATER_BAD


def test_a_renewal_is_invoiced_at_the_period_s_end_and_charged_an_hour_later(shop: Shop) -> None:
    subscription = shop.subscribe()

    shop.server.advance(days=31)
    draft = shop.invoice(shop.subscription(subscription.id))
    shop.server.advance(seconds=HOUR)

    renewed = shop.subscription(subscription.id)
    paid = shop.invoice(renewed)
    assert (draft.status, paid.status, paid.amount_paid) == ("draft", "paid", 2000)
    assert paid.billing_reason == "subscription_cycle"
    assert paid.parent
    assert paid.parent.subscription_details
    assert paid.parent.subscription_details.subscription == subscription.id
    assert date(item(renewed).current_period_start) == "2028-02-01"
    assert date(item(renewed).current_period_end) == "2028-03-01"


def test_periods_end_on_the_day_they_began_on_or_the_last_of_a_short_month(shop: Shop) -> None:
    shop.server.advance(to=BEGINNING + 30 * DAY)
    subscription = shop.subscribe()

    ends = [date(item(subscription).current_period_end)]
    for _ in range(2):
        shop.server.advance(days=31)
        ends.append(date(item(shop.subscription(subscription.id)).current_period_end))

    assert ends == ["2028-02-29", "2028-03-31", "2028-04-30"]


def test_a_card_that_fails_is_tried_three_more_times_and_then_the_subscription_ends(
    shop: Shop,
) -> None:
    subscription = shop.subscribe()
    shop.server.control("card", customer=subscription.customer, outcome="insufficient_funds")

    statuses, attempts = [], []
    for days in (32, 3, 5, 7):
        shop.server.advance(days=days)
        now = shop.subscription(subscription.id)
        statuses.append(now.status)
        attempts.append(shop.invoice(now).attempt_count)

    assert statuses == ["past_due", "past_due", "past_due", "canceled"]
    assert attempts == [1, 2, 3, 4]
    assert now.cancellation_details
    assert now.cancellation_details.reason == "payment_failed"
    types = shop.server.types()
    assert types.count("invoice.payment_failed") == 4
    assert types.count("customer.subscription.deleted") == 1


def test_a_new_card_on_the_invoice_s_page_brings_a_debtor_back(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.control("card", customer=subscription.customer, outcome="card_declined")
    shop.server.advance(days=32)
    owed = shop.invoice(shop.subscription(subscription.id))

    again = shop.server.visit(str(owed.hosted_invoice_url), action="pay", number=LATER_BAD)
    paid = shop.server.visit(str(owed.hosted_invoice_url), action="pay", number=GOOD)

    assert (owed.status, again.status_code, paid.status_code) == ("open", 422, 200)
    assert shop.subscription(subscription.id).status == "active"
    shop.server.advance(days=60)
    assert shop.subscription(subscription.id).status == "active"


def test_an_invoice_is_paid_by_call_with_another_card_or_the_refusal_is_on_record(
    shop: Shop,
) -> None:
    subscription = shop.subscribe()
    customer = str(subscription.customer)
    shop.server.control("card", customer=customer, outcome="card_declined")
    shop.server.advance(days=32)
    invoice = str(shop.subscription(subscription.id).latest_invoice)

    with pytest.raises(stripe.CardError) as refused:
        shop.client.v1.invoices.pay(invoice)
    count = shop.client.v1.invoices.retrieve(invoice).attempt_count
    shop.server.control("card", customer=customer, outcome="accepted")
    paid = shop.client.v1.invoices.pay(invoice)

    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    assert count == 2
    assert (paid.status, paid.attempt_count) == ("paid", 3)


def test_a_bank_that_asks_at_a_renewal_is_answered_on_the_invoice_s_page(shop: Shop) -> None:
    session = shop.offer(shop.customer().id)
    shop.server.visit(session.url, action="pay", number=ASKING)
    shop.server.visit(session.url, action="approve")
    shop.server.advance(days=32)
    [owing] = shop.client.v1.subscriptions.list().data
    page = str(shop.invoice(owing).hosted_invoice_url)

    shop.server.visit(page, action="approve")

    assert owing.status == "past_due"
    assert "invoice.payment_action_required" in shop.server.types()
    assert shop.subscription(owing.id).status == "active"


def test_a_whole_life_ends_where_it_should(shop: Shop) -> None:
    subscription = shop.subscribe()
    customer = str(subscription.customer)
    shop.server.advance(days=32)
    shop.server.control("card", customer=customer, outcome="card_declined")
    shop.server.advance(days=30)
    failed = shop.subscription(subscription.id)
    shop.server.visit(str(shop.invoice(failed).hosted_invoice_url), action="pay", number=GOOD)
    change: Any = {"items": shop.change(subscription, PRO), "proration_date": shop.server.now}
    asked: Any = {**change, "proration_behavior": "always_invoice"}
    preview = shop.client.v1.invoices.create_preview(
        {"subscription": subscription.id, "subscription_details": asked}
    )
    upgraded = shop.client.v1.subscriptions.update(subscription.id, asked)

    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    shop.server.advance(days=40)

    assert (failed.status, upgraded.status) == ("past_due", "active")
    assert shop.invoice(upgraded).amount_paid == preview.amount_due > 0
    assert shop.subscription(subscription.id).status == "canceled"
    paid = shop.client.v1.invoices.list({"customer": customer, "status": "paid"}).data
    assert [one.amount_paid for one in paid] == [preview.amount_due, 2000, 2000, 2000]
    told = shop.server.types()
    assert told.count("invoice.paid") == 4
    assert told[-1] == "customer.subscription.deleted"
