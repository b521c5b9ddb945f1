"""The ledger check: what clients saw, what was recorded and what was counted must agree."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
from django.conf import settings
from django.db.models import Sum

from accounts import epochs
from gateway import counters
from tests.provider import PROMPT_TOKENS
from usage.models import RequestLog, UsageHour

PARTIAL = {"client_disconnect", "upstream_error", "interrupted"}


@dataclass
class Seen:
    """One request as its client saw it. ``who`` is the end user, another one each time."""

    who: str
    streamed: bool
    status: int | None = None
    tokens: int = 0
    complete: bool = False


def differences(seen: Iterable[Seen], rows: Iterable[RequestLog], tokens: int) -> list[str]:
    """Everything that does not add up, in words. ``tokens`` is what a complete answer has."""
    by_client: dict[str, list[RequestLog]] = defaultdict(list)
    for row in rows:
        by_client[row.end_user].append(row)
    found = []
    for one in seen:
        mine = by_client.pop(one.who, [])
        problem = check(one, mine, tokens)
        if problem:
            found.append(f"{one.who} ({one}): {problem}")
    found += [f"{who}: a row that no client asked for" for who in by_client]
    return found


def check(one: Seen, rows: list[RequestLog], tokens: int) -> str | None:
    if len(rows) > 1:
        return f"{len(rows)} rows"
    if one.status is None:
        return None  # no byte reached the client: one row or none
    if not rows:
        return "no row"
    row = rows[0]
    if one.complete:
        right = (row.outcome, row.prompt_tokens, row.completion_tokens) == (
            "ok",
            PROMPT_TOKENS,
            tokens,
        )
        return None if right else f"complete, but {row.outcome} with {row.completion_tokens} tokens"
    if row.outcome == "ok" and one.tokens == tokens:
        return None  # killed between the final record and [DONE]
    if row.outcome not in PARTIAL:
        return f"partial, but {row.outcome}"
    if abs(row.completion_tokens - one.tokens) > max(1, one.tokens * 0.05):
        return f"{one.tokens} tokens delivered, {row.completion_tokens} charged"
    return None


def books(account_id: int) -> dict[str, int | None]:
    """The tokens of an account by every way of counting them."""
    mine = {"account_id": account_id}
    both = Sum("prompt_tokens") + Sum("completion_tokens")
    return {
        "rows": RequestLog.objects.filter(**mine).aggregate(n=both)["n"],
        "rollups": UsageHour.objects.filter(**mine).aggregate(n=both)["n"],
        "counters": counters.tokens_on(account_id, datetime.now(UTC).date()),
    }


def leases(account_id: int) -> int:
    """Reservations that are still open."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        number: int = client.zcard(f"{epochs.key(account_id)}:leases")
        return number
