"""When a delivery that failed is tried again: the ten attempts of Standard Webhooks."""

import random
from datetime import timedelta

DELAYS = (  # after the attempt of this number
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS = 1 + len(DELAYS)
JITTER = 0.2
LEAST, MOST = timedelta(seconds=1), timedelta(hours=24)  # that a receiver may ask for


def delay_after(attempts: int, retry_after: float | None = None) -> timedelta | None:
    """How long to wait after so many attempts; None once there were enough.

    A receiver that names the seconds it wants to be left alone is not asked earlier.
    """
    if attempts >= ATTEMPTS:
        return None
    delay = DELAYS[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311, no secret
    if retry_after is None:
        return delay
    asked = min(max(retry_after, LEAST.total_seconds()), MOST.total_seconds())
    return max(delay, timedelta(seconds=asked))
