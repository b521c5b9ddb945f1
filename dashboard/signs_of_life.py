"""That beat and the workers go on: one of them writes down every half minute that it was asked."""

import time

from django.core.cache import cache

from webhooks.nudges import FAILING, QUEUE

KEY = "sign-of-life"
QUEUES = ("celery", QUEUE, FAILING)


def leave() -> None:
    """What beat has a worker do."""
    cache.set(KEY, time.time(), timeout=None)


def seconds_ago() -> float | None:
    """How long ago the last sign was left; None if none is there, as after Redis was emptied."""
    left_at = cache.get(KEY)
    return None if left_at is None else max(0.0, time.time() - float(left_at))
