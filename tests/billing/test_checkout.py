"""A checkout that is paid, refused, asked about or left alone."""

import stripe

from tests.billing.shop import Shop, date, item
from tests.billing.stripe_server import ASKING, GOOD, LATER_BAD, REFUSED


def test_a_checkout_that_is_paid_begins_a_subscription_and_tells_of_it(shop: Shop) -> None:
    session = shop.offer(shop.customer().id, metadata={"account": "1"})

    answer = shop.server.visit(session.url, action="pay", number=GOOD)

    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert answer.headers["location"] == f"https://keyplex.example/thanks?s={session.id}"
    assert (done.status, done.payment_status, done.amount_total) == ("complete", "paid", 2000)
    assert done.client_reference_id == "account-1"
    subscription = done.subscription
    assert isinstance(subscription, stripe.Subscription)
    assert subscription.status == "active"
    assert date(item(subscription).current_period_end) == "2028-02-01"
    types = shop.server.types()
    assert types.index("customer.subscription.created") < types.index("invoice.paid")
    assert types[-1] == "checkout.session.completed"


def test_a_card_that_is_refused_leaves_nothing_behind_and_another_may_be_tried(shop: Shop) -> None:
    session = shop.offer(shop.customer().id)

    refused = shop.server.visit(session.url, action="pay", number=REFUSED)
    declined = shop.server.visit(session.url, action="pay", number=LATER_BAD)
    nothing = shop.client.v1.subscriptions.list({"status": "all"}).data
    paid = shop.server.visit(session.url, action="pay", number=GOOD)

    assert (refused.status_code, declined.status_code) == (422, 422)
    assert "The card was declined" in declined.text
    assert nothing == []
    assert paid.status_code == 303


def test_a_bank_that_asks_first_leaves_the_subscription_incomplete_until_then(shop: Shop) -> None:
    session = shop.offer(shop.customer().id)

    asked = shop.server.visit(session.url, action="pay", number=ASKING)
    [waiting] = shop.client.v1.subscriptions.list({"status": "all"}).data
    answer = shop.server.visit(session.url, action="approve")

    assert asked.status_code == 200
    assert waiting.status == "incomplete"
    assert answer.status_code == 303
    assert shop.subscription(waiting.id).status == "active"


def test_who_never_answers_their_bank_has_no_subscription_after_a_day(shop: Shop) -> None:
    session = shop.offer(shop.customer().id)
    shop.server.visit(session.url, action="pay", number=ASKING)

    shop.server.advance(days=1)

    [expired] = shop.client.v1.subscriptions.list({"status": "all"}).data
    assert expired.status == "incomplete_expired"
    assert shop.invoice(expired).status == "void"
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_who_says_no_to_their_bank_may_take_another_card(shop: Shop) -> None:
    session = shop.offer(shop.customer().id)
    shop.server.visit(session.url, action="pay", number=ASKING)

    shop.server.visit(session.url, action="refuse")
    answer = shop.server.visit(session.url, action="pay", number=GOOD)

    [only] = shop.client.v1.subscriptions.list({"status": "all"}).data
    assert answer.status_code == 303
    assert only.status == "active"
