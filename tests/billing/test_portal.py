"""What customers do in the billing portal, as far as its configuration lets them."""

import re
from typing import Any

import pytest
import stripe

from tests.billing.shop import (
    BACK,
    MONTHLY,
    PRO,
    Shop,
    item,
    portal,
)
from tests.billing.stripe_server import LATER_BAD, POOR


def test_the_portal_cancels_and_resumes(shop: Shop) -> None:
    subscription = shop.subscribe()
    url = portal(shop, str(subscription.customer))

    shop.server.visit(url, action="cancel", subscription=subscription.id)
    cancelled = shop.subscription(subscription.id).cancel_at
    shop.server.visit(url, action="resume", subscription=subscription.id)

    assert cancelled == item(shop.subscription(subscription.id)).current_period_end
    assert shop.subscription(subscription.id).cancel_at is None


def test_the_portal_changes_the_plan_for_what_it_has_shown(shop: Shop) -> None:
    subscription = shop.subscribe()
    url, price = portal(shop, str(subscription.customer)), shop.prices[PRO].id
    shop.server.advance(days=10)

    page = shop.server.visit(url, action="preview", subscription=subscription.id, price=price).text
    shown = re.search(r"about ([\d.]+) USD", page)
    moment = re.search(r'name="proration_date" value="(\d+)"', page)
    assert shown
    assert moment
    shop.server.advance(seconds=300)
    shop.server.visit(
        *(url,),
        action="change",
        subscription=subscription.id,
        price=price,
        proration_date=moment[1],
    )

    changed = shop.subscription(subscription.id)
    assert item(changed).price.id == price
    assert f"{shop.invoice(changed).amount_paid / 100:.2f}" == shown[1]


@pytest.mark.parametrize("forged", ["0", "1830297600", "x", "-1", "9" * 30])
def test_nobody_names_the_moment_that_their_own_discount_is_counted_from(
    shop: Shop, forged: str
) -> None:
    subscription = shop.subscribe()
    shop.server.advance(days=10)

    shop.server.visit(
        portal(shop, str(subscription.customer)),
        action="change",
        subscription=subscription.id,
        price=shop.prices[PRO].id,
        proration_date=forged,
    )

    share = 21 / 31
    expected = round(5000 * share) - round(2000 * share)
    assert shop.invoice(shop.subscription(subscription.id)).amount_paid == expected


@pytest.mark.parametrize("own_card", [True, False])
def test_a_new_card_in_the_portal_is_charged_unless_the_subscription_has_its_own(
    shop: Shop, own_card: bool
) -> None:
    subscription = shop.subscribe()
    url = portal(shop, str(subscription.customer))
    if not own_card:
        follow: Any = {"default_payment_method": ""}
        shop.client.v1.subscriptions.update(subscription.id, follow)

    shop.server.visit(url, action="card", number=LATER_BAD)
    shop.server.advance(days=32)
    owing = shop.subscription(subscription.id)
    refused = shop.server.visit(url, action="card", number=POOR)

    assert owing.status == ("active" if own_card else "past_due")
    assert refused.status_code == 422


def test_the_portal_takes_down_who_somebody_is(shop: Shop) -> None:
    customer = str(shop.subscribe().customer)

    shop.server.visit(
        *(portal(shop, customer),), action="details", name="Bob", email="", tax_id="DE123456789"
    )

    bob = shop.client.v1.customers.retrieve(customer, {"expand": ["tax_ids"]})
    assert bob.name == "Bob"
    assert bob.tax_ids
    assert bob.tax_ids.data[0].value == "DE123456789"


def test_what_the_portal_does_not_allow_is_neither_shown_nor_done(shop: Shop) -> None:
    subscription = shop.subscribe()
    customer = str(subscription.customer)
    without_cancel = portal(shop, customer, without="subscription_cancel")
    without_change = portal(shop, customer, without="subscription_update")

    shop.server.visit(without_cancel, action="cancel", subscription=subscription.id)
    shop.server.visit(
        *(without_change,),
        action="change",
        subscription=subscription.id,
        price=shop.prices[PRO].id,
    )

    assert "Cancel at period end" not in shop.server.visit(without_cancel).text
    assert "Change to" not in shop.server.visit(without_change).text
    untouched = shop.subscription(subscription.id)
    assert untouched.cancel_at is None
    assert item(untouched).price.id == shop.prices[MONTHLY].id


def test_nobody_touches_the_subscription_of_a_stranger_in_the_portal(shop: Shop) -> None:
    hers = shop.subscribe(shop.customer("alice@example.org").id)
    his = shop.subscribe(shop.customer("charlie@example.org").id)

    answer = shop.server.visit(
        *(portal(shop, str(his.customer)),), action="cancel", subscription=hers.id
    )

    assert answer.status_code == 422
    assert shop.subscription(hers.id).cancel_at is None


def test_a_flow_shows_its_own_part_and_comes_back(shop: Shop) -> None:
    subscription = shop.subscribe()
    flow = {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscription.id},
        "after_completion": {"type": "redirect", "redirect": {"return_url": f"{BACK}?done"}},
    }
    url = portal(shop, str(subscription.customer), flow_data=flow)

    shown = shop.server.visit(url).text
    answer = shop.server.visit(url, action="cancel", subscription=subscription.id)

    assert "Card number" not in shown
    assert answer.headers["location"] == f"{BACK}?done"


def test_a_portal_that_nobody_configured_is_refused_as_at_stripe(shop: Shop) -> None:
    customer = shop.customer()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.billing_portal.sessions.create({"customer": customer.id})

    assert refused.value.param == "configuration"
