"""The last hour, minute by minute: what the rollups are too coarse for, summed from the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from usage import histograms
from usage.breakdown import Dimension, Group, Histograms, Slice
from usage.models import RequestLog
from usage.reports import totals
from usage.rollups import CLASSES, error_name

MOST = 100_000  # calls; more are told by the hour
GENERATED = Q(
    outcome="ok", streamed=True, completion_tokens__gt=1, latency_ms__gt=F("ttft_ms")
)  # as in ``Counts``


def fit(part: Slice) -> bool:
    """Whether the calls of this period are few enough to be read one by one."""
    hour = part.start.replace(minute=0, second=0, microsecond=0)
    return totals(part.account_id, hour, part.end).requests <= MOST


class Minutes(Slice):
    """A period read from the request log. It may begin and end amid an hour."""

    moment = "started_at"

    def rows(self, *, with_end_user: bool = False) -> QuerySet[Any, Any]:
        """The calls themselves."""
        days = (self.start.astimezone(UTC).date(), self.end.astimezone(UTC).date())
        found: QuerySet[Any, Any] = RequestLog.objects.filter(
            account_id=self.account_id,
            day__range=days,
            started_at__gte=self.start,
            started_at__lt=self.end,
            **self.only,
        ).order_by()
        return found.exclude(end_user="") if with_end_user else found

    def by(self, dimension: Dimension) -> QuerySet[Any, Any]:
        calls = self.rows(with_end_user=dimension == "end_user")
        found: QuerySet[Any, Any] = calls.annotate(group=F(dimension))
        return found

    def sums(self) -> dict[str, Any]:
        return {
            "sum_requests": Count("pk"),
            "sum_admitted": Count("pk", filter=Q(admitted=True)),
            **{
                f"sum_{name}": Count("pk", filter=Q(outcome=outcome))
                for outcome, name in CLASSES.items()
            },
            "sum_prompt_tokens": Sum("prompt_tokens", default=0),
            "sum_completion_tokens": Sum("completion_tokens", default=0),
            "sum_generated_tokens": Sum(F("completion_tokens") - 1, filter=GENERATED, default=0),
            "sum_generation_ms": Sum(F("latency_ms") - F("ttft_ms"), filter=GENERATED, default=0),
        }

    def end_users(self) -> tuple[str, Sequence[Any]]:
        users = self.by("end_user").values("group").annotate(**self.sums())
        sql, values = users.query.sql_with_params()
        return sql, values

    def histograms(self, dimension: Dimension) -> Iterator[Histograms]:
        found: dict[Group, Histograms] = {}
        answered = self.rows().filter(outcome="ok").values_list(dimension, "latency_ms", "ttft_ms")
        for group, latency, first in answered:
            _, latencies, firsts = found.setdefault(group, (group, [], []))
            histograms.count(latencies, latency)
            if first is not None:
                histograms.count(firsts, first)
        return iter(found.values())

    def errors(self) -> Iterator[tuple[str, int]]:
        failed = self.rows().exclude(outcome="ok")
        names = ("outcome", "error_code", "error_type")
        calls = failed.values(*names).annotate(calls=Count("pk"))
        counted: dict[str, int] = {}
        for row in calls.values_list(*names, "calls", named=True):
            name = error_name(row)
            counted[name] = counted.get(name, 0) + row.calls
        return iter(counted.items())
