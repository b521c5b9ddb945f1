"""The limiter's counters from outside the event loop: for the recorder, the audit and the pages."""

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

import redis
from django.conf import settings

from accounts import epochs
from gateway.admission import LEASE_SECONDS, SCRIPT, AllSpent, Spent, restoring
from gateway.months import DAY
from usage import reports
from usage.recorder import Settlement
from usage.reports import Totals

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
_script = _client.register_script(SCRIPT)


def run(account_id: int, verb: str, *arguments: str | int) -> list[Any]:
    """One verb of the admission script. Raises ``redis.RedisError``."""
    key = epochs.key(account_id)
    reply: list[Any] = _script(
        keys=[key, f"{key}:leases"], args=[verb, LEASE_SECONDS, *arguments], client=_client
    )
    return reply


def settle(settlements: list[Settlement]) -> None:
    """Settle for processes that no longer can. Settling twice changes nothing."""
    by_account: dict[int, list[str | int]] = defaultdict(list)
    for lease, account_id, tokens in settlements:
        by_account[account_id] += [lease, tokens]
    for account_id, pairs in by_account.items():
        run(account_id, "settle", *pairs)


def spent_by(account_id: int, now: datetime, api_key_id: int | None = None) -> Spent:
    """Requests and tokens of the UTC day and month of ``now``, as PostgreSQL knows them.

    Of a key, those of its lifetime too.
    """
    only = {} if api_key_id is None else {"api_key_id": api_key_id}
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = reports.totals(account_id, midnight, now, only)
    month = reports.totals(account_id, midnight.replace(day=1), now, only)
    ever = reports.totals(account_id, BEGINNING, now, only) if only else Totals()
    return Spent(
        *(today.admitted, today.tokens, month.admitted, month.tokens, ever.admitted, ever.tokens)
    )


def all_spent(account_id: int, now: datetime, api_key_id: int, own_counters: str) -> AllSpent:
    """The same for an account and, where it has counters of its own, for one of its keys."""
    spent = {"": spent_by(account_id, now)}
    if own_counters:
        spent[own_counters] = spent_by(account_id, now, api_key_id)
    return spent


def restore(account_id: int, epoch: int) -> None:
    """Give Redis back an account's counters; does nothing where it has some."""
    now = datetime.now(UTC)
    run(account_id, "restore", *restoring(epoch, now, {"": spent_by(account_id, now)}))


def tokens_on(account_id: int, day: date) -> int | None:
    """The tokens counted on a UTC day; None where nothing is counted (any more)."""
    number = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // DAY
    counted_day, tokens = _client.hmget(epochs.key(account_id), ["day", "dt"])
    if counted_day is None or tokens is None or int(counted_day) != number:
        return None
    return int(tokens)
