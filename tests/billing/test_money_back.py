"""Refunds, disputes, tax ids, and customers who leave."""

import pytest
import stripe

from tests.billing.shop import Shop
from tests.billing.stripe_server import GOOD


def payment_of(shop: Shop, subscription: stripe.Subscription) -> str:
    """The payment intent of the latest invoice, as it is found since ``invoice.payment_intent``."""
    [payment] = shop.client.v1.invoice_payments.list({"invoice": str(subscription.latest_invoice)})
    return str(payment.payment.payment_intent)


def test_a_payment_is_refunded_in_parts_but_never_twice(shop: Shop) -> None:
    paid = payment_of(shop, shop.subscribe())
    refunds = shop.client.v1.refunds

    part = refunds.create(
        {"payment_intent": paid, "amount": 500, "reason": "requested_by_customer"}
    )
    with pytest.raises(stripe.InvalidRequestError):
        refunds.create({"payment_intent": paid, "amount": 1501})
    rest = refunds.create({"payment_intent": paid})
    with pytest.raises(stripe.InvalidRequestError) as nothing_left:
        refunds.create({"payment_intent": paid})

    assert (part.amount, part.status, rest.amount) == (500, "succeeded", 1500)
    assert nothing_left.value.code == "charge_already_refunded"
    charge = shop.client.v1.charges.retrieve(str(rest.charge), {"expand": ["refunds"]})
    assert charge.refunded
    assert charge.refunds
    assert len(charge.refunds.data) == 2
    assert shop.server.types().count("charge.refunded") == 2


@pytest.mark.parametrize(("won", "last"), [(True, "funds_reinstated"), (False, "closed")])
def test_a_dispute_takes_the_money_until_it_is_decided(shop: Shop, won: bool, last: str) -> None:
    intent = shop.client.v1.payment_intents.retrieve(payment_of(shop, shop.subscribe()))

    dispute = shop.server.control("dispute", charge=intent.latest_charge)
    open_one = shop.client.v1.disputes.retrieve(dispute["id"])
    shop.server.control("dispute/close", dispute=dispute["id"], won=won)

    closed = shop.client.v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert open_one.status == "needs_response"
    assert closed.status == ("won" if won else "lost")
    assert "charge.dispute.created" in shop.server.types()
    assert shop.server.types()[-1] == f"charge.dispute.{last}"


def test_a_customer_has_tax_ids(shop: Shop) -> None:
    customer = shop.customer()
    tax_ids = shop.client.v1.customers.tax_ids

    made = tax_ids.create(customer.id, {"type": "eu_vat", "value": "DE123456789"})
    listed = tax_ids.list(customer.id).data
    tax_ids.delete(customer.id, made.id)

    assert [one.value for one in listed] == ["DE123456789"]
    assert made.country == "DE"
    assert tax_ids.list(customer.id).data == []


def test_a_tax_id_can_be_given_at_the_checkout(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.offer(customer.id, tax_id_collection={"enabled": True})

    shop.server.visit(session.url, action="pay", number=GOOD, eu_vat="FR40303265045")

    done = shop.client.v1.checkout.sessions.retrieve(session.id)
    assert done.customer_details
    assert done.customer_details.tax_ids
    assert done.customer_details.tax_ids[0].value == "FR40303265045"
    assert len(shop.client.v1.customers.tax_ids.list(customer.id).data) == 1


def test_one_card_has_one_fingerprint_whoever_uses_it(shop: Shop) -> None:
    subscriptions = [shop.subscribe(shop.customer(f"{name}@example.org").id) for name in "ab"]

    methods = [
        shop.client.v1.payment_methods.retrieve(str(one.default_payment_method))
        for one in subscriptions
    ]

    cards = [method.card for method in methods if method.card]
    assert cards[0].fingerprint == cards[1].fingerprint
    assert (cards[0].brand, cards[0].last4) == ("visa", "4242")
    assert methods[0].id != methods[1].id


def test_a_customer_who_is_deleted_takes_their_subscriptions_along(shop: Shop) -> None:
    subscription = shop.subscribe()
    customers = shop.client.v1.customers

    customers.delete(str(subscription.customer))

    assert customers.retrieve(str(subscription.customer)).deleted
    assert customers.list().data == []
    assert shop.subscription(subscription.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        shop.offer(str(subscription.customer))
