"""What the pages and ``/v1/usage`` tell: sums of rollups, never of the log.

A period goes from ``start`` up to but without ``end``. Rollups know hours only, so an hour
counts as a whole where it begins within the period.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncHour

from usage import histograms, log_store
from usage.models import UsageHour
from usage.rollups import COUNTS

Step = Literal["hour", "day"]
FineStep = Literal["minute", "hour", "day"]
Only = Mapping[str, str | int]  # one ``model``, one ``api_key_id``, one ``endpoint``


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some calls. ``admitted`` are those that counted against the limits."""

    requests: int = 0
    admitted: int = 0
    ok: int = 0
    client_errors: int = 0
    refused: int = 0
    upstream_errors: int = 0
    client_disconnects: int = 0
    interrupted: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    generated_tokens: int = 0
    generation_ms: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, name) + getattr(other, name) for name in COUNTS))

    def __sub__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, name) - getattr(other, name) for name in COUNTS))

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def failed(self) -> int:
        """Calls that got no whole answer, whoever is to blame."""
        return self.requests - self.ok

    @property
    def tokens_per_second(self) -> float | None:
        """How fast answers were generated, once they had begun; None if none was streamed."""
        return 1000 * self.generated_tokens / self.generation_ms if self.generation_ms else None

    @property
    def errors(self) -> int:
        """Calls that failed on our side or further on."""
        return self.upstream_errors + self.interrupted


@dataclass(frozen=True, slots=True)
class Durations:
    """How long answers took, in milliseconds; None where there were none."""

    median: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, histogram: Sequence[int]) -> Durations:
        return cls(*(histograms.percentile(histogram, part) for part in (0.5, 0.95, 0.99)))


def totals(account_id: int, start: datetime, end: datetime, only: Only | None = None) -> Totals:
    """Everything an account did in a period."""
    return read(_hours(account_id, start, end, only).aggregate(**sums()))


def by_model(
    account_id: int, start: datetime, end: datetime, only: Only | None = None
) -> dict[str, Totals]:
    """The same, model by model, the most tokens first."""
    return _grouped(_hours(account_id, start, end, only), "model")


def by_key(
    account_id: int, start: datetime, end: datetime, only: Only | None = None
) -> dict[int, Totals]:
    """The same, API key by API key (their pk), the most tokens first."""
    return _grouped(_hours(account_id, start, end, only), "api_key_id")


def over_time(
    account_id: int, start: datetime, end: datetime, step: Step, only: Only | None = None
) -> dict[datetime, Totals]:
    """The same, step by step, also empty ones."""
    rows = _by_step(_hours(account_id, start, end, only), step)
    found = dict.fromkeys(steps(start, end, step), Totals())
    return found | {row["step"]: read(row) for row in rows}


def steps(start: datetime, end: datetime, step: FineStep) -> Iterable[datetime]:
    """The UTC minutes, hours or days that begin in the period, or in which it begins."""
    moment = start.astimezone(UTC).replace(second=0, microsecond=0)
    if step != "minute":
        moment = moment.replace(minute=0)
    if step == "day":
        moment = moment.replace(hour=0)
    while moment < end:
        yield moment
        moment += timedelta(**{f"{step}s": 1})


def latency(account_id: int, start: datetime, end: datetime) -> Durations:
    """How long answered calls took, to their end."""
    return _durations(_hours(account_id, start, end).values_list("latency_histogram", flat=True))


def time_to_first_token(account_id: int, start: datetime, end: datetime) -> Durations:
    return _durations(_hours(account_id, start, end).values_list("ttft_histogram", flat=True))


def calls_since(account_id: int, api_key_id: int, moment: datetime) -> int:
    """Calls of one key since a moment: whole hours from the sums, the first one from the log."""
    hour = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    later = totals(account_id, hour, datetime.max.replace(tzinfo=UTC), {"api_key_id": api_key_id})
    return log_store.calls_between(account_id, api_key_id, moment, hour) + later.requests


def tokens_on_day(account_id: int, day: date) -> int:
    """Tokens charged for calls that began on a UTC day."""
    return totals(account_id, *hours_of(day)).tokens


def requests_on_day(account_id: int, day: date) -> int:
    """Calls admitted on a UTC day."""
    return totals(account_id, *hours_of(day)).admitted


def hours_of(day: date) -> tuple[datetime, datetime]:
    """The period that is this UTC day."""
    midnight = datetime.combine(day, time(tzinfo=UTC))
    return midnight, midnight + timedelta(days=1)


def _hours(
    account_id: int, start: datetime, end: datetime, only: Only | None = None
) -> QuerySet[UsageHour]:
    within = Q(hour__gte=start, hour__lt=end)
    return UsageHour.objects.filter(within, account_id=account_id, **(only or {})).order_by()


def _by_step(hours: QuerySet[UsageHour], step: Step, *names: str) -> QuerySet[Any, Any]:
    """Sums for each ``step``, and for each combination of what is named within it."""
    truncate = TruncHour if step == "hour" else TruncDay
    steps = hours.annotate(step=truncate("hour", tzinfo=UTC))
    found: QuerySet[Any, Any] = steps.values("step", *names).annotate(**sums())
    return found


def sums() -> dict[str, Any]:
    """What a query over rollups adds up, for ``read``."""
    return {f"sum_{name}": Sum(name, default=0) for name in COUNTS}


def read(row: Mapping[str, Any]) -> Totals:
    return Totals(**{name: int(row[f"sum_{name}"]) for name in COUNTS})


def _grouped(hours: QuerySet[UsageHour], name: str) -> dict[Any, Totals]:
    groups = {row[name]: read(row) for row in hours.values(name).annotate(**sums())}
    return dict(sorted(groups.items(), key=lambda group: (-group[1].tokens, group[0])))


def _durations(counted: Iterable[Sequence[int]]) -> Durations:
    merged: list[int] = []
    for histogram in counted:
        merged = histograms.add(merged, histogram)
    return Durations.of(merged)
