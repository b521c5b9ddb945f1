"""A webhook is signed, sent once, and tried again until the receiver says yes."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.people import make_account
from tests.webhooks.receivers import Receiver
from tests.webhooks.things import later, make_delivery, make_endpoint, tell, work
from webhooks import schedule, sending
from webhooks.claims import LEASE, claim
from webhooks.models import Attempt, Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db
AGES = timedelta(days=2)  # longer than any wait between two attempts


def test_what_happened_reaches_the_receiver_in_the_shape_of_the_seed(receiver: Receiver) -> None:
    delivery = make_delivery(receiver.url, threshold=80)

    work()

    [request] = receiver.received
    assert request.headers["content-type"] == "application/json"
    assert request.document == {
        "id": delivery.event_id,
        "type": "api_key.created",
        "created": int(delivery.event.created_at.timestamp()),
        "data": {"account_id": delivery.event.account_id, "threshold": 80},
        "sequence": 1,
    }
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("delivered", 1)
    [attempt] = delivery.attempts.all()
    assert (attempt.status_code, attempt.error, attempt.excerpt) == (200, "", "thank you")


def test_only_endpoints_that_listen_are_told_and_nobody_elses(receiver: Receiver) -> None:
    account = make_account()
    listening, _ = make_endpoint(account, url=receiver.url + "/mine")
    make_endpoint(account, url=receiver.url + "/deaf", events=["usage.limit_exceeded"])
    disabled, _ = make_endpoint(account, url=receiver.url + "/off")
    disabled.disable(Endpoint.Disabled.USER)
    make_endpoint(url=receiver.url + "/stranger")

    event = tell(account)

    assert [delivery.endpoint for delivery in event.deliveries.all()] == [listening]


def test_what_was_said_yes_to_is_not_sent_again(receiver: Receiver) -> None:
    make_delivery(receiver.url)

    work()
    later(AGES)
    work()
    sending.sweep()

    assert len(receiver.received) == 1


def test_two_workers_do_not_send_the_same_delivery_twice(receiver: Receiver) -> None:
    delivery = make_delivery(receiver.url)

    first = claim(delivery.endpoint_id)
    second = claim(delivery.endpoint_id)

    assert first is not None
    assert first.pk == delivery.pk
    assert second is None


def test_what_a_worker_was_sending_when_it_died_is_sent_again_with_the_same_id(
    receiver: Receiver,
) -> None:
    delivery = make_delivery(receiver.url)
    claimed = claim(delivery.endpoint_id)
    assert claimed is not None
    sending.send(claimed, delivery.endpoint)

    work()
    assert len(receiver.received) == 1
    later(LEASE)
    work()

    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery.event_id
    assert first.body == second.body


def test_a_failure_is_tried_again_ten_times_in_all_and_then_given_up(receiver: Receiver) -> None:
    receiver.statuses = [500]
    delivery = make_delivery(receiver.url)

    for _ in range(schedule.ATTEMPTS + 3):
        work()
        later(AGES)

    delivery.refresh_from_db()
    assert delivery.status == "failed"
    assert len(receiver.received) == delivery.attempts.count() == 10
    assert [attempt.number for attempt in delivery.attempts.all()] == list(range(1, 11))


@pytest.mark.parametrize("made", range(1, 10))
def test_each_wait_is_that_of_the_schedule_give_or_take_a_fifth(made: int) -> None:
    seconds = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400][made - 1]

    waits = [schedule.delay_after(made) for _ in range(300)]

    shares = [wait.total_seconds() / seconds for wait in waits if wait]
    assert len(shares) == 300
    assert 0.8 <= min(shares) < 0.85
    assert 1.15 < max(shares) <= 1.2


def test_the_wait_is_written_down_where_a_restart_finds_it(receiver: Receiver) -> None:
    receiver.statuses = [503]
    delivery = make_delivery(receiver.url)

    work()

    delivery.refresh_from_db()
    wait = (delivery.next_attempt_at - timezone.now()).total_seconds()
    assert 2 < wait <= 6.1
    assert delivery.claimed_until is None


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("120", 119, 121),
        ("0", 3.9, 6.1),
        ("-5", 3.9, 6.1),
        ("999999999", 86_399, 86_401),
        ("soon", 3.9, 6.1),
    ],
)
def test_a_receiver_that_asks_for_time_gets_it_within_bounds(
    receiver: Receiver, asked: str, least: float, most: float
) -> None:
    receiver.statuses, receiver.answer_headers = [429], {"Retry-After": asked}
    delivery = make_delivery(receiver.url)
    before = timezone.now()

    work()

    delivery.refresh_from_db()
    wait = (delivery.next_attempt_at - before).total_seconds()
    assert least <= wait <= most + 1


def test_gone_means_gone(receiver: Receiver) -> None:
    receiver.statuses = [410]
    delivery = make_delivery(receiver.url)

    work()

    delivery.refresh_from_db()
    assert delivery.status == "failed"
    assert delivery.endpoint.state == "disabled"
    assert delivery.endpoint.disabled_because == "gone"
    assert not tell(delivery.endpoint.account).deliveries.exists()


def test_five_days_of_nothing_but_failures_disable_an_endpoint(receiver: Receiver) -> None:
    receiver.statuses = [500]
    endpoint, _ = make_endpoint(url=receiver.url)

    for _ in range(10):
        tell(endpoint.account)
        work()
        later(timedelta(hours=11))
    assert Endpoint.objects.get().state == "failing"
    later(timedelta(hours=11))
    tell(endpoint.account)
    work()

    assert Endpoint.objects.get().disabled_because == "failing"
    waiting = Delivery.objects.filter(status="pending").count()
    assert waiting == 11


def test_many_failures_of_one_day_disable_nothing(receiver: Receiver) -> None:
    receiver.statuses = [500]
    endpoint, _ = make_endpoint(url=receiver.url)

    tell(endpoint.account)
    for _ in range(30):
        work()
        Delivery.objects.update(next_attempt_at=timezone.now(), attempts_made=1)

    assert Endpoint.objects.get().state == "failing"
    assert Endpoint.objects.get().failures == 30


def test_one_success_forgets_all_failures(receiver: Receiver) -> None:
    receiver.statuses = [500, 500, 500, 200, 500]
    account = make_delivery(receiver.url).endpoint.account
    for _ in range(4):
        work()
        later(timedelta(hours=13))

    tell(account)
    work()

    endpoint = Endpoint.objects.get()
    assert endpoint.state == "failing"
    assert endpoint.failures == 1


def test_an_endpoint_that_is_enabled_again_gets_what_waited(receiver: Receiver) -> None:
    delivery = make_delivery(receiver.url)
    delivery.endpoint.disable(Endpoint.Disabled.USER)
    work()
    assert not receiver.received

    delivery.endpoint.enable()
    work()

    assert len(receiver.received) == 1


def test_after_a_failure_others_get_their_turn(receiver: Receiver) -> None:
    receiver.statuses = [500]
    endpoint, _ = make_endpoint(url=receiver.url)
    for _ in range(3):
        tell(endpoint.account)

    sending.deliver(endpoint.pk)

    assert len(receiver.received) == 1


def test_events_are_numbered_one_by_one_in_each_account() -> None:
    mine, other = make_account(), make_account()

    for account in (mine, other, mine, mine):
        tell(account)

    assert list(mine.events.values_list("sequence", flat=True)) == [1, 2, 3]
    assert list(other.events.values_list("sequence", flat=True)) == [1]


def test_what_is_rolled_back_is_never_told(receiver: Receiver, settings: Settings) -> None:
    endpoint, _ = make_endpoint(url=receiver.url)

    with pytest.raises(ZeroDivisionError):
        endpoint.account.api_keys.create(name="x", digest=b"1", scopes=[1 / 0])
    work()

    assert not Event.objects.exists()
    assert not receiver.received


def test_attempts_of_a_delivery_keep_their_order_and_times(receiver: Receiver) -> None:
    receiver.statuses = [500, 500, 200]
    delivery = make_delivery(receiver.url)

    for _ in range(3):
        work()
        later(AGES)

    attempts = list(Attempt.objects.filter(delivery=delivery))
    assert [attempt.status_code for attempt in attempts] == [500, 500, 200]
    assert all(one.ended_at <= other.ended_at for one, other in pairwise(attempts))
    assert Delivery.objects.get().status == "delivered"
