"""The two statements of an attempt: to take a due delivery, and to write down how it went.

Everything else about deliveries goes through their model. These two run for each attempt, and
each of them is one round trip that cannot be half done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from webhooks.deliveries import Delivery
from webhooks.posting import Reply

LEASE = timedelta(seconds=30)  # twice as long as an attempt may take
_CLAIM = """
WITH due AS (
    SELECT delivery.id FROM webhooks_delivery AS delivery
    JOIN webhooks_endpoint AS endpoint ON endpoint.id = endpoint_id
    WHERE endpoint_id = %(endpoint)s AND disabled_at IS NULL
    AND status = 'pending' AND next_attempt_at <= %(now)s
    ORDER BY next_attempt_at, delivery.id LIMIT 1 FOR UPDATE OF delivery SKIP LOCKED
)
UPDATE webhooks_delivery AS delivery SET attempts_made = attempts_made + 1,
    next_attempt_at = %(until)s, claimed_until = %(until)s
FROM due, webhooks_event AS event WHERE delivery.id = due.id AND event.id = event_id
RETURNING delivery.id, attempts_made, event_id, payload
"""
_FINISH = """
WITH attempt AS (
    INSERT INTO webhooks_attempt
        (delivery_id, number, ended_at, duration_ms, status_code, error, excerpt)
    SELECT id, %(number)s, %(now)s, %(duration_ms)s, %(status_code)s, %(error)s, %(excerpt)s
    FROM webhooks_delivery WHERE id = %(id)s
)
UPDATE webhooks_delivery SET status = %(status)s, finished_at = %(finished_at)s,
    next_attempt_at = %(next)s, claimed_until = NULL
WHERE id = %(id)s
"""


class Claimed(NamedTuple):
    """A delivery that is ours until the lease ends; ``attempts_made`` counts the one to come."""

    pk: int
    attempts_made: int
    event_id: str
    payload: str


def claim(endpoint_pk: int) -> Claimed | None:
    """Take the delivery that is due for longest, so that no other worker sends it.

    None where nothing is due, or the endpoint is disabled.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"endpoint": endpoint_pk, "now": now, "until": now + LEASE})
        row = cursor.fetchone()
    return Claimed(*row) if row else None


def finish(
    claimed: Claimed, reply: Reply, status: Delivery.Status, next_attempt_at: datetime | None = None
) -> None:
    """Write down an attempt and what comes of it. Does nothing if the delivery was removed."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _FINISH,
            {
                "id": claimed.pk,
                "number": claimed.attempts_made,
                "now": now,
                "duration_ms": reply.duration_ms,
                "status_code": reply.status,
                "error": reply.error,
                "excerpt": reply.excerpt,
                "status": status.value,
                "finished_at": None if next_attempt_at else now,
                "next": next_attempt_at or now,
            },
        )
