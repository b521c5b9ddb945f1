"""What was recorded of a month after its end.

Usage counts in the hour in which it happened, however late a journal is shipped. So that the sums
of a month that is over never change silently, whoever adds to them says so here, in the same
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import psycopg
from django.db import models

from usage.arrays import arrays
from usage.rollups import Counts, Key

# A month closes this long after its end: a call that began in it may last for a quarter of an hour
# and its journal is seconds behind, so what is shipped soon after midnight is not late.
GRACE = timedelta(hours=1)
_ADD = """
INSERT INTO usage_usageadjustment
(account_id, month, first_hour, last_hour, requests, tokens, recorded_at)
SELECT *, %s::timestamptz FROM unnest(%s::bigint[], %s::date[], %s::timestamptz[],
    %s::timestamptz[], %s::bigint[], %s::bigint[])
"""


class LateMonth(NamedTuple):
    """All that was recorded late of one month, from the first time to the last."""

    month: date
    requests: int
    first_at: datetime
    last_at: datetime


class UsageAdjustmentQuerySet(models.QuerySet["UsageAdjustment"]):
    def late_months(self, account_id: int, start: datetime, end: datetime) -> list[LateMonth]:
        """The months that this period reaches into, as far as there is something to tell."""
        within = self.filter(account_id=account_id, month__gte=month_of(start))
        rows = (
            within.filter(month__lte=(end - timedelta.resolution).astimezone(UTC).date())
            .values("month")
            .annotate(
                sum_requests=models.Sum("requests"),
                first_at=models.Min("recorded_at"),
                last_at=models.Max("recorded_at"),
            )
            .order_by("month")
        )
        return [
            LateMonth(row["month"], int(row["sum_requests"]), row["first_at"], row["last_at"])
            for row in rows
        ]


class UsageAdjustment(models.Model):
    """What one transaction added to a closed month of an account, whose first day is ``month``.

    ``requests`` and ``tokens`` are all that the hours gained, those that were refused included.
    """

    account = models.ForeignKey(
        "accounts.Account",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    month = models.DateField()
    first_hour = models.DateTimeField()
    last_hour = models.DateTimeField()
    requests = models.BigIntegerField()
    tokens = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    objects = UsageAdjustmentQuerySet.as_manager()

    class Meta:
        ordering = ["-recorded_at", "-pk"]
        indexes = [models.Index(fields=["account", "month"], name="adjustment_of_month")]

    def __str__(self) -> str:
        return f"{self.requests} of {self.month:%Y-%m}, recorded {self.recorded_at:%Y-%m-%d}"


def note(cursor: psycopg.Cursor[Any], hours: Mapping[Key, Counts], now: datetime) -> None:
    """Put on record what these sums add to closed months. Mostly that is nothing, and no query."""
    opened = datetime.combine(month_of(now - GRACE), time(tzinfo=UTC))
    late = [key for key in hours if key[1] < opened]
    if not late:
        return
    months: dict[tuple[int, date], list[Key]] = {}
    for key in late:
        months.setdefault((key[0], month_of(key[1])), []).append(key)
    rows = [(*month, *_gained(hours, keys)) for month, keys in sorted(months.items())]
    cursor.execute(_ADD, [now, *arrays(rows)])


def _gained(
    hours: Mapping[Key, Counts], keys: Iterable[Key]
) -> tuple[datetime, datetime, int, int]:
    moments = [hour for _, hour, *_ in keys]
    sums = [hours[key] for key in keys]
    tokens = sum(one.prompt_tokens + one.completion_tokens for one in sums)
    return min(moments), max(moments), sum(one.requests for one in sums), tokens


def month_of(moment: datetime) -> date:
    """The first day of the UTC month in which this moment lies."""
    return moment.astimezone(UTC).date().replace(day=1)
