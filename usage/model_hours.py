"""How each model fares lately, for everybody together and naming nobody.

The rollups know it, too, but account by account: a page would have to read a million of them. So
they are summed here for each model and hour, again and again while an hour is young. Summing
beside the recorders costs them nothing; were it done in their transactions, all hosts would wait
for one another at the few rows of the present hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Sum

from usage import histograms
from usage.breakdown import SumHistograms
from usage.models import ModelHour

KEPT = timedelta(days=31)
YOUNG = timedelta(hours=2)  # recorders hardly ever ship what is older
_SUM = """
INSERT INTO usage_modelhour AS old (hour, model, ok, failed, latency_histogram, ttft_histogram)
SELECT hour, model, sum(ok), sum(upstream_errors + interrupted),
    usage_sum_histograms(latency_histogram), usage_sum_histograms(ttft_histogram)
FROM usage_usagehour WHERE hour >= %s AND model <> '' GROUP BY hour, model
ON CONFLICT (hour, model) DO UPDATE SET
    ok = excluded.ok, failed = excluded.failed,
    latency_histogram = excluded.latency_histogram, ttft_histogram = excluded.ttft_histogram
"""


@dataclass(frozen=True, slots=True)
class Lately:
    """How a model fared in a period. Durations are medians of what was answered."""

    ok: int = 0
    failed: int = 0
    median_ms: float | None = None
    first_token_ms: float | None = None

    @property
    def seen(self) -> int:
        """The calls that say something about the model: it answered, or failed to."""
        return self.ok + self.failed

    @property
    def availability(self) -> float | None:
        return self.ok / self.seen if self.seen else None


def sum_up(now: datetime, over: timedelta = YOUNG) -> None:
    """Sum the hours of the last while anew. Doing it twice changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_SUM, [_hour_of(now - over)])


def forget(now: datetime) -> None:
    ModelHour.objects.filter(hour__lt=now - KEPT).delete()


def lately(now: datetime, over: timedelta, model: str | None = None) -> dict[str, Lately]:
    """By model; one query. Of the hour in which the period begins, the whole counts."""
    rows = _hours(now, over, model).annotate(
        total_ok=Sum("ok"),
        total_failed=Sum("failed"),
        latency=SumHistograms("latency_histogram"),
        ttft=SumHistograms("ttft_histogram"),
    )
    return {
        row["model"]: Lately(
            int(row["total_ok"]),
            int(row["total_failed"]),
            _median(row["latency"]),
            _median(row["ttft"]),
        )
        for row in rows
    }


def _hours(now: datetime, over: timedelta, model: str | None) -> Any:
    hours = ModelHour.objects.filter(hour__gte=_hour_of(now - over)).order_by()
    return (hours.filter(model=model) if model is not None else hours).values("model")


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _median(histogram: Sequence[int]) -> float | None:
    return histograms.percentile(histogram, 0.5)
