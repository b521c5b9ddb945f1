"""What everybody together did in the last day, hour by hour."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from dashboard.charts import Chart, Series, sparkline
from dashboard.templatetags.figures import amount, duration, percent
from dashboard.today import ALARMING, Figure, total
from usage import histograms
from usage.breakdown import SumHistograms
from usage.models import ModelHour, UsageHour
from usage.reports import Totals
from usage.rollups import COUNTS

HOURS = 24
REASONS = 8  # that are named
_REASONS = """
SELECT why.name, sum(why.requests) AS number
FROM (
    SELECT DISTINCT account_id, hour FROM usage_usagehour WHERE hour >= %s AND requests > ok
) AS failed
JOIN usage_errorhour AS why USING (account_id, hour)
GROUP BY why.name ORDER BY number DESC, why.name LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Traffic:
    """``hours`` from the oldest to the one that is running; ``reasons`` why calls failed."""

    moments: list[datetime]
    hours: list[Totals]
    p95_ms: float | None
    reasons: list[tuple[str, str, int]]

    @property
    def sums(self) -> Totals:
        return total(self.hours)

    @property
    def figures(self) -> list[Figure]:
        return [
            self._count("Requests", "requests"),
            self._count("Tokens", "tokens"),
            self._share("Errors", "errors"),
            self._share("Refused", "refused"),
            Figure("Latency", duration(self.p95_ms), "p95", ["of what was answered"], "#chart"),
        ]

    @property
    def chart(self) -> Chart:
        """Requests by how they ended."""
        answered = [hour.requests - hour.errors - hour.refused for hour in self.hours]
        series = [
            Series("answered", 1, answered),
            Series("refused", 3, [hour.refused for hour in self.hours]),
            Series("errors", 4, [hour.errors for hour in self.hours]),
        ]
        return Chart("requests", "hour", self.moments, series, "outcome")

    def _count(self, title: str, name: str) -> Figure:
        course = [getattr(hour, name) for hour in self.hours]
        notes = [f"{amount(course[-1])} in this hour", f"{amount(course[-2])} in the one before"]
        return Figure(title, amount(sum(course)), "", notes, "#chart", sparkline(course))

    def _share(self, title: str, name: str) -> Figure:
        value, requests = getattr(self.sums, name), self.sums.requests
        last = self.hours[-2] + self.hours[-1]
        notes = [f"{percent(getattr(last, name), last.requests)} in the last two hours"]
        tone = "bad" if value * 100 > requests * ALARMING else ""
        course = sparkline([getattr(hour, name) for hour in self.hours])
        share = percent(value, requests)
        return Figure(title, amount(value), share, notes, "#reasons", course, tone)


def traffic() -> Traffic:
    """As far as it is recorded; three queries of rollups."""
    now = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    moments = [now - timedelta(hours=back) for back in reversed(range(HOURS))]
    rows: QuerySet[Any, Any] = UsageHour.objects.filter(hour__gte=moments[0]).order_by()
    found = {
        row.pop("hour"): Totals(**{name: int(row[f"sum_{name}"]) for name in COUNTS})
        for row in rows.values("hour").annotate(**{f"sum_{name}": Sum(name) for name in COUNTS})
    }
    hours = [found.get(moment, Totals()) for moment in moments]
    return Traffic(moments, hours, p95(moments[0]), reasons(moments[0]))


def p95(since: datetime) -> float | None:
    sums = ModelHour.objects.filter(hour__gte=since).aggregate(
        latency=SumHistograms("latency_histogram")
    )
    return histograms.percentile(sums["latency"] or (), 0.95)


def reasons(since: datetime) -> list[tuple[str, str, int]]:
    """Outcome, code and number of what was not answered, the most frequent first."""
    with connection.cursor() as cursor:
        cursor.execute(_REASONS, [since, REASONS])
        return [(*name.partition(":")[::2], int(number)) for name, number in cursor.fetchall()]
