"""Events reach the receiver, signed; twice, late or in another order if that is wanted."""

import time

import pytest
import stripe

from tests.billing.shop import Shop
from tests.billing.stripe_server import KEY, SECRET, StripeServer, until
from tests.webhooks.receivers import Received


def verified(received: Received) -> stripe.Event:
    """As the official client reads it. Raises SignatureVerificationError."""
    client = stripe.StripeClient(KEY)
    return client.construct_event(received.body, received.headers["stripe-signature"], SECRET)


def test_an_event_is_signed_so_that_the_official_client_believes_it(shop: Shop) -> None:
    customer = shop.customer()

    [received] = shop.server.events("customer.created")

    event = verified(received)
    assert event.data.object["id"] == customer.id
    assert event.livemode is False
    with pytest.raises(stripe.SignatureVerificationError):
        verified(Received(received.headers, received.body.replace(b"alice", b"mallory")))


def test_an_update_says_what_was_before(shop: Shop) -> None:
    subscription = shop.subscribe()

    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    last = shop.server.events("customer.subscription.updated")[-1].document["data"]
    assert last["object"]["cancel_at_period_end"] is True
    assert last["previous_attributes"]["cancel_at_period_end"] is False
    assert "status" not in last["previous_attributes"]
    assert "_pending" not in last["object"]


def test_what_the_receiver_refuses_is_sent_again_until_it_agrees(shop: Shop) -> None:
    shop.server.settle()
    shop.server.receiver.statuses[:] = [500, 503, 200]

    shop.customer()

    waiting = shop.client.v1.events.list({"type": "customer.created"}).data[0]
    shop.server.settle()
    statuses = [one.status for one in shop.server.receiver.received[-3:]]
    delivered = shop.client.v1.events.retrieve(waiting.id)
    assert statuses == [500, 503, 200]
    assert (waiting.pending_webhooks, delivered.pending_webhooks) == (1, 0)


def test_what_is_held_back_can_be_sent_in_any_order_and_again(shop: Shop) -> None:
    shop.server.settle()
    shop.server.control("deliveries", held=True)
    shop.server.receiver.received.clear()
    shop.subscribe()
    held = shop.server.control("deliveries")["waiting"]
    backwards = held[::-1]

    said = shop.server.control("deliver", events=[*backwards, held[0], held[0]])

    ids = [one.document["id"] for one in shop.server.receiver.received]
    assert said["statuses"] == [200] * (len(held) + 2)
    assert ids == [*backwards, held[0], held[0]]
    assert shop.server.control("deliveries")["waiting"] == []


def test_what_was_held_back_comes_in_order_when_it_is_let_go(shop: Shop) -> None:
    shop.server.control("deliveries", held=True)
    shop.subscribe()
    held = shop.server.control("deliveries")["waiting"]

    shop.server.control("deliveries", held=False)

    shop.server.settle()
    ids = [one.document["id"] for one in shop.server.receiver.received]
    assert ids[-len(held) :] == held


def test_an_old_event_can_be_replayed_with_a_fresh_signature(shop: Shop) -> None:
    subscription = shop.subscribe()
    [created] = shop.server.events("customer.subscription.created")
    shop.client.v1.subscriptions.cancel(subscription.id)
    shop.server.settle()

    shop.server.control("deliver", events=[created.document["id"]])

    replayed = shop.server.receiver.received[-1]
    assert verified(replayed).data.object["status"] == "incomplete"
    assert replayed.document["data"] == created.document["data"]


def test_every_event_can_come_twice(shop: Shop) -> None:
    shop.server.settle()
    shop.server.control("deliveries", times=2)

    shop.customer()

    received = shop.server.events("customer.created")
    assert len(received) == 2
    assert received[0].document["id"] == received[1].document["id"]


def test_events_can_come_late(shop: Shop) -> None:
    shop.server.settle()
    shop.server.control("deliveries", delay=1.5)

    shop.customer()

    time.sleep(0.5)
    early = [one for one in shop.server.receiver.received if one.type == "customer.created"]
    assert early == []
    assert len(shop.server.events("customer.created")) == 1


def test_the_receiver_may_ask_for_the_object_before_it_answers(own_server: StripeServer) -> None:
    own_server.receiver.silent = True
    own_server.start()
    own_server.client.v1.customers.create({"name": "A"})

    until(lambda: own_server.receiver.received, bool)
    started = time.monotonic()
    own_server.client.v1.customers.list()

    assert time.monotonic() - started < 2


def test_the_outcome_of_a_delivery_that_nobody_answers_is_none(own_server: StripeServer) -> None:
    own_server.start()
    own_server.control("deliveries", held=True)
    own_server.client.v1.customers.create({"name": "A"})
    own_server.receiver.statuses[:] = [302]

    said = own_server.control("deliver")

    assert said["statuses"] == [302]
    assert len(own_server.control("deliveries")["waiting"]) == 1
