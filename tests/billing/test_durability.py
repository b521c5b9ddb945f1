"""What was answered is kept, whatever happens to the process."""

import subprocess
import sys
import threading
import time

import pytest
import stripe

from tests.billing.shop import Shop
from tests.billing.stripe_server import BEGINNING, StripeServer, until


def test_a_killed_process_goes_on_where_it_was(own_server: StripeServer) -> None:
    own_server.start()
    own_server.begin()
    shop = Shop(own_server)
    subscription = shop.subscribe()

    own_server.kill()
    own_server.start()

    assert own_server.now == BEGINNING
    assert shop.subscription(subscription.id).to_dict() == subscription.to_dict()
    own_server.advance(days=32)
    assert shop.invoice(shop.subscription(subscription.id)).status == "paid"
    again = own_server.client.v1.customers.create({"email": "x"}, {"idempotency_key": "k"})
    own_server.kill()
    own_server.start()
    same = own_server.client.v1.customers.create({"email": "x"}, {"idempotency_key": "k"})
    assert same.id == again.id


def test_events_that_were_not_delivered_are_after_the_restart(own_server: StripeServer) -> None:
    own_server.receiver.statuses[:] = [500]
    own_server.start()
    own_server.client.v1.customers.create({"email": "a@example.org"})
    until(lambda: own_server.receiver.received, bool)
    own_server.kill()
    own_server.receiver.statuses[:] = [200]

    own_server.start()

    [event] = own_server.events("customer.created")
    assert event.document["data"]["object"]["email"] == "a@example.org"


def test_nothing_that_was_answered_is_lost_when_it_is_killed_at_any_moment(
    own_server: StripeServer,
) -> None:
    own_server.start()
    answered: list[str] = []

    def write() -> None:
        client = own_server.client
        for number in range(2000):
            try:
                answered.append(client.v1.customers.create({"name": str(number)}).id)
            except stripe.StripeError:
                return

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    until(lambda: len(answered), lambda count: count > 50)
    own_server.kill()
    for writer in writers:
        writer.join()

    own_server.start()

    listed = own_server.client.v1.customers.list({"limit": 100}).auto_paging_iter()
    assert set(answered) <= {customer.id for customer in listed}


def test_who_never_pays_may_be_left_unpaid_instead(own_server: StripeServer) -> None:
    own_server.options = ("--after-retries", "unpaid")
    own_server.start()
    own_server.begin()
    shop = Shop(own_server)
    subscription = shop.subscribe()
    own_server.control("card", customer=subscription.customer, outcome="card_declined")

    for days in (32, 3, 5, 7, 20):
        own_server.advance(days=days)

    unpaid = shop.subscription(subscription.id)
    assert unpaid.status == "unpaid"
    assert shop.invoice(unpaid).status == "draft"


def test_a_crowd_that_asks_at_once_under_one_key_gets_one_answer(own_server: StripeServer) -> None:
    own_server.start()
    client, made = own_server.client, []

    def ask() -> None:
        customer = client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
        made.append(customer.id)

    crowd = [threading.Thread(target=ask) for _ in range(10)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert len(made) == 10
    assert len(set(made)) == 1


def test_a_clock_that_runs_keeps_what_it_was_advanced_by(own_server: StripeServer) -> None:
    own_server.start()
    own_server.advance(days=10)

    own_server.kill()
    own_server.start()

    assert abs(own_server.now - time.time() - 10 * 24 * 3600) < 5
    assert own_server.control("clock")["frozen"] is False


@pytest.mark.parametrize(
    "options",
    [
        ["--key", "sk_live_real"],
        ["--webhook", "http://127.0.0.1:1/", "--webhook-secret", ""],
        ["--webhook", "http://127.0.0.1:1/", "--webhook-secret", "short"],
    ],
)
def test_a_real_key_or_an_unsigned_webhook_is_refused(options: list[str]) -> None:
    command = [sys.executable, "-m", "billing.simulated", "--port", "0", "--state", ":memory:"]

    ended = subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert "must begin with" in ended.stderr or "begins with" in ended.stderr
