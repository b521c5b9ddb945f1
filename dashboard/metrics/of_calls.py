"""What the rollups know of the calls of everybody in the present UTC hour and the one before.

Sums of an hour begin at zero with it, and may fall when rollups are made again or an account is
deleted, so they are gauges.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from prometheus_client.core import Metric

from dashboard.metrics.families import Pair, histogram, table
from gateway.errors import RateLimited, Unavailable
from usage import histograms
from usage.breakdown import SumHistograms
from usage.models import ModelHour, UsageHour
from usage.rollups import CLASSES

HOUR = timedelta(hours=1)
REFUSED = "refused:"  # begins the names of refusals; what follows is a code of ours
USUAL = (RateLimited.code, Unavailable.code)  # told also where there are none, to be watched
_REFUSALS = """
SELECT why.hour, why.name, sum(why.requests)
FROM (
    SELECT DISTINCT account_id, hour FROM usage_usagehour WHERE hour >= %s AND refused > 0
) AS busy
JOIN usage_errorhour AS why USING (account_id, hour)
WHERE why.name LIKE %s GROUP BY why.hour, why.name
"""


def hours() -> dict[datetime, str]:
    """What each of the two is called."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return {now: "this", now - HOUR: "last"}


def calls() -> Iterator[Metric]:
    """Requests by outcome, and tokens."""
    named = hours()
    fields = [*CLASSES.values(), "prompt_tokens", "completion_tokens"]
    rows: QuerySet[Any, Any] = UsageHour.objects.filter(hour__in=named).order_by().values("hour")
    sums = {row["hour"]: row for row in rows.annotate(**{f"sum_{f}": Sum(f) for f in fields})}

    def total(hour: datetime, field: str) -> float:
        return float(sums[hour][f"sum_{field}"]) if hour in sums else 0.0

    yield table(
        "hour_requests",
        "Calls of a UTC hour, as far as they are recorded, by how they ended.",
        ("hour", "outcome"),
        {(n, outcome): total(h, f) for h, n in named.items() for outcome, f in CLASSES.items()},
    )
    yield table(
        "hour_tokens",
        "Tokens of the calls of a UTC hour.",
        ("hour", "kind"),
        {
            (n, k): total(h, f"{k}_tokens")
            for h, n in named.items()
            for k in ("prompt", "completion")
        },
    )


def refusals() -> Iterator[Metric]:
    named = hours()
    found: dict[Pair, float] = {(n, reason): 0 for n in named.values() for reason in USUAL}
    with connection.cursor() as cursor:
        cursor.execute(_REFUSALS, [min(named), f"{REFUSED}%"])
        for hour, name, requests in cursor.fetchall():
            if hour in named:
                found[named[hour], name.removeprefix(REFUSED)] = float(requests)
    yield table(
        "hour_refusals", "Refused calls of a UTC hour, by reason.", ("hour", "reason"), found
    )


def models() -> Iterator[Metric]:
    """What is summed up by model once a minute, naming nobody."""
    named, pair = hours(), ("hour", "model")
    rows = list(ModelHour.objects.filter(hour__in=named).only("hour", "model", "ok", "failed"))
    answered = {(named[row.hour], row.model): float(row.ok) for row in rows}
    failed = {(named[row.hour], row.model): float(row.failed) for row in rows}
    yield table("hour_model_answered", "Calls of a UTC hour that a model answered.", pair, answered)
    yield table("hour_model_failed", "Those that it failed to answer.", pair, failed)


def durations() -> Iterator[Metric]:
    """Of the calls that were answered, whichever the model."""
    named = hours()
    rows: QuerySet[Any, Any] = ModelHour.objects.filter(hour__in=named).order_by().values("hour")
    for name, field, says in (
        ("latency", "latency_histogram", "How long the calls of a UTC hour took."),
        ("first_token", "ttft_histogram", "When the first token of those that stream came."),
    ):
        found = dict(rows.annotate(sums=SumHistograms(field)).values_list("hour", "sums"))
        values = [(name, buckets(found.get(hour) or ())) for hour, name in named.items()]
        yield histogram(f"hour_{name}_seconds", says, "hour", values)


def buckets(amounts: Sequence[int]) -> list[tuple[str, float]]:
    """In octaves of milliseconds, each with all that is below it.

    >>> buckets([1, 0, 0, 2, 5])[:3], buckets([1, 0, 0, 2, 5])[-1]
    ([('0.001', 1.0), ('0.002', 3.0), ('0.004', 8.0)], ('+Inf', 8.0))
    """
    padded = [*amounts, *[0] * (histograms.BUCKETS - len(amounts))]
    below = list(accumulate(padded))
    bounded = range(0, histograms.BUCKETS - 1, histograms.PER_OCTAVE)
    found = [(f"{histograms.bounds(n)[1] / 1000:g}", float(below[n])) for n in bounded]
    return [*found, ("+Inf", float(below[-1]))]
