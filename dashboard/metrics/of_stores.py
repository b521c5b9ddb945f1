"""PostgreSQL and Redis themselves, and the queues in Redis."""

import time
from collections.abc import Iterator

import redis
from django.conf import settings
from django.db import connection
from prometheus_client.core import Metric

from dashboard import signs_of_life
from dashboard.metrics.families import gauge, gauges
from usage import partitions

PATIENCE = 1.0  # seconds for one answer of Redis


def clock_skew() -> float:
    """By how many seconds this host is ahead of PostgreSQL; what the question took is no skew."""
    with connection.cursor() as cursor:
        before = time.time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        after = time.time()
        there = float(cursor.fetchone()[0])
    if before <= there <= after:
        return 0.0
    return before - there if before > there else after - there


def postgresql() -> Iterator[Metric]:
    days = [name for name, _ in partitions.due()]
    yield gauge(
        "database_clock_skew_seconds",
        "By how much the clock of this host is ahead of PostgreSQL's.",
        clock_skew(),
    )
    yield gauges(
        "log_days_overdue",
        "Days of the log that should be forgotten by now, and wait for their archive or a lock.",
        "retention",
        {name: days.count(name) for name in partitions.DAYS_KEPT},
    )


def link() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
    )


def memory() -> Iterator[Metric]:
    with link() as client:
        said = client.info("memory") | client.info("stats")
    yield gauge("redis_memory_bytes", "What Redis holds.", said["used_memory"])
    yield gauge("redis_memory_max_bytes", "What it may hold; 0 for all.", said["maxmemory"])
    yield gauge(
        "redis_evicted_keys", "Keys that Redis threw away since it started.", said["evicted_keys"]
    )


def queues() -> Iterator[Metric]:
    with link() as client:
        lengths = {name: int(client.llen(name)) for name in signs_of_life.QUEUES}
    yield gauges("queue_tasks", "Tasks that wait for a worker.", "queue", lengths)
    seconds = signs_of_life.seconds_ago()
    if seconds is not None:
        yield gauge(
            "beat_seen_seconds", "How long ago a worker last did what beat asked for.", seconds
        )
