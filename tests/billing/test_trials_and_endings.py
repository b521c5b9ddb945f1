"""How a subscription begins for nothing, and how it ends."""

import pytest
import stripe

from tests.billing.shop import HOUR, YEARLY, Shop, date, item


def test_a_subscription_that_is_cancelled_lasts_until_its_period_ends(shop: Shop) -> None:
    subscription = shop.subscribe()

    update = shop.client.v1.subscriptions.update
    cancelled = update(subscription.id, {"cancel_at_period_end": True})
    resumed = update(subscription.id, {"cancel_at_period_end": False})
    update(subscription.id, {"cancel_at_period_end": True})
    shop.server.advance(days=30)
    still = shop.subscription(subscription.id)
    shop.server.advance(days=1)

    over = shop.subscription(subscription.id)
    assert cancelled.cancel_at == item(cancelled).current_period_end
    assert (resumed.cancel_at, resumed.canceled_at) == (None, None)
    assert (still.status, over.status) == ("active", "canceled")
    assert over.ended_at == item(over).current_period_end
    assert len(shop.client.v1.invoices.list({"subscription": subscription.id}).data) == 1
    with pytest.raises(stripe.InvalidRequestError):
        update(subscription.id, {"cancel_at_period_end": False})


def test_a_subscription_that_will_end_does_so_when_its_new_period_does(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    yearly = shop.client.v1.subscriptions.update(
        subscription.id, {"items": shop.change(subscription, YEARLY)}
    )

    assert yearly.cancel_at == item(yearly).current_period_end
    assert date(item(yearly).current_period_end) == "2029-01-01"


def test_a_subscription_that_is_cancelled_at_once_is_over(shop: Shop) -> None:
    subscription = shop.subscribe()

    over = shop.client.v1.subscriptions.cancel(
        subscription.id, {"cancellation_details": {"comment": "too slow"}}
    )

    assert over.status == "canceled"
    assert shop.client.v1.subscriptions.list().data == []
    assert [one.id for one in shop.client.v1.subscriptions.list({"status": "all"})] == [over.id]


def test_a_trial_is_free_gives_notice_and_becomes_a_paid_subscription(shop: Shop) -> None:
    subscription = shop.subscribe(subscription_data={"trial_period_days": 14})
    first = shop.invoice(subscription)

    shop.server.advance(days=11)
    noticed = "customer.subscription.trial_will_end" in shop.server.types()
    shop.server.advance(days=3, seconds=HOUR)

    active = shop.subscription(subscription.id)
    assert (subscription.status, first.amount_paid, first.status) == ("trialing", 0, "paid")
    assert noticed
    assert (active.status, shop.invoice(active).amount_paid) == ("active", 2000)
    assert date(item(active).current_period_end) == "2028-02-15"


def test_a_trial_without_a_card_ends_as_was_agreed(shop: Shop) -> None:
    session = shop.offer(
        shop.customer().id,
        payment_method_collection="if_required",
        subscription_data={
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
        },
    )
    shop.server.visit(session.url, action="pay")
    [trial] = shop.client.v1.subscriptions.list().data

    shop.server.advance(days=7)

    done = shop.client.v1.checkout.sessions.retrieve(session.id)
    assert (done.payment_status, trial.status) == ("no_payment_required", "trialing")
    assert shop.subscription(trial.id).status == "canceled"


def test_a_trial_that_is_ended_now_is_charged_now(shop: Shop) -> None:
    subscription = shop.subscribe(subscription_data={"trial_period_days": 14})
    shop.server.advance(days=2)

    active = shop.client.v1.subscriptions.update(subscription.id, {"trial_end": "now"})

    assert (active.status, shop.invoice(active).amount_paid) == ("active", 2000)
    assert date(item(active).current_period_end) == "2028-02-03"
