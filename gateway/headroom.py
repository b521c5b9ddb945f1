"""What is left of an account's limits, for pages: the limiter's own view of them."""

from datetime import UTC, datetime
from typing import Any

import redis

from accounts.models import Account
from gateway import counters
from gateway.decisions import Use
from gateway.policy import Policy


def headroom(account: Account) -> list[Use] | None:
    """Every limit of the account's plan with what is used of it; None while Redis is away.

    This counts nothing. Counters that Redis has lost are shown as PostgreSQL knows them.
    """
    subscription = getattr(account, "subscription", None)
    if subscription is None or not subscription.limits:
        return []
    policy = Policy(subscription.limits)
    try:
        reply = _peek(account, policy)
    except redis.RedisError:
        return None
    return policy.read(reply, 0, "peek").uses if reply else None


def _peek(account: Account, policy: Policy) -> list[Any] | None:
    """The script's answer; None if what an account may do changes faster than we can read it."""
    for _ in range(2):
        reply = counters.run(account.pk, "peek", account.epoch, "", 0, *policy.words)
        if reply[0] == b"cold":
            return _as_booked(account.pk, datetime.now(UTC))
        if reply[0] == b"ok":
            return reply
        account.refresh_from_db(fields=["epoch"])  # the reply is "stale"
    return None


def _as_booked(account_id: int, now: datetime) -> list[Any]:
    """What the script would say of counters restored just now."""
    spent = counters.spent_by(account_id, now)
    today = (spent.requests_today, spent.tokens_today)
    month = (spent.requests_this_month, spent.tokens_this_month)
    return [b"ok", int(now.timestamp()), 0, 0, 0, *today, *month, 0, 0]
