"""A burst of events is one word to the workers, and no event is without one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from dashboard.instance import Instance
from tests.webhooks.things import make_endpoint, tell
from webhooks import nudges
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        yield client


def waiting(queue: redis.Redis) -> dict[str, int]:
    return {name: queue.llen(name) for name in (nudges.QUEUE, nudges.FAILING)}


def burst(endpoint: Endpoint, number: int, committing: DjangoCaptureOnCommitCallbacks) -> None:
    for _ in range(number):
        with committing(execute=True), transaction.atomic():
            tell(endpoint.account)


def test_many_events_are_one_nudge_until_a_worker_takes_it(
    queue: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    endpoint, _ = make_endpoint()
    other, _ = make_endpoint()

    burst(endpoint, 50, django_capture_on_commit_callbacks)
    burst(other, 1, django_capture_on_commit_callbacks)
    before = waiting(queue)
    nudges.taken(endpoint.pk)
    burst(endpoint, 5, django_capture_on_commit_callbacks)

    assert before == {"webhooks": 2, "webhooks-failing": 0}
    assert waiting(queue) == {"webhooks": 3, "webhooks-failing": 0}


def test_an_endpoint_that_fails_has_a_queue_of_its_own(
    queue: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    endpoint, _ = make_endpoint()
    endpoint.note_failure()

    burst(endpoint, 3, django_capture_on_commit_callbacks)

    assert waiting(queue) == {"webhooks": 0, "webhooks-failing": 1}


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
        ("redis://cache:6379/4", "redis://cache:6379/4"),
    ],
)
def test_celery_uses_the_database_that_everybody_uses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, broker: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)

    assert Instance(tmp_path).broker_url == broker
