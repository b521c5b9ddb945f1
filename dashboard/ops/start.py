"""The start page at ``/ops/``: what is wrong, what everybody does, how providers fare, money."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from redis import RedisError

from accounts.models import Notice
from billing.models import StripeEvent
from dashboard import signs_of_life
from dashboard.metrics.of_stores import link
from dashboard.ops import money
from dashboard.ops.alarms import alarms
from dashboard.ops.traffic import traffic
from gateway import provider_health
from usage import recorder_watch
from usage.recorder_watch import Watched
from webhooks.queue import queue


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits where; ``tasks`` and ``recorder`` are None while nobody knows."""

    tasks: dict[str, int] | None
    recorder: Watched | None
    webhooks: int
    mails: int
    stripe: int
    beat_seconds: float | None


def look(request: HttpRequest) -> dict[str, Any]:
    """Everything for the page; a store that is away leaves its part empty."""
    sees_money = request.user.has_perm("billing.view_subscription")
    return {
        "title": "How it is",
        "alarms": alarms(),
        "traffic": traffic(),
        "glances": provider_health.providers(provider_health.health_now()),
        "waiting": waiting(),
        "money": money.look() if sees_money else None,
    }


def waiting() -> Waiting:
    now = queue()
    return Waiting(
        tasks=tasks(),
        recorder=recorder(),
        webhooks=now.due,
        mails=Notice.objects.filter(sent_at=None).count(),
        stripe=StripeEvent.objects.filter(processed_at=None).count(),
        beat_seconds=beat(),
    )


def tasks() -> dict[str, int] | None:
    try:
        with link() as client:
            return {name: int(client.llen(name)) for name in signs_of_life.QUEUES}
    except RedisError:
        return None


def beat() -> float | None:
    try:
        return signs_of_life.seconds_ago()
    except RedisError:
        return None


def recorder() -> Watched | None:
    try:
        return recorder_watch.watch(settings.JOURNAL_DIR)
    except OSError:
        return None
