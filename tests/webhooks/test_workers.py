"""Real workers deliver what happened, also what happened while they, or the broker, were away."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from tests.gateway.conftest import load_catalog
from tests.gateway.site import Site
from tests.people import make_key
from tests.webhooks.receivers import Receiver, receiving
from tests.webhooks.test_signing import verifies
from tests.webhooks.things import make_endpoint, tell
from tests.webhooks.workers import Worker, sweeping, working
from usage.recorder import Recorder
from webhooks import nudges
from webhooks.models import Delivery, Endpoint, Event

log = logging.getLogger(__name__)
HELLO = {
    "model": "keyplex/echo",
    "messages": [{"role": "user", "content": "hello " * 10}],
    "max_tokens": 15,
}


def wait_until(done: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def delivered() -> int:
    return Delivery.objects.filter(status="delivered").count()


@pytest.fixture(scope="module")
def workers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Worker]]:
    with django_db_blocker.unblock(), working() as workers:
        yield workers


@pytest.fixture
def sweep(workers: list[Worker], transactional_db: None) -> Iterator[None]:
    with sweeping():
        yield


def test_a_nudge_that_gets_lost_is_made_good_by_the_sweep(
    sweep: None, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, secret = make_endpoint(url=receiver.url)
    monkeypatch.setattr(nudges, "TASK", "webhooks.tasks.nobody_has_this_name")
    for _ in range(20):
        tell(endpoint.account)
    monkeypatch.undo()

    wait_until(lambda: delivered() == 20)
    tell(endpoint.account)
    wait_until(lambda: delivered() == 21)

    assert all(verifies(request, secret) for request in receiver.received)
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 21


def test_a_receiver_that_says_nothing_delays_nobody_else(sweep: None, receiver: Receiver) -> None:
    with receiving() as hole:
        hole.silent = True
        deaf = [make_endpoint(url=hole.url)[0] for _ in range(3)]
        for endpoint in deaf:
            for _ in range(50):
                tell(endpoint.account)
        good, _ = make_endpoint(url=receiver.url)
        wait_until(lambda: len(hole.received) >= 3)
        for _ in range(20):
            tell(good.account)
        wait_until(lambda: delivered() == 20, seconds=10)

    assert len(receiver.received) == 20


def test_a_threshold_that_traffic_crosses_reaches_a_receiver_signed(
    sweep: None, receiver: Receiver
) -> None:
    load_catalog()
    key = make_key(tokens_per_day=1000)
    stranger = make_key(tokens_per_day=1000)
    _, secret = make_endpoint(key.account, url=receiver.url)
    make_endpoint(stranger.account, url=receiver.url + "/stranger")
    site = Site()
    site.start()
    try:
        with httpx.Client(base_url=site.url, timeout=30) as client:
            answers = [client.post("/v1/chat/completions", headers=key.headers, json=HELLO)]
            while answers[-1].status_code == 200:
                answers.append(client.post("/v1/chat/completions", headers=key.headers, json=HELLO))
            crossed_at = timezone.now()
            Recorder(settings.JOURNAL_DIR).run_once()
            wait_until(lambda: delivered() == 3)
    finally:
        site.stop()

    assert answers[-1].json()["error"]["code"] == "quota_exceeded"
    told = [(request.type, request.document["data"]["threshold"]) for request in receiver.received]
    assert Counter(told) == Counter(
        [
            ("usage.threshold_reached", 80),
            ("usage.threshold_reached", 90),
            ("usage.limit_exceeded", 100),
        ]
    )
    assert all(verifies(request, secret) for request in receiver.received)
    last = Delivery.objects.latest("finished_at").finished_at
    assert last is not None
    assert last - crossed_at < timedelta(seconds=30)


@pytest.mark.t2
@pytest.mark.parametrize("events", [20_000])
def test_whatever_is_killed_every_event_arrives_and_hardly_any_twice(
    transactional_db: None, at_home: None, events: int
) -> None:
    """W-1: receivers fail every third time, and workers are killed after 20 seconds of work."""
    with receiving() as receiver:
        receiver.fails_one_in = 3
        endpoints = [make_endpoint(url=f"{receiver.url}/{n}")[0] for n in range(40)]
        with working(threads=32) as workers, sweeping():
            killer = Killer(workers, receiver)
            for number in range(events):
                tell(endpoints[number % 40].account)
                killer.look()
            while Delivery.objects.exclude(status="delivered").exists():
                hurry()
                time.sleep(0.5)
                killer.look()

    yes = Counter(
        request.headers["webhook-id"] for request in receiver.received if request.status == 200
    )
    twice = sum(count - 1 for count in yes.values())
    requests = len(receiver.received)
    log.warning("%d events, %d kills, %d requests, %d twice", events, killer.kills, requests, twice)
    assert set(yes) == set(Event.objects.values_list("pk", flat=True))
    assert len(yes) == events
    assert killer.kills >= 3
    assert twice <= events / 1000


class Killer:
    """Kills every worker, and starts it again, once they have been at work for 20 seconds."""

    def __init__(self, workers: list[Worker], receiver: Receiver) -> None:
        self._workers, self._receiver = workers, receiver
        self._received, self._at_work_since = 0, 0.0
        self.kills = 0

    def look(self) -> None:
        now, received = time.monotonic(), len(self._receiver.received)
        if received == self._received:
            return
        if not self._at_work_since:
            self._at_work_since = now
        elif now - self._at_work_since > 20:
            for worker in self._workers:
                worker.kill()
                worker.start()
            self.kills, self._at_work_since = self.kills + 1, 0.0
            received = len(self._receiver.received)
        self._received = received


def hurry() -> None:
    """What waits for its next try waits no longer: this test has no three days."""
    now = timezone.now()
    waiting = Delivery.objects.filter(status="pending", claimed_until=None)
    waiting.filter(next_attempt_at__gt=now).update(next_attempt_at=now)
    Endpoint.objects.exclude(failing_since=None).update(failing_since=now)
    Delivery.objects.filter(status="failed").send_again()
