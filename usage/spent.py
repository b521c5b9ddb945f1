"""What each account has spent in a UTC day, and so in a month: what limits of windows are held
against when somebody is to be told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, NamedTuple, Protocol

import psycopg
from django.db import models

from billing.limits import Unit
from usage.arrays import arrays
from usage.rollups import Counted

_ADD = """
INSERT INTO usage_accountday AS old (account_id, day, requests, tokens)
SELECT * FROM unnest(%s::bigint[], %s::date[], %s::bigint[], %s::bigint[])
ON CONFLICT (account_id, day) DO UPDATE
SET requests = old.requests + excluded.requests, tokens = old.tokens + excluded.tokens
RETURNING account_id, day, requests, tokens
"""
_MONTHS = """
SELECT account_id, month, sum(requests)::bigint, sum(tokens)::bigint
FROM unnest(%s::bigint[], %s::date[]) AS asked (account_id, month)
JOIN usage_accountday USING (account_id)
WHERE day >= month AND day < month + interval '1 month' GROUP BY 1, 2
"""
_REBUILD = """
INSERT INTO usage_accountday (account_id, day, requests, tokens)
SELECT account_id, %(day)s, sum(admitted), sum(prompt_tokens + completion_tokens)
FROM usage_usagehour
WHERE hour >= %(day)s::date AT TIME ZONE 'UTC' AND hour < (%(day)s::date + 1) AT TIME ZONE 'UTC'
GROUP BY account_id
"""


class AccountDay(models.Model):
    """``requests`` are those that were admitted, as the limits count them."""

    account = models.ForeignKey(
        "accounts.Account",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    day = models.DateField()
    requests = models.BigIntegerField(default=0)
    tokens = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["day", "account_id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="account_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} of account {self.account_id}: {self.tokens}"


class Spent(NamedTuple):
    """In a day or, with its first day, in a month."""

    account_id: int
    day: date
    requests: int
    tokens: int

    def of(self, unit: Unit) -> int:
        return self.tokens if unit == "tokens" else self.requests


class Call(Counted, Protocol):
    @property
    def day(self) -> date: ...


def add(cursor: psycopg.Cursor[Any], calls: Iterable[Call]) -> list[Spent]:
    """Add what these calls spent; what the days that they touch come to.

    In the order of their keys, so that nobody deadlocks. The rows stay ours until the transaction
    ends, so each total is seen by one transaction.
    """
    sums: dict[tuple[int, date], list[int]] = {}
    for call in calls:
        tokens = call.prompt_tokens + call.completion_tokens
        if call.admitted or tokens:
            found = sums.setdefault((call.account_id, call.day), [0, 0])
            found[0] += call.admitted
            found[1] += tokens
    if not sums:
        return []
    cursor.execute(_ADD, arrays([(*key, *sums[key]) for key in sorted(sums)]))
    return [Spent(*row) for row in cursor]


def in_months(cursor: psycopg.Cursor[Any], asked: Collection[tuple[int, date]]) -> list[Spent]:
    """What accounts have spent in months, each named by its first day."""
    if not asked:
        return []
    cursor.execute(_MONTHS, arrays(sorted(asked)))
    return [Spent(*row) for row in cursor]


def rebuild(cursor: psycopg.Cursor[Any], day: date) -> None:
    """Replace the totals of a day by what its hours come to."""
    cursor.execute("DELETE FROM usage_accountday WHERE day = %s", [day])
    cursor.execute(_REBUILD, {"day": day})
